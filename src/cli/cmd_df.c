/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows are JSON values of strings: there are few of them without -v, and with it
 * nobody waits for a listing.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/names.h"
#include "image/image.h"
#include "oci/json.h"
#include "store/container.h"
#include "store/usage.h"

struct df_flags {
	bool verbose;
	const char *format;
};

static const struct fb_option df_options[] = {
	FB_OPTION_FLAG(struct df_flags, verbose, 'v', "verbose",
		       "Show each image, container and converted image"),
	FB_OPTION_FORMAT(struct df_flags),
	FB_OPTION_END,
};

/** struct df - What was measured */
struct df {
	struct fb_store_usage usage;
	struct fb_image_rows images;
	struct fb_container_entries containers;
	uint64_t *container_bytes;
	int64_t now_s;
};

static void df_release(struct df *df)
{
	fb_store_usage_release(&df->usage);
	fb_image_rows_release(&df->images);
	fb_container_entries_release(&df->containers);
	free(df->container_bytes);
}

static int measure(const struct fb_image_context *ctx, struct df *df,
		   struct fb_err *err)
{
	int r = fb_store_usage(ctx->store, &df->usage, err);

	if (r == 0)
		r = fb_image_list(ctx, NULL, &df->images, err);
	if (r == 0)
		r = fb_store_container_list(ctx->store, &df->containers, err);
	if (r < 0)
		return r;
	df->container_bytes =
		calloc(df->containers.count + 1, sizeof(*df->container_bytes));
	if (!df->container_bytes)
		return fb_err_set(err, -ENOMEM, "measure the store: %m");
	for (size_t i = 0; i < df->containers.count; i++)
		df->container_bytes[i] = fb_store_container_usage(
			ctx->store, df->containers.v[i].id);
	return 0;
}

static void add_type(json_t *rows, const char *type, size_t total,
		     size_t active, uint64_t bytes, uint64_t reclaimable)
{
	char size[32], free_size[32], free_text[64], total_text[24],
		active_text[24];

	(void)snprintf(total_text, sizeof(total_text), "%zu", total);
	(void)snprintf(active_text, sizeof(active_text), "%zu", active);
	(void)fb_format_size(reclaimable, free_size);
	if (bytes)
		(void)snprintf(free_text, sizeof(free_text), "%s (%u%%)",
			       free_size,
			       (unsigned int)((double)reclaimable * 100 /
					      (double)bytes));
	else
		(void)snprintf(free_text, sizeof(free_text), "%s", free_size);
	(void)json_array_append_new(
		rows, json_pack("{s:s, s:s, s:s, s:s, s:s}", "Type", type,
				"TotalCount", total_text, "Active", active_text,
				"Size", fb_format_size(bytes, size),
				"Reclaimable", free_text));
}

static void add_containers(const struct df *df, json_t *rows)
{
	uint64_t bytes = 0, stopped = 0;
	size_t active = 0;

	for (size_t i = 0; i < df->containers.count; i++) {
		bytes += df->container_bytes[i];
		if (fb_container_is_alive(df->containers.v[i].state))
			active++;
		else
			stopped += df->container_bytes[i];
	}
	add_type(rows, "Containers", df->containers.count, active, bytes,
		 stopped);
}

static void add_images(const struct df *df, json_t *rows)
{
	const struct fb_store_usage *u = &df->usage;
	uint64_t rootfs = 0, rootfs_unused = 0;
	size_t active = 0, rootfs_active = 0;

	for (size_t i = 0; i < u->image_count; i++)
		active += u->images[i].containers != 0;
	for (size_t i = 0; i < u->rootfs_count; i++) {
		rootfs += u->rootfs[i].bytes;
		if (u->rootfs[i].in_use)
			rootfs_active++;
		else
			rootfs_unused += u->rootfs[i].bytes;
	}
	add_type(rows, "Images", u->image_count, active, u->blob_bytes,
		 u->blob_unused_bytes);
	add_type(rows, "Converted Images", u->rootfs_count, rootfs_active,
		 rootfs, rootfs_unused);
}

static json_t *summary(const struct df *df)
{
	const struct fb_store_usage *u = &df->usage;
	json_t *rows = json_array();

	if (!rows)
		return NULL;
	add_images(df, rows);
	add_containers(df, rows);
	add_type(rows, "Caches", u->template_count, 0, u->template_bytes,
		 u->template_bytes);
	add_type(rows, "Unneeded", u->stray_count, 0, u->stray_bytes,
		 u->stray_bytes);
	return rows;
}

static json_t *image_rows(const struct df *df)
{
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < df->images.count; i++) {
		const struct fb_image_row *image = &df->images.v[i];
		const struct fb_image_usage *use =
			fb_store_usage_find(&df->usage, image->seq);
		char ago[48], size[32], shared[32], alone[32], rootfs[32],
			containers[24], id[16];

		if (!use)
			continue;
		(void)snprintf(id, sizeof(id), "%.12s",
			       strchr(image->id, ':') + 1);
		(void)snprintf(containers, sizeof(containers), "%u",
			       use->containers);
		(void)json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
				  "s:s}",
				  "Repository", image->repository, "Tag",
				  image->tag, "ID", id, "CreatedSince",
				  fb_format_ago(image->created_s, df->now_s,
						ago),
				  "Size",
				  fb_format_size(use->shared_bytes +
							 use->unique_bytes,
						 size),
				  "SharedSize",
				  fb_format_size(use->shared_bytes, shared),
				  "UniqueSize",
				  fb_format_size(use->unique_bytes, alone),
				  "ConvertedSize",
				  fb_format_size(use->rootfs_bytes, rootfs),
				  "Containers", containers));
	}
	return rows;
}

static json_t *container_rows(const struct df *df)
{
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < df->containers.count; i++) {
		const struct fb_container_entry *c = &df->containers.v[i];
		char id[16], size[32], ago[48];

		(void)snprintf(id, sizeof(id), "%.12s", c->id);
		(void)json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "ID", id,
				  "Image", c->image ? c->image : "", "Size",
				  fb_format_size(df->container_bytes[i], size),
				  "CreatedSince",
				  fb_format_ago(c->created_ns / 1000000000,
						df->now_s, ago),
				  "Status", fb_container_state_name(c->state),
				  "Names", c->name ? c->name : ""));
	}
	return rows;
}

static json_t *rootfs_rows(const struct df *df)
{
	json_t *rows = json_array();

	for (size_t i = 0; rows && i < df->usage.rootfs_count; i++) {
		const struct fb_rootfs_usage *rootfs = &df->usage.rootfs[i];
		char key[FB_NAMES_ID_MAX], size[32], ago[48], images[24];

		(void)snprintf(images, sizeof(images), "%u", rootfs->images);
		(void)json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:s}", "ID",
				  fb_names_image_id(&rootfs->key, false, key),
				  "Size", fb_format_size(rootfs->bytes, size),
				  "LastUsed",
				  fb_format_ago(rootfs->used_s, df->now_s, ago),
				  "Images", images));
	}
	return rows;
}

static int print_part(struct fb_cli *cli, const char *title,
		      const struct fb_column *columns, size_t count,
		      json_t *rows, struct fb_err *err)
{
	int r;

	(void)fprintf(cli->out, "%s space usage:\n\n", title);
	r = rows ? fb_format_rows(NULL, columns, count, rows, cli->out, err)
		 : fb_err_set(err, -ENOMEM, "measure the store: %m");
	(void)fprintf(cli->out, "\n");
	json_decref(rows);
	return r;
}

static int print_verbose(struct fb_cli *cli, const struct df *df,
			 struct fb_err *err)
{
	static const struct fb_column images[] = {
		{ "Repository", "REPOSITORY", true },
		{ "Tag", "TAG", true },
		{ "ID", "IMAGE ID", true },
		{ "CreatedSince", "CREATED", true },
		{ "Size", "SIZE", true },
		{ "SharedSize", "SHARED SIZE", true },
		{ "UniqueSize", "UNIQUE SIZE", true },
		{ "ConvertedSize", "CONVERTED", true },
		{ "Containers", "CONTAINERS", true },
	};
	static const struct fb_column containers[] = {
		{ "ID", "CONTAINER ID", true },
		{ "Image", "IMAGE", true },
		{ "Size", "SIZE", true },
		{ "CreatedSince", "CREATED", true },
		{ "Status", "STATUS", true },
		{ "Names", "NAMES", true },
	};
	static const struct fb_column rootfs[] = {
		{ "ID", "CONVERTED ID", true },
		{ "Size", "SIZE", true },
		{ "LastUsed", "LAST USED", true },
		{ "Images", "IMAGES", true },
	};
	char caches[32], stray[32];
	int r = print_part(cli, "Images", images, FB_ARRAY_SIZE(images),
			   image_rows(df), err);

	if (r == 0)
		r = print_part(cli, "Containers", containers,
			       FB_ARRAY_SIZE(containers), container_rows(df),
			       err);
	if (r == 0)
		r = print_part(cli, "Converted images", rootfs,
			       FB_ARRAY_SIZE(rootfs), rootfs_rows(df), err);
	if (r == 0)
		(void)fprintf(cli->out, "Caches: %s\nUnneeded: %s\n",
			      fb_format_size(df->usage.template_bytes, caches),
			      fb_format_size(df->usage.stray_bytes, stray));
	return r;
}

static int print_verbose_json(struct fb_cli *cli, const struct df *df,
			      struct fb_err *err)
{
	FB_JSON json_t *all =
		json_pack("{s:o, s:o, s:o, s:I, s:I}", "Images", image_rows(df),
			  "Containers", container_rows(df), "ConvertedImages",
			  rootfs_rows(df), "CacheBytes",
			  (json_int_t)df->usage.template_bytes, "UnneededBytes",
			  (json_int_t)df->usage.stray_bytes);
	FB_FREE char *text =
		all ? json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	if (!text)
		return fb_err_set(err, -ENOMEM, "print as JSON: %m");
	(void)fprintf(cli->out, "%s\n", text);
	return 0;
}

static int print_summary(struct fb_cli *cli, const struct df *df,
			 const char *format, struct fb_err *err)
{
	static const struct fb_column columns[] = {
		{ "Type", "TYPE", true },
		{ "TotalCount", "TOTAL", true },
		{ "Active", "ACTIVE", true },
		{ "Size", "SIZE", true },
		{ "Reclaimable", "RECLAIMABLE", true },
	};
	FB_JSON json_t *rows = summary(df);

	if (!rows)
		return fb_err_set(err, -ENOMEM, "measure the store: %m");
	return fb_format_rows(format, columns, FB_ARRAY_SIZE(columns), rows,
			      cli->out, err);
}

static int df_run(struct fb_cli *cli, const struct fb_call *call,
		  struct fb_err *err)
{
	const struct df_flags *flags = call->flags;
	struct fb_image_context ctx = { .log = &cli->log };
	struct df df = { .now_s = time(NULL) };
	bool json = flags->format && !strcmp(flags->format, "json");
	int r;

	if (flags->verbose && flags->format && !json)
		return fb_err_set(err, -EINVAL,
				  "the verbose and the format options "
				  "conflict, but for --format json");
	r = fb_cli_store(cli, &ctx.store, err);
	if (r == 0)
		r = measure(&ctx, &df, err);
	if (r == 0 && !flags->verbose)
		r = print_summary(cli, &df, flags->format, err);
	else if (r == 0)
		r = json ? print_verbose_json(cli, &df, err)
			 : print_verbose(cli, &df, err);
	df_release(&df);
	return r;
}

const struct fb_command fb_cmd_df = {
	.name = "df",
	.usage = "",
	.summary = "Show what images and containers take up on disk",
	.details =
		"Sizes are blocks of the disk, without holes. Of an image, "
		"shared are the blobs that other images need as well.\n\n"
		"Template fields: .Type .TotalCount .Active .Size "
		".Reclaimable",
	.options = df_options,
	.flags_size = sizeof(struct df_flags),
	.run = df_run,
};
