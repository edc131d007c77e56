/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "oci/json.h"
#include "oci/manifest.h"

#define STRINGS_MAX 65536

static int dup_string(const json_t *object, const char *key, char **ret,
		      struct fb_err *err)
{
	const char *text;
	int r = fb_json_string(object, key, &text, err);

	if (r < 0)
		return r;
	*ret = strdup(text ? text : "");
	return *ret ? 0 : fb_err_set(err, -ENOMEM, "parse '%s': %m", key);
}

static int add_string(struct fb_strv *list, const json_t *item, const char *key,
		      struct fb_err *err)
{
	int r;

	if (!json_is_string(item))
		return fb_err_set(err, -EBADMSG,
				  "'%s' holds something else than strings",
				  key);
	r = fb_strv_add(list, json_string_value(item));
	return r < 0 ? fb_err_set(err, r, "parse '%s': %m", key) : 0;
}

/* an empty list becomes a vector that holds only its NULL */
static int take_list(struct fb_strv *list, char ***ret, struct fb_err *err)
{
	if (!list->v)
		list->v = calloc(1, sizeof(*list->v));
	if (!list->v)
		return fb_err_set(err, -ENOMEM, "parse image config: %m");
	*ret = list->v;
	*list = (struct fb_strv){ 0 };
	return 0;
}

/* of a @command (Entrypoint, Cmd) a missing list is NULL and another than [] */
static int dup_list(const json_t *object, const char *key, bool command,
		    char ***ret, struct fb_err *err)
{
	FB_STRV struct fb_strv list = { .max = STRINGS_MAX };
	const json_t *array = json_object_get(object, key);
	int r = 0;

	if ((!array || json_is_null(array)) && command)
		return 0;
	/* docker takes one word for a list of one here */
	if (json_is_string(array) && command)
		r = add_string(&list, array, key, err);
	else if (array && !json_is_null(array) && !json_is_array(array))
		return fb_err_set(err, -EBADMSG, "'%s' is not a list", key);
	for (size_t i = 0; r == 0 && i < json_array_size(array); i++)
		r = add_string(&list, json_array_get(array, i), key, err);
	return r < 0 ? r : take_list(&list, ret, err);
}

/* {"80/tcp": {}} → "80/tcp"; with @values {"k": "v"} → "k=v" */
static int dup_keys(const json_t *object, const char *key, bool values,
		    char ***ret, struct fb_err *err)
{
	FB_STRV struct fb_strv list = { .max = STRINGS_MAX };
	json_t *map = json_object_get(object, key), *item;
	const char *name;
	int r = 0;

	if (map && !json_is_null(map) && !json_is_object(map))
		return fb_err_set(err, -EBADMSG, "'%s' is not an object", key);
	json_object_foreach(map, name, item)
	{
		if (values && !json_is_string(item))
			return fb_err_set(err, -EBADMSG,
					  "'%s' holds something else than "
					  "strings",
					  key);
		r = values ? fb_strv_addf(&list, "%s=%s", name,
					  json_string_value(item))
			   : fb_strv_add(&list, name);
		if (r < 0)
			return fb_err_set(err, r, "parse '%s': %m", key);
	}
	return take_list(&list, ret, err);
}

static int parse_process(const json_t *object, struct fb_image_config *c,
			 struct fb_err *err)
{
	const json_t *config = json_object_get(object, "config");
	int r;

	if (config && !json_is_null(config) && !json_is_object(config))
		return fb_err_set(err, -EBADMSG, "'config' is not an object");
	if ((r = dup_string(config, "User", &c->user, err)) < 0 ||
	    (r = dup_string(config, "WorkingDir", &c->working_dir, err)) < 0 ||
	    (r = dup_string(config, "StopSignal", &c->stop_signal, err)) < 0 ||
	    (r = dup_list(config, "Entrypoint", true, &c->entrypoint, err)) <
		    0 ||
	    (r = dup_list(config, "Cmd", true, &c->cmd, err)) < 0 ||
	    (r = dup_list(config, "Env", false, &c->env, err)) < 0 ||
	    (r = dup_keys(config, "Volumes", false, &c->volumes, err)) < 0 ||
	    (r = dup_keys(config, "ExposedPorts", false, &c->exposed_ports,
			  err)) < 0)
		return r;
	return dup_keys(config, "Labels", true, &c->labels, err);
}

static int parse_diff_ids(const json_t *object, struct fb_image_config *c,
			  struct fb_err *err)
{
	const json_t *rootfs = json_object_get(object, "rootfs");
	const json_t *array = json_object_get(rootfs, "diff_ids");
	size_t count = json_array_size(array);
	const char *text;
	int r;

	if (!json_is_object(rootfs))
		return fb_err_set(err, -EBADMSG,
				  "no 'rootfs': not an image's config");
	r = fb_json_string(rootfs, "type", &text, err);
	if (r < 0)
		return r;
	if (text && strcmp(text, "layers"))
		return fb_err_set(err, -EBADMSG, "rootfs is of type '%s'",
				  text);
	if (array && !json_is_null(array) && !json_is_array(array))
		return fb_err_set(err, -EBADMSG, "'diff_ids' is not a list");
	if (count > FB_LAYERS_MAX)
		return fb_err_set(err, -E2BIG, "over %d layers", FB_LAYERS_MAX);
	c->diff_ids = calloc(count ? count : 1, sizeof(*c->diff_ids));
	if (!c->diff_ids)
		return fb_err_set(err, -ENOMEM, "parse image config: %m");
	for (size_t i = 0; i < count; i++) {
		text = json_string_value(json_array_get(array, i));
		if (!text)
			return fb_err_set(err, -EBADMSG,
					  "diff_id %zu is not a string", i + 1);
		if (fb_digest_parse(text, &c->diff_ids[i], err) < 0)
			return fb_err_wrap(err, -EBADMSG, "diff_id %zu", i + 1);
		c->diff_id_count = i + 1;
	}
	return 0;
}

/* RFC 3339; the fraction and what can't be read are dropped: it is only shown */
int64_t fb_oci_time_parse(const char *text)
{
	struct tm tm = { 0 };
	const char *rest;
	int hours, minutes;
	int64_t when;

	if (!text)
		return FB_TIME_UNKNOWN;
	rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return FB_TIME_UNKNOWN;
	when = (int64_t)timegm(&tm);
	rest += strcspn(rest, "Zz+-");
	if ((*rest == '+' || *rest == '-') &&
	    sscanf(rest + 1, "%2d:%2d", &hours, &minutes) == 2)
		when -= (*rest == '+' ? 1 : -1) *
			(int64_t)(hours * 3600 + minutes * 60);
	return when >= 0 ? when : FB_TIME_UNKNOWN;
}

static int copy_platform_part(const json_t *object, const char *key, char *to,
			      struct fb_err *err)
{
	const char *text;
	int r = fb_json_string(object, key, &text, err);

	if (r < 0)
		return r;
	if (text && strlen(text) > 31)
		return fb_err_set(err, -EBADMSG, "'%s' is over 31 bytes", key);
	(void)snprintf(to, 32, "%s", text ? text : "");
	return 0;
}

static int parse_config(const json_t *object, struct fb_image_config *c,
			struct fb_err *err)
{
	const char *created;
	int r;

	if ((r = copy_platform_part(object, "os", c->platform.os, err)) < 0 ||
	    (r = copy_platform_part(object, "architecture", c->platform.arch,
				    err)) < 0 ||
	    (r = copy_platform_part(object, "variant", c->platform.variant,
				    err)) < 0 ||
	    (r = fb_json_string(object, "created", &created, err)) < 0)
		return r;
	c->created_s = fb_oci_time_parse(created);
	r = parse_diff_ids(object, c, err);
	return r < 0 ? r : parse_process(object, c, err);
}

int fb_image_config_parse(const char *json, size_t len,
			  struct fb_image_config *ret, struct fb_err *err)
{
	FB_JSON json_t *object = NULL;
	struct fb_image_config c = { 0 };
	int r;

	if (len > FB_CONFIG_SIZE_MAX)
		return fb_err_set(err, -E2BIG, "image config is over %u bytes",
				  FB_CONFIG_SIZE_MAX);
	r = fb_json_load(json, len, "image config", &object, err);
	if (r < 0)
		return r;
	r = parse_config(object, &c, err);
	if (r < 0) {
		fb_image_config_release(&c);
		return fb_err_wrap(err, r, "parse image config");
	}
	*ret = c;
	return 0;
}

static void free_list(char **list)
{
	for (char **item = list; item && *item; item++)
		free(*item);
	free(list);
}

void fb_image_config_release(struct fb_image_config *config)
{
	free(config->diff_ids);
	free(config->user);
	free(config->working_dir);
	free(config->stop_signal);
	free_list(config->entrypoint);
	free_list(config->cmd);
	free_list(config->env);
	free_list(config->volumes);
	free_list(config->exposed_ports);
	free_list(config->labels);
	*config = (struct fb_image_config){ 0 };
}
