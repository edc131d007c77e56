/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: what a container was made of, for whoever asks later. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "container/prepare.h"

/* any bytes are legal in a word; what is not UTF-8 is shown with '?' */
static json_t *json_text(const char *word)
{
	json_t *text = json_string(word);
	FB_FREE char *copy = text ? NULL : strdup(word);

	for (char *c = copy; c && *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return text ? text : json_string(copy ? copy : "");
}

static json_t *json_strings(char *const *list)
{
	json_t *array = json_array();

	for (; list && *list; list++)
		(void)json_array_append_new(array, json_text(*list));
	return array;
}

/* docker's names; [{"Path": …, "Rate": …}] */
static int add_rates(json_t *config, const struct fb_preparation *p)
{
	static const char *const keys[] = {
		[FB_RATE_READ_BYTES] = "BlkioDeviceReadBps",
		[FB_RATE_WRITE_BYTES] = "BlkioDeviceWriteBps",
		[FB_RATE_READ_OPERATIONS] = "BlkioDeviceReadIOps",
		[FB_RATE_WRITE_OPERATIONS] = "BlkioDeviceWriteIOps",
	};
	json_t *rates = json_object();

	_Static_assert(FB_ARRAY_SIZE(keys) == FB_RATE_COUNT, "a key each");
	for (size_t k = 0; k < FB_RATE_COUNT; k++) {
		json_t *list = json_array();

		for (size_t i = 0; i < FB_CONTAINER_DISKS_MAX; i++)
			if (p->spec->rates[i][k])
				(void)json_array_append_new(
					list,
					json_pack("{s:s, s:I}", "Path",
						  p->plan.disk_names[i], "Rate",
						  (json_int_t)p->spec
							  ->rates[i][k]));
		(void)json_object_set_new(rates, keys[k], list);
	}
	return json_object_set_new(config, "Rates", rates);
}

/* what `inspect` will show; not read back by run */
int fb_prepare_config(const struct fb_preparation *p, struct fb_err *err)
{
	const struct fb_process *process = p->spec->process;
	json_t *json = json_pack(
		"{s:s, s:s*, s:o, s:o, s:o, s:o, s:b, s:o, s:i, s:I, s:s, s:s}",
		"Id", p->c->handle.id, "Name", p->c->name, "Args",
		json_strings(process->args), "Env", json_strings(process->env),
		"Cwd", json_text(process->cwd), "User",
		json_text(process->user), "Terminal", process->terminal,
		"Labels", json_strings(p->spec->labels), "Cpus",
		(int)p->spec->cpus, "MemoryBytes",
		(json_int_t)p->spec->memory_bytes, "Engine",
		p->engine.ops->name, "Accelerator",
		fb_accel_name(p->engine.accel));
	FB_FREE char *text = json && add_rates(json, p) == 0
				     ? json_dumps(json, JSON_COMPACT)
				     : NULL;
	int r;

	json_decref(json);
	if (!text)
		return fb_err_set(err, -ENOMEM, "keep the configuration: %m");
	/* a power failure ends the machine as well: nothing waits for the disk */
	r = fb_replace_file_at(p->c->handle.dir_fd, FB_CONTAINER_FILE_CONFIG,
			       text, strlen(text), 0600);
	if (r == 0)
		r = fb_replace_file_at(p->c->handle.dir_fd,
				       FB_CONTAINER_FILE_READY, "", 0, 0600);
	return r < 0 ? fb_err_set(err, r, "keep the configuration: %m") : 0;
}
