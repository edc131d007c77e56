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
	FB_FREE char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
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
