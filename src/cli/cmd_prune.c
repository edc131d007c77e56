/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/filter.h"
#include "cli/format.h"
#include "image/image.h"
#include "store/container.h"
#include "store/prune.h"
#include "store/usage.h"

struct prune_flags {
	bool all;
	bool containers;
	bool only_containers;
	bool force;
	struct fb_strv filter;
};

static const struct fb_option prune_options[] = {
	FB_OPTION_FLAG(struct prune_flags, all, 'a', "all",
		       "Remove all images that no container uses, not only "
		       "those without a tag; caches too"),
	FB_OPTION_FLAG(struct prune_flags, containers, 0, "containers",
		       "Remove stopped containers first"),
	FB_OPTION_FLAG(struct prune_flags, only_containers, 0,
		       "only-containers",
		       "Remove stopped containers, and nothing else"),
	FB_OPTION_FLAG(struct prune_flags, force, 'f', "force", "Don't ask"),
	FB_OPTION_LIST(struct prune_flags, filter, 0, "filter", "filter",
		       "Only images for which this holds: until=, label="),
	FB_OPTION_END,
};

static int confirm(struct fb_cli *cli, const struct prune_flags *flags,
		   struct fb_err *err)
{
	FB_FREE char *answer = NULL;
	struct fb_err none = { 0 };
	int r;

	(void)fprintf(cli->out, "WARNING! This will remove:\n");
	if (flags->containers || flags->only_containers)
		(void)fprintf(cli->out, "  - all stopped containers\n");
	if (!flags->only_containers)
		(void)fprintf(
			cli->out, "  - all %s\n  - %s\n",
			flags->all ? "images without at least one container "
				     "associated to them"
				   : "dangling images",
			flags->all ? "unneeded blobs, unfinished downloads, "
				     "caches"
				   : "unneeded blobs and unfinished downloads");
	(void)fprintf(cli->out, "\n");
	r = fb_ask(cli, "Are you sure you want to continue? [y/N] ", false,
		   &answer, &none);
	/* nobody ended the line of the question */
	if (r < 0)
		(void)fputc('\n', cli->err);
	if (r < 0 || (strcmp(answer, "y") != 0 && strcmp(answer, "Y") != 0))
		return fb_err_set(err, -ECANCELED, "prune has been cancelled");
	return 0;
}

static int prune_container(struct fb_cli *cli, struct fb_store *store,
			   const struct fb_container_entry *entry,
			   uint64_t *freed_bytes, struct fb_err *err)
{
	FB_CONTAINER_HANDLE struct fb_container_handle held =
		FB_CONTAINER_HANDLE_INIT;
	uint64_t bytes = fb_store_container_usage(store, entry->id);
	int r = fb_store_container_open(store, entry->id, true, &held, err);

	/* gone, or started again meanwhile */
	if (r == -ENOENT || r == -EBUSY)
		return 0;
	if (r == 0)
		r = fb_store_container_remove(store, &held, err);
	if (r < 0)
		return r;
	*freed_bytes += bytes;
	(void)fprintf(cli->out, "%s\n", entry->id);
	return 0;
}

static int prune_containers(struct fb_cli *cli, struct fb_store *store,
			    uint64_t *freed_bytes, struct fb_err *err)
{
	FB_CONTAINER_ENTRIES struct fb_container_entries all = { 0 };
	bool first = true;
	int r = fb_store_container_list(store, &all, err);

	for (size_t i = 0; r == 0 && i < all.count; i++) {
		if (fb_container_is_alive(all.v[i].state))
			continue;
		if (first)
			(void)fprintf(cli->out, "Deleted Containers:\n");
		first = false;
		r = prune_container(cli, store, &all.v[i], freed_bytes, err);
	}
	if (!first)
		(void)fprintf(cli->out, "\n");
	return r;
}

static void print_removal(struct fb_cli *cli,
			  const struct fb_image_removal *gone)
{
	if (gone->untagged.count + gone->deleted.count == 0)
		return;
	(void)fprintf(cli->out, "Deleted Images:\n");
	for (size_t i = 0; i < gone->untagged.count; i++)
		(void)fprintf(cli->out, "untagged: %s\n", gone->untagged.v[i]);
	for (size_t i = 0; i < gone->deleted.count; i++)
		(void)fprintf(cli->out, "deleted: %s\n", gone->deleted.v[i]);
	(void)fprintf(cli->out, "\n");
}

static int prune_all(struct fb_cli *cli, const struct prune_flags *flags,
		     const struct fb_image_filter *filter, struct fb_err *err)
{
	struct fb_image_context ctx = { .log = &cli->log };
	struct fb_image_removal gone = { 0 };
	uint64_t containers = 0, caches = 0;
	char size[32];
	int r = fb_cli_store(cli, &ctx.store, err);

	if (r == 0 && (flags->containers || flags->only_containers))
		r = prune_containers(cli, ctx.store, &containers, err);
	if (r == 0 && !flags->only_containers)
		r = fb_image_prune(&ctx, filter, flags->all, &gone, err);
	if (r == 0 && flags->all && !flags->only_containers)
		r = fb_store_prune_caches(ctx.store, &caches, err);
	print_removal(cli, &gone);
	if (r == 0)
		(void)fprintf(
			cli->out, "Total reclaimed space: %s\n",
			fb_format_size(gone.freed_bytes + containers + caches,
				       size));
	fb_image_removal_release(&gone);
	return r;
}

static int prune_run(struct fb_cli *cli, const struct fb_call *call,
		     struct fb_err *err)
{
	const struct prune_flags *flags = call->flags;
	FB_IMAGE_FILTER struct fb_image_filter filter = { 0 };
	int r = fb_filter_images(&flags->filter, FB_FILTER_PRUNE, &filter, err);

	if (r == 0 && !flags->force)
		r = confirm(cli, flags, err);
	return r < 0 ? r : prune_all(cli, flags, &filter, err);
}

const struct fb_command fb_cmd_prune = {
	.name = "prune",
	.usage = "",
	.summary = "Remove what nothing uses, and say how much was freed",
	.details =
		"Images without a tag that no container uses, blobs that no "
		"image needs, beginnings of downloads, converted images "
		"without an image.\n\n"
		"Filters: until=TIME, label=KEY[=VALUE], "
		"label!=KEY[=VALUE].",
	.options = prune_options,
	.flags_size = sizeof(struct prune_flags),
	.run = prune_run,
};
