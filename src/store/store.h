/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of this user's FlameBox on disk.  Nothing outside src/store/ knows
 * its layout; docs and tests may, programs may not.
 *
 *   ROOT/oci/             an OCI image layout, readable by any tool as it is
 *   ROOT/catalogue.db     names → images, containers (SQLite)
 *   ROOT/rootfs/          converted images, named by their key
 *   ROOT/disks/           templates of writable disks (src/volume/ fills it)
 *   ROOT/containers/<id>/ one folder a container (store/container.h)
 *   ROOT/tmp/             files being written, each locked by its writer
 *   ROOT/partial/         beginnings of blobs that a later pull takes up
 *   ROOT/leases/          what running commands still need (store/blob.h)
 *   ROOT/locks/           work that two processes must not do twice
 *   ROOT/reserve          blocks that a removal on a full disk can use
 *   ROOT/lock             shared: publishing; exclusive: collecting garbage
 *   RUN/containers/       sockets: RUN/containers/<id>.sock
 *
 * Crash-only: a file under its final name is whole, anything else belongs to
 * whoever holds its lock, and what nobody holds is removed by the next command.
 */
#ifndef FB_STORE_STORE_H
#define FB_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

/**
 * struct fb_store_roots - Where the state lives
 * @state: Absolute path, any length
 * @run:   Absolute path; sockets and the like, gone after a reboot
 */
struct fb_store_roots {
	char *state;
	char *run;
};

/**
 * fb_store_roots_resolve() - Find out where the state lives
 * @root_option: --root's value, or NULL; then FLAMEBOX_ROOT counts
 * @ret:         Release with fb_store_roots_release(); on success only
 *
 * DIR given: DIR and DIR/run.  Otherwise as root /var/lib/flamebox and
 * /run/flamebox; for others $XDG_DATA_HOME/flamebox (~/.local/share/flamebox)
 * and $XDG_RUNTIME_DIR/flamebox, or run/ below the former.
 *
 * Return: 0; -EINVAL an empty value; -ENOENT no HOME; -ENOMEM.
 */
int fb_store_roots_resolve(const char *root_option, struct fb_store_roots *ret,
			   struct fb_err *err);
void fb_store_roots_release(struct fb_store_roots *roots);

#define FB_STORE_ROOTS __attribute__((cleanup(fb_store_roots_release)))

struct fb_store; /* opaque; used by one thread at a time */

/**
 * fb_store_open() - Open the state, making its folders (0700) where missing
 * @roots: Where (borrowed during the call)
 * @log:   Sink (borrowed until fb_store_close()), or NULL
 * @ret:   Store (returned); written on success only
 *
 * Removes what dead processes left in tmp/ and leases/ and says so at
 * FB_LOG_INFO.  The catalogue is opened by the first call that needs it.
 *
 * Return: 0; a negative errno, the text names the folder.
 */
int fb_store_open(const struct fb_store_roots *roots, const struct fb_log *log,
		  struct fb_store **ret, struct fb_err *err);

/** fb_store_close() - Close everything; NULL is fine */
void fb_store_close(struct fb_store *store);

static inline void fb_cleanup_store(struct fb_store **store)
{
	fb_store_close(*store);
}

/** FB_STORE - `FB_STORE struct fb_store *store = NULL;` closes itself */
#define FB_STORE __attribute__((cleanup(fb_cleanup_store)))

/** enum fb_store_dir - The folders that others may put things in */
enum fb_store_dir {
	FB_STORE_DIR_ROOT,
	FB_STORE_DIR_OCI,
	FB_STORE_DIR_ROOTFS,
	FB_STORE_DIR_DISKS,
	FB_STORE_DIR_CONTAINERS,
	FB_STORE_DIR_TMP,
	FB_STORE_DIR_PARTIAL,
	FB_STORE_DIR_LEASES,
	FB_STORE_DIR_LOCKS,
	FB_STORE_DIR_RUN,
	FB_STORE_DIR_RUN_CONTAINERS,
};

/**
 * fb_store_dir_fd() - A folder of the store, made (0700) where missing
 * @store: Store (borrowed)
 * @dir:   Which
 *
 * Paths in the state can be longer than PATH_MAX or a socket's 107 bytes: work
 * relative to this descriptor (a socket: through /proc/self/fd/N/<name>).
 *
 * Return: descriptor (borrowed, close-on-exec, lives as long as @store); a
 * negative errno.
 */
int fb_store_dir_fd(struct fb_store *store, enum fb_store_dir dir,
		    struct fb_err *err);

/**
 * fb_store_dir_path() - The same as an absolute path, for messages and children
 *
 * Return: malloc'ed (returned); NULL out of memory.
 */
char *fb_store_dir_path(const struct fb_store *store, enum fb_store_dir dir);

/**
 * struct fb_store_temp - A file being written in tmp/, locked by us
 * @store: Its store (borrowed)
 * @fd:    Read-write descriptor, the lock's too; -EBADF in an empty object
 * @name:  In FB_STORE_DIR_TMP
 */
struct fb_store_temp {
	struct fb_store *store;
	int fd;
	char name[64];
};

#define FB_STORE_TEMP_INIT ((struct fb_store_temp){ .fd = -EBADF })

/**
 * fb_store_temp_create() - Start a file that is published or vanishes
 * @ret: End it with fb_store_temp_publish() or fb_store_temp_discard()
 *
 * Return: 0; a negative errno.
 */
int fb_store_temp_create(struct fb_store *store, struct fb_store_temp *ret,
			 struct fb_err *err);

/**
 * fb_store_temp_publish() - Sync a file and give it its final name
 * @temp: Written file; empty afterwards on success, unchanged on failure
 * @dir:  Where
 * @name: Final name there; an existing file is replaced in one step
 * @mode: Permission bits it gets
 *
 * Return: 0; a negative errno.
 */
int fb_store_temp_publish(struct fb_store_temp *temp, enum fb_store_dir dir,
			  const char *name, unsigned int mode,
			  struct fb_err *err);

/** fb_store_temp_discard() - Remove it; an empty one is fine */
void fb_store_temp_discard(struct fb_store_temp *temp);

#define FB_STORE_TEMP __attribute__((cleanup(fb_store_temp_discard)))

/**
 * struct fb_work_lock - Work that this process alone does now
 * @store: Its store (borrowed)
 * @fd:    Held lock; -EBADF in an empty object
 * @name:  In FB_STORE_DIR_LOCKS
 */
struct fb_work_lock {
	struct fb_store *store;
	int fd;
	char name[72];
};

#define FB_WORK_LOCK_INIT ((struct fb_work_lock){ .fd = -EBADF })

/**
 * fb_store_work_lock() - Be the only process that does a piece of work
 * @kind: "pull", "convert", …
 * @key:  What is worked on, any text
 * @wait: Wait while another does it; it may have been done by then: look again
 * @ret:  Release with fb_store_work_unlock(); written on success only
 *
 * The lock ends with the process, however that ends.
 *
 * Return: 0; -EWOULDBLOCK another has it and @wait is false; a negative errno.
 */
int fb_store_work_lock(struct fb_store *store, const char *kind,
		       const char *key, bool wait, struct fb_work_lock *ret,
		       struct fb_err *err);

/** fb_store_work_unlock() - Release; an empty one is fine */
void fb_store_work_unlock(struct fb_work_lock *lock);

#define FB_WORK_LOCK __attribute__((cleanup(fb_store_work_unlock)))

#endif
