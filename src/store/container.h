/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers as the store knows them: a folder, a lock, a row with the name.
 *
 * Whether a container lives is its lock on <id>/lock, taken when the folder is
 * made and carried by one open file description through whoever owns the
 * container's life (the client while it prepares, then the monitor, which
 * inherits the descriptor).  It is an OFD lock (fcntl F_OFD_SETLK): it can be
 * asked about without being taken, so that a listing disturbs nobody.  How far it came is which files are there.  The row
 * only holds what never changes, and the name.
 */
#ifndef FB_STORE_CONTAINER_H
#define FB_STORE_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "oci/digest.h"
#include "store/store.h"

#define FB_CONTAINER_ID_LEN 64

/* Files in a container's folder that more than one module knows */
#define FB_CONTAINER_FILE_LOCK "lock"	       /* held = alive */
#define FB_CONTAINER_FILE_CONFIG "config.json" /* what it was made of */
#define FB_CONTAINER_FILE_UPPER "upper.img"    /* its writable disk */
#define FB_CONTAINER_FILE_CONSOLE "console.log"
#define FB_CONTAINER_FILE_VMM_LOG "vmm.log"
#define FB_CONTAINER_FILE_METRICS "metrics.json" /* the VMM's last ones */
#define FB_CONTAINER_FILE_READY "ready" /* prepared whole: can be started */
#define FB_CONTAINER_FILE_STARTED \
	"started" /* by the monitor: the machine was told to begin */
#define FB_CONTAINER_FILE_PAUSED "paused" /* by who stops its processes */
/* folders elsewhere that go with it, one a line: control groups */
#define FB_CONTAINER_FILE_OUTSIDE "outside"
#define FB_CONTAINER_FOLDER_VMM "vmm" /* sockets that the VMM makes */
#define FB_CONTAINER_FILE_EXIT "exit" /* by the monitor: the exit record */

/**
 * enum fb_container_state - Derived from lock and files, stored nowhere
 */
enum fb_container_state {
	FB_CONTAINER_PREPARING, /* held, no "started" yet */
	FB_CONTAINER_RUNNING,	/* held, "started" */
	FB_CONTAINER_PAUSED,	/* the same, and "paused" */
	FB_CONTAINER_CREATED,	/* not held; "ready", never started */
	FB_CONTAINER_EXITED,	/* not held; exit record */
	FB_CONTAINER_DEAD,	/* not held, none of these: to be reaped */
};

/** fb_container_state_name() - "created", "running", "paused", "created", "exited", "dead" */
const char *fb_container_state_name(enum fb_container_state state);

/** fb_container_is_up() - Its command has been started and has not ended */
static inline bool fb_container_is_up(enum fb_container_state state)
{
	return state == FB_CONTAINER_RUNNING || state == FB_CONTAINER_PAUSED;
}

/** fb_container_is_alive() - Somebody sees it through, or prepares it */
static inline bool fb_container_is_alive(enum fb_container_state state)
{
	return fb_container_is_up(state) || state == FB_CONTAINER_PREPARING;
}

/**
 * struct fb_container_new - A container to be
 * @name:        Wanted name, or NULL: one is made up
 * @image:       What `ps` shows: the user's text; "" where there is no image
 * @manifest:    The image's, keeps it from being removed; may be unset
 * @auto_remove: --rm
 */
struct fb_container_new {
	const char *name;
	const char *image;
	struct fb_digest manifest;
	bool auto_remove;
};

/**
 * struct fb_container_handle - A container's folder, perhaps with its lock
 * @id:      64 hex digits
 * @dir_fd:  The folder (owned)
 * @lock_fd: The lock (owned); -EBADF where it is not held through this handle.
 *           It belongs to the open file description: dup() and inheritance
 *           carry it, closing the last copy ends it
 */
struct fb_container_handle {
	char id[FB_CONTAINER_ID_LEN + 1];
	int dir_fd;
	int lock_fd;
};

#define FB_CONTAINER_HANDLE_INIT \
	((struct fb_container_handle){ .dir_fd = -EBADF, .lock_fd = -EBADF })

/** fb_container_handle_release() - Close both; the container stays */
void fb_container_handle_release(struct fb_container_handle *handle);

#define FB_CONTAINER_HANDLE \
	__attribute__((cleanup(fb_container_handle_release)))

/** struct fb_container_entry - A container as it is listed */
struct fb_container_entry {
	char id[FB_CONTAINER_ID_LEN + 1];
	char *name;
	char *image;
	struct fb_digest manifest;
	struct fb_digest image_id; /* not set where the image is gone */
	bool auto_remove;
	int64_t created_ns; /* since 1970 */
	enum fb_container_state state;
};

void fb_container_entry_release(struct fb_container_entry *entry);

#define FB_CONTAINER_ENTRY __attribute__((cleanup(fb_container_entry_release)))

struct fb_container_entries {
	struct fb_container_entry *v;
	size_t count;
};

void fb_container_entries_release(struct fb_container_entries *entries);

#define FB_CONTAINER_ENTRIES \
	__attribute__((cleanup(fb_container_entries_release)))

/**
 * fb_store_container_create() - Make folder, lock and row
 * @what: Name, image, … (borrowed)
 * @ret:  Handle that holds the lock; written on success only
 * @ret_name: malloc'ed name (returned), or NULL
 *
 * Return: 0; -EINVAL bad name; -EEXIST name taken, with docker's text; -ENOENT
 * the image is gone; a negative errno.
 */
int fb_store_container_create(struct fb_store *store,
			      const struct fb_container_new *what,
			      struct fb_container_handle *ret, char **ret_name,
			      struct fb_err *err);

/**
 * fb_store_container_list() - All containers, newest first
 *
 * Folders without a row and rows without a folder, which a crash can leave, are
 * listed as FB_CONTAINER_DEAD, the former with an empty name.
 *
 * Return: 0; a negative errno.
 */
int fb_store_container_list(struct fb_store *store,
			    struct fb_container_entries *ret,
			    struct fb_err *err);

/**
 * fb_store_container_find() - By full id, name, or start of an id (docker's order)
 *
 * Return: 0; -ENOENT with docker's text; -ENOTUNIQ; a negative errno.
 */
int fb_store_container_find(struct fb_store *store, const char *text,
			    struct fb_container_entry *ret, struct fb_err *err);

/**
 * fb_store_container_open() - Open a container's folder
 * @id:   Full id
 * @lock: Also take its lock, without waiting; a dead one that lacks folder or
 *        lock gets them again, so that it can be removed
 *
 * Return: 0; -ENOENT; -EBUSY @lock, and another holds it; a negative errno.
 */
int fb_store_container_open(struct fb_store *store, const char *id, bool lock,
			    struct fb_container_handle *ret,
			    struct fb_err *err);

/**
 * fb_store_container_remove() - Row, folder, its files in RUN, and what is outside
 * @handle: With the lock held; released on success
 *
 * Can be repeated after a crash at any point.
 *
 * Return: 0; a negative errno.
 */
int fb_store_container_remove(struct fb_store *store,
			      struct fb_container_handle *handle,
			      struct fb_err *err);

/** fb_store_container_path() - "…/containers/<id>[/<file>]". Return: malloc'ed, or NULL */
char *fb_store_container_path(const struct fb_store *store, const char *id,
			      const char *file);

/** fb_store_container_socket_path() - "RUN/containers/<id>.sock", any length. Return: malloc'ed, or NULL */
char *fb_store_container_socket_path(const struct fb_store *store,
				     const char *id);

#endif
