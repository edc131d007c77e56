/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cli/format.h"
#include "cli/inspect.h"
#include "oci/json.h"
#include "rootfs/convert.h"
#include "store/blob.h"
#include "store/rootfs_file.h"

/* docker writes null where an image says nothing */
static json_t *strings(char *const *list)
{
	json_t *array = list ? json_array() : json_null();

	for (; list && *list; list++)
		(void)json_array_append_new(array, json_string(*list));
	return array;
}

static json_t *string_set(char *const *list)
{
	json_t *object = list && *list ? json_object() : json_null();

	for (; list && *list; list++)
		(void)json_object_set_new(object, *list, json_object());
	return object;
}

/* As the document has them: a key may hold a '=' */
static json_t *labels(const json_t *raw)
{
	json_t *object =
		json_object_get(json_object_get(raw, "config"), "Labels");

	return json_object_size(object) ? json_incref(object) : json_null();
}

/* What the process takes no part of is shown as it stands in the config. */
static void copy_members(json_t *to, const json_t *from,
			 const char *const *keys)
{
	for (; *keys; keys++) {
		json_t *value = json_object_get(from, *keys);

		if (value && !json_is_null(value))
			(void)json_object_set(to, *keys, value);
	}
}

static json_t *config_json(const struct fb_image_config *config,
			   const json_t *raw)
{
	static const char *const extra[] = { "ArgsEscaped", "Healthcheck",
					     "OnBuild",	    "Shell",
					     "StopTimeout", NULL };
	json_t *object =
		json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:n, s:o, s:s}",
			  "User", config->user, "ExposedPorts",
			  string_set(config->exposed_ports), "Env",
			  strings(config->env), "Cmd", strings(config->cmd),
			  "Volumes", string_set(config->volumes), "WorkingDir",
			  config->working_dir, "Entrypoint",
			  strings(config->entrypoint), "OnBuild", "Labels",
			  labels(raw), "StopSignal", config->stop_signal);

	if (object)
		copy_members(object, json_object_get(raw, "config"), extra);
	return object;
}

static const char *raw_text(const json_t *raw, const char *key)
{
	const char *text = json_string_value(json_object_get(raw, key));

	return text ? text : "";
}

static json_t *diff_ids(const struct fb_image_config *config)
{
	char text[FB_DIGEST_TEXT_MAX];
	json_t *array = json_array();

	for (size_t i = 0; i < config->diff_id_count; i++)
		(void)json_array_append_new(
			array, json_string(fb_digest_format(
				       &config->diff_ids[i], text)));
	return array;
}

/* names with a tag, or those with a digest */
static json_t *names(const struct fb_strv *canonical, bool digests)
{
	char text[FB_REFERENCE_TEXT_MAX];
	json_t *array = json_array();
	struct fb_reference ref;

	for (size_t i = 0; i < canonical->count; i++)
		if (fb_reference_parse(canonical->v[i], &ref, NULL) == 0 &&
		    ref.digest.set == digests)
			(void)json_array_append_new(
				array,
				json_string(fb_reference_familiar(&ref, text)));
	return array;
}

/*
 * What is kept of the converted image: its SHA-256 says which bytes a machine
 * boots.  null where it was not converted yet.
 */
static json_t *rootfs_json(struct fb_store *store,
			   const struct fb_image_details *image)
{
	struct fb_rootfs_record file;
	struct fb_digest key;
	char text[FB_DIGEST_TEXT_MAX];
	FB_FD int fd = -EBADF;

	if (fb_rootfs_key(image->config.diff_ids, image->config.diff_id_count,
			  NULL, &key, NULL) < 0)
		return json_null();
	fd = fb_store_rootfs_open(store, &key, &image->record.manifest, &file,
				  NULL);
	if (fd < 0)
		return json_null();
	return json_pack("{s:s, s:I, s:s}", "Digest",
			 fb_digest_format(&file.sha256, text), "Size",
			 (json_int_t)file.size_bytes, "Compression",
			 file.compression);
}

/* Of the config's document, where docker and podman show them */
static void add_origin(json_t *object, const json_t *raw)
{
	json_t *history = json_object_get(raw, "history");

	(void)json_object_set_new(object, "Author",
				  json_string(raw_text(raw, "author")));
	(void)json_object_set_new(object, "Comment",
				  json_string(raw_text(raw, "comment")));
	(void)json_object_set_new(object, "DockerVersion",
				  json_string(raw_text(raw, "docker_version")));
	(void)json_object_set_new(object, "Parent",
				  json_string(raw_text(raw, "parent")));
	if (raw_text(raw, "os.version")[0])
		(void)json_object_set_new(
			object, "OsVersion",
			json_string(raw_text(raw, "os.version")));
	if (json_is_array(history))
		(void)json_object_set(object, "History", history);
}

static json_t *descriptor_json(struct fb_store *store,
			       const struct fb_image_record *record)
{
	char digest[FB_DIGEST_TEXT_MAX];
	uint64_t size = 0;
	FB_FD int fd = fb_store_blob_open(store, &record->manifest, UINT64_MAX,
					  &size, NULL);

	if (fd < 0) /* inspect tells what is known */
		size = 0;
	return json_pack("{s:s, s:s, s:I}", "mediaType", record->media_type,
			 "digest", fb_digest_format(&record->manifest, digest),
			 "size", (json_int_t)size);
}

static json_t *image_json(struct fb_store *store,
			  const struct fb_image_details *image,
			  const json_t *raw)
{
	const struct fb_image_record *record = &image->record;
	const struct fb_image_config *config = &image->config;
	const char *created = raw_text(raw, "created");
	char id[FB_DIGEST_TEXT_MAX], when[40], entered[40];
	json_t *object = json_pack(
		"{s:s, s:o, s:o, s:s, s:s, s:s, s:s, s:I, s:o, s:{s:s, s:o}, "
		"s:{s:s}, s:o, s:{s:o}}",
		"Id", fb_digest_format(&record->config, id), "RepoTags",
		names(&record->names, false), "RepoDigests",
		names(&record->names, true), "Created",
		created[0] ? created : fb_format_time(record->created_s, when),
		"Architecture", config->platform.arch, "Os",
		config->platform.os, "Variant", config->platform.variant,
		"Size", (json_int_t)record->size_bytes, "Config",
		config_json(config, raw), "RootFS", "Type", "layers", "Layers",
		diff_ids(config), "Metadata", "LastTagTime",
		fb_format_time(record->registered_s, entered), "Descriptor",
		descriptor_json(store, record), "FlameBox", "Rootfs",
		rootfs_json(store, image));

	if (object)
		add_origin(object, raw);
	return object;
}

int fb_inspect_image(const struct fb_image_context *ctx, const char *text,
		     json_t **ret, struct fb_err *err)
{
	FB_IMAGE_DETAILS struct fb_image_details image = { 0 };
	FB_JSON json_t *raw = NULL;
	json_t *json;
	int r = fb_image_inspect(ctx, text, &image, err);

	if (r == 0)
		r = fb_json_load(image.config_json, image.config_len,
				 "image config", &raw, err);
	if (r < 0)
		return r;
	json = image_json(ctx->store, &image, raw);
	if (!json)
		return fb_err_set(err, -ENOMEM, "inspect '%s': %m", text);
	*ret = json;
	return 0;
}
