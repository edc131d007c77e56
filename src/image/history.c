/* SPDX-License-Identifier: Apache-2.0 */
#include "image/history.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "oci/json.h"

void fb_history_release(struct fb_history *history)
{
	for (size_t i = 0; i < history->count; i++) {
		free(history->v[i].created_by);
		free(history->v[i].comment);
	}
	free(history->v);
	*history = (struct fb_history){ 0 };
}

static int copy_text(const json_t *step, const char *key, char **ret,
		     struct fb_err *err)
{
	const char *text = NULL;
	int r = fb_json_string(step, key, &text, err);

	if (r < 0)
		return r;
	*ret = strdup(text ? text : "");
	return *ret ? 0 : fb_err_set(err, -ENOMEM, "read the history: %m");
}

/* @layer counts the layers that were accounted for */
static int read_step(const json_t *step, const struct fb_manifest *manifest,
		     size_t *layer, struct fb_history_step *ret,
		     struct fb_err *err)
{
	const char *created = NULL;
	int r;

	if (!json_is_object(step))
		return fb_err_set(err, -EBADMSG, "not an object");
	r = fb_json_string(step, "created", &created, err);
	if (r == 0)
		r = copy_text(step, "created_by", &ret->created_by, err);
	if (r == 0)
		r = copy_text(step, "comment", &ret->comment, err);
	if (r < 0)
		return r;
	ret->created_s = fb_oci_time_parse(created);
	if (!json_is_true(json_object_get(step, "empty_layer")) &&
	    *layer < manifest->layer_count)
		ret->size_bytes = manifest->layers[(*layer)++].size_bytes;
	return 0;
}

static int read_steps(const json_t *list, const struct fb_manifest *manifest,
		      struct fb_history *ret, struct fb_err *err)
{
	size_t count = json_array_size(list), layer = 0;
	int r = 0;

	ret->v = calloc(count + manifest->layer_count + 1, sizeof(*ret->v));
	if (!ret->v)
		return fb_err_set(err, -ENOMEM, "read the history: %m");
	for (size_t i = 0; r == 0 && i < count; i++) {
		ret->count++;
		r = read_step(json_array_get(list, i), manifest, &layer,
			      &ret->v[i], err);
		if (r < 0)
			r = fb_err_wrap(err, r, "history: step %zu", i + 1);
	}
	for (; r == 0 && layer < manifest->layer_count; layer++) {
		struct fb_history_step *step = &ret->v[ret->count++];

		step->created_s = FB_TIME_UNKNOWN;
		step->size_bytes = manifest->layers[layer].size_bytes;
		step->created_by = strdup("");
		step->comment = strdup("");
		if (!step->created_by || !step->comment)
			r = fb_err_set(err, -ENOMEM, "read the history: %m");
	}
	return r;
}

int fb_image_history(const struct fb_image_details *image,
		     struct fb_history *ret, struct fb_err *err)
{
	FB_HISTORY struct fb_history history = { 0 };
	FB_JSON json_t *config = NULL;
	const json_t *list;
	int r = fb_json_load(image->config_json, image->config_len,
			     "image config", &config, err);

	if (r < 0)
		return r;
	list = json_object_get(config, "history");
	if (list && !json_is_null(list) && !json_is_array(list))
		return fb_err_set(err, -EBADMSG, "'history' is not a list");
	if (json_array_size(list) > FB_HISTORY_MAX)
		return fb_err_set(err, -E2BIG, "a history of over %d steps",
				  FB_HISTORY_MAX);
	r = read_steps(list, &image->manifest, &history, err);
	if (r < 0)
		return r;
	*ret = history;
	history = (struct fb_history){ 0 };
	return 0;
}
