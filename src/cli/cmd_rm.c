/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/report.h"
#include "container/container.h"
#include "container/stop.h"

#define FREE_TIMEOUT_MS 5000

struct rm_flags {
	bool force;
};

static const struct fb_option rm_options[] = {
	FB_OPTION_FLAG(struct rm_flags, force, 'f', "force",
		       "Kill it first where it runs; be content where there "
		       "is none"),
	FB_OPTION_END,
};

static int refuse(const struct fb_container_entry *entry, struct fb_err *err)
{
	if (entry->state == FB_CONTAINER_PAUSED)
		return fb_err_hint(
			err,
			fb_err_set(err, -EBUSY,
				   "cannot remove container '%s': container is "
				   "paused and must be unpaused first",
				   entry->name),
			"or force remove: flamebox rm -f %s", entry->name);
	return fb_err_hint(
		err,
		fb_err_set(err, -EBUSY,
			   "cannot remove container '%s': container is running",
			   entry->name),
		"stop the container before removing or force remove: "
		"flamebox rm -f %s",
		entry->name);
}

/* what was killed may still be held, by the client of --rm that removes it as well */
static int open_when_free(struct fb_store *store, const char *id,
			  struct fb_container_handle *held, struct fb_err *err)
{
	const struct timespec moment = { .tv_nsec = 20000000 };
	uint64_t until = fb_now_ms() + FREE_TIMEOUT_MS;
	int r;

	for (;;) {
		r = fb_store_container_open(store, id, true, held, err);
		if (r != -EBUSY || fb_now_ms() >= until)
			return r;
		(void)nanosleep(&moment, NULL);
	}
}

static int remove_one(struct fb_store *store, const char *text, bool force,
		      struct fb_err *err)
{
	FB_CONTAINER_ENTRY struct fb_container_entry entry = { 0 };
	FB_CONTAINER_HANDLE struct fb_container_handle held =
		FB_CONTAINER_HANDLE_INIT;
	int r = fb_store_container_find(store, text, &entry, err);

	if (r < 0)
		return r;
	if (fb_container_is_alive(entry.state) && !force)
		return refuse(&entry, err);
	if (fb_container_is_alive(entry.state))
		r = fb_container_kill(store, entry.id, err);
	if (r == 0)
		r = open_when_free(store, entry.id, &held, err);
	/* with --rm its own client may have been faster */
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = fb_store_container_remove(store, &held, err);
	return r < 0 ? fb_err_wrap(err, r, "remove container '%s'", text) : 0;
}

static int rm_run(struct fb_cli *cli, const struct fb_call *call,
		  struct fb_err *err)
{
	const struct rm_flags *flags = call->flags;
	struct fb_store *store;
	int r = fb_cli_store(cli, &store, err), status = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < call->arg_count; i++) {
		struct fb_err one = { 0 };

		r = remove_one(store, call->args[i], flags->force, &one);
		if (r == 0)
			(void)fprintf(cli->out, "%s\n", call->args[i]);
		else
			fb_report(cli, &one);
		if (r < 0 && !(flags->force && r == -ENOENT))
			status = 1;
	}
	return status;
}

const struct fb_command fb_cmd_rm = {
	.name = "rm",
	.usage = "CONTAINER [CONTAINER...]",
	.summary = "Remove containers",
	.options = rm_options,
	.flags_size = sizeof(struct rm_flags),
	.min_args = 1,
	.max_args = FB_ARGS_UNLIMITED,
	.run = rm_run,
};
