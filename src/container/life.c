/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"
#include "container/container.h"

#define CONSOLE_MAX (1u << 20)
#define CONSOLE_SHOWN 4096u /* bytes */

void fb_container_release(struct fb_container *c)
{
	fb_container_handle_release(&c->handle);
	c->socket = fb_close(c->socket);
	c->console = fb_close(c->console);
	c->watch = fb_close(c->watch);
	free(FB_TAKE_PTR(c->name));
}

int fb_container_create(struct fb_store *store,
			const struct fb_container_new *what,
			struct fb_container *ret, struct fb_err *err)
{
	struct fb_container c = FB_CONTAINER_INIT;
	int r;

	c.store = store;
	c.auto_remove = what->auto_remove;
	r = fb_store_container_create(store, what, &c.handle, &c.name, err);
	if (r == 0)
		*ret = c;
	return r;
}

int fb_container_wait(struct fb_container *c, struct fb_exit_record *ret,
		      struct fb_err *err)
{
	int status, r = fb_spawn_wait(c->monitor_pid, &status);

	if (r < 0)
		return fb_err_set(err, r, "wait for the monitor: %m");
	c->monitor_pid = 0;
	r = fb_exit_record_read(c->handle.dir_fd, ret, err);
	if (r == 0)
		return 0;
	return fb_err_hint(err,
			   fb_err_set(err, -EIO,
				      "container '%s': its monitor was lost",
				      c->name),
			   "its machine was ended with it");
}

void fb_container_log_console(const struct fb_container *c,
			      const struct fb_log *log)
{
	FB_FREE char *text = NULL;
	char *line, *start;
	size_t len;

	if (fb_read_file_at(c->handle.dir_fd, FB_CONTAINER_FILE_CONSOLE,
			    CONSOLE_MAX, &text, &len) < 0)
		return;
	start = len > CONSOLE_SHOWN ? text + len - CONSOLE_SHOWN : text;
	while ((line = strsep(&start, "\n")))
		if (line[0])
			fb_log(log, FB_LOG_INFO, "console: %s", line);
}

int fb_container_remove(struct fb_container *c, struct fb_err *err)
{
	FB_CONTAINER_HANDLE struct fb_container_handle held =
		FB_CONTAINER_HANDLE_INIT;
	int r;

	if (c->handle.lock_fd >= 0)
		return fb_store_container_remove(c->store, &c->handle, err);
	r = fb_store_container_open(c->store, c->handle.id, true, &held, err);
	return r < 0 ? r : fb_store_container_remove(c->store, &held, err);
}

static bool is_left_over(const struct fb_container_entry *entry)
{
	switch (entry->state) {
	case FB_CONTAINER_DEAD:
		return true;
	case FB_CONTAINER_CREATED:
	case FB_CONTAINER_EXITED:
		return entry->auto_remove;
	case FB_CONTAINER_PREPARING:
	case FB_CONTAINER_RUNNING:
	case FB_CONTAINER_PAUSED:
		break;
	}
	return false;
}

void fb_container_reap(struct fb_store *store, const struct fb_log *log)
{
	FB_CONTAINER_ENTRIES struct fb_container_entries list = { 0 };

	if (fb_store_container_list(store, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < list.count; i++) {
		FB_CONTAINER_HANDLE struct fb_container_handle held =
			FB_CONTAINER_HANDLE_INIT;
		const struct fb_container_entry *entry = &list.v[i];

		if (!is_left_over(entry) ||
		    fb_store_container_open(store, entry->id, true, &held,
					    NULL) < 0)
			continue;
		if (fb_store_container_remove(store, &held, NULL) == 0)
			fb_log(log, FB_LOG_INFO,
			       "removed what was left of container '%.12s'%s%s",
			       entry->id, entry->name[0] ? ", " : "",
			       entry->name);
	}
}
