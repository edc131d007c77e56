/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's life: created (a folder, a name, a lock) → started (a monitor
 * has it) → ended (an exit record) → removed.
 *
 * A container takes a process and a root file system; images are not known
 * here, so that a runtime bundle can start one as well.
 */
#ifndef FB_CONTAINER_CONTAINER_H
#define FB_CONTAINER_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/log.h"
#include "container/exit_record.h"
#include "machine/engine.h"
#include "oci/process.h"
#include "store/container.h"
#include "store/store.h"

/**
 * struct fb_container - One container that this process creates and starts
 * @store:  Its store (borrowed)
 * @handle: Folder and lock
 * @name:   Owned
 * @auto_remove: --rm
 * @prepared_ns: When everything was ready for the monitor; CLOCK_MONOTONIC, 0 = not yet
 * @monitor_pid: Of the monitor, a child of ours; 0 before the start
 * @socket: To the monitor; -EBADF before the start and once taken
 * @console: Where the machine's console can be read, likewise; -EBADF where it was not
 *          asked for
 * @watch: With @timed: inotify of what is made in the machine's folder, @watch_folder;
 *         or a pipe, with engines that have none: what comes last before the guest's
 *         word says that it was set going
 */
struct fb_container {
	struct fb_store *store;
	struct fb_container_handle handle;
	char *name;
	bool auto_remove;
	uint64_t prepared_ns;
	pid_t monitor_pid;
	int socket;
	int console;
	int watch;
	bool watch_folder;
};

#define FB_CONTAINER_INIT                                           \
	((struct fb_container){ .handle = FB_CONTAINER_HANDLE_INIT, \
				.socket = -EBADF,                   \
				.console = -EBADF,                  \
				.watch = -EBADF })

/** fb_container_release() - Close and free; the container itself stays */
void fb_container_release(struct fb_container *c);

#define FB_CONTAINER __attribute__((cleanup(fb_container_release)))

/**
 * fb_container_create() - Reserve id, name and folder
 * @what: Name, image text, --rm (borrowed)
 * @ret:  Release with fb_container_release(); written on success only
 *
 * Return: as fb_store_container_create().
 */
int fb_container_create(struct fb_store *store,
			const struct fb_container_new *what,
			struct fb_container *ret, struct fb_err *err);

/* a machine's disks: its image, and what it may write to */
#define FB_CONTAINER_DISKS_MAX 2

/** enum fb_container_net - How it reaches the network */
enum fb_container_net {
	FB_CONTAINER_NET_USER,
	FB_CONTAINER_NET_NONE,
};

/**
 * struct fb_container_spec - What to start; everything borrowed
 * @process:     What runs
 * @root_fd:     Read-only SquashFS
 * @hostname:    Its name
 * @add_hosts:   --add-host, or NULL
 * @tmpfs:       --tmpfs, "path[:options]", NULL-terminated, or NULL
 * @labels:      "key=value", NULL-terminated, or NULL; kept in its config
 * @stdin_open:  -i
 * @init:        --init
 * @read_only:   --read-only
 * @ephemeral:   Writes go to a tmpfs
 * @storage_bytes: Of the writable disk
 * @rates:       Limits of the image's disk and of the writable one
 * @cpus:        Virtual CPUs
 * @cpu_quota_us: Of 100000 us; 0 = no limit
 * @memory_bytes: Of the machine
 * @net:         Which network
 * @engine:      What it is to run on
 * @kernel, @initramfs: Paths, or NULL: ours
 * @debug:       Init tells its phases
 * @timed:       It is to be told when what was reached
 * @console:     The guest's kernel says what it does, and its console is handed on
 * @boot_timeout_s: How long the guest may take to be ready
 */
struct fb_container_spec {
	const struct fb_process *process;
	int root_fd;
	const char *hostname;
	char *const *add_hosts;
	char *const *tmpfs;
	char *const *labels;
	bool stdin_open;
	bool init;
	bool read_only;
	bool ephemeral;
	uint64_t storage_bytes;
	uint64_t rates[FB_CONTAINER_DISKS_MAX][FB_RATE_COUNT];
	unsigned int cpus;
	uint64_t cpu_quota_us;
	uint64_t memory_bytes;
	enum fb_container_net net;
	struct fb_engine_wish engine;
	const char *kernel;
	const char *initramfs;
	bool debug;
	bool timed;
	bool console;
	unsigned int boot_timeout_s;
};

/**
 * fb_container_check() - Find out early what can't work
 *
 * Everything about @spec that is wrong whatever the image is; touches nothing.
 *
 * Return: 0; -EINVAL with docker's text.
 */
int fb_container_check(const struct fb_container_spec *spec,
		       struct fb_err *err);

/**
 * fb_container_start() - Prepare disks, network and machine; start the monitor
 * @c:    Created container; gets @monitor_pid and @socket
 * @spec: What (borrowed)
 * @log:  Sink, or NULL
 *
 * The monitor takes the lock over.  On failure nothing runs.
 *
 * Return: 0; a negative errno.
 */
int fb_container_start(struct fb_container *c,
		       const struct fb_container_spec *spec,
		       const struct fb_log *log, struct fb_err *err);

/**
 * fb_container_wait() - Wait for the monitor's end and read the exit record
 * @ret: Written on success only
 *
 * Return: 0; -EIO the monitor ended without a record.
 */
int fb_container_wait(struct fb_container *c, struct fb_exit_record *ret,
		      struct fb_err *err);

/**
 * fb_container_log_console() - What the guest printed last, line by line, at -v
 *
 * Evidence of a machine that was lost; nothing where nothing was printed.
 */
void fb_container_log_console(const struct fb_container *c,
			      const struct fb_log *log);

/** fb_container_remove() - Remove it with all it has; it must not run. Return: 0; negative errno */
int fb_container_remove(struct fb_container *c, struct fb_err *err);

/**
 * fb_container_reap() - Remove what dead processes left
 *
 * Containers that nobody holds: those with --rm, and those that never got as far
 * as being startable.  Says so at FB_LOG_INFO.  What can't be removed is left
 * for the next command.
 */
void fb_container_reap(struct fb_store *store, const struct fb_log *log);

#endif
