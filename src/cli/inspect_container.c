/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "cli/format.h"
#include "cli/inspect.h"
#include "container/exit_record.h"
#include "oci/json.h"
#include "store/container.h"

#define CONFIG_FILE_MAX (64u << 20)
#define VMM_LOG_MAX (1u << 20)
#define ZERO_TIME "0001-01-01T00:00:00Z" /* docker's word for never */

/* What was kept of what the container was made of. Return: object, or NULL */
static json_t *read_config(int dir_fd)
{
	FB_FREE char *text = NULL;
	json_t *config = NULL;
	size_t len = 0;

	if (fb_read_file_at(dir_fd, FB_CONTAINER_FILE_CONFIG, CONFIG_FILE_MAX,
			    &text, &len) == 0)
		(void)fb_json_load(text, len, "container config", &config,
				   NULL);
	return config;
}

/* a member of @config, or null */
static json_t *member(const json_t *config, const char *key)
{
	json_t *value = json_object_get(config, key);

	return value ? json_incref(value) : json_null();
}

/* ["k=v"] → {"k": "v"} */
static json_t *label_map(const json_t *labels)
{
	json_t *map = json_object();

	for (size_t i = 0; i < json_array_size(labels); i++) {
		const char *text = json_string_value(json_array_get(labels, i));
		size_t len = text ? strcspn(text, "=") : 0;
		FB_FREE char *key = text ? strndup(text, len) : NULL;

		if (key)
			(void)json_object_set_new(
				map, key,
				json_string(text + len + (text[len] == '=')));
	}
	return map;
}

/* The words behind the first */
static json_t *rest_of(const json_t *args)
{
	json_t *rest = json_array();

	for (size_t i = 1; i < json_array_size(args); i++)
		(void)json_array_append(rest, json_array_get(args, i));
	return rest;
}

/* The VMM's own words, where something went wrong. Return: text, or null */
static json_t *vmm_log(int dir_fd)
{
	FB_FREE char *text = NULL;

	if (fb_read_file_at(dir_fd, FB_CONTAINER_FILE_VMM_LOG, VMM_LOG_MAX,
			    &text, NULL) < 0)
		return json_null();
	for (char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	return json_string(text);
}

/* What the VMM said of itself at its end. Return: object, or null */
static json_t *metrics(int dir_fd)
{
	FB_FREE char *text = NULL;
	json_t *json = NULL;
	size_t len = 0;

	if (fb_read_file_at(dir_fd, FB_CONTAINER_FILE_METRICS, VMM_LOG_MAX,
			    &text, &len) < 0 ||
	    fb_json_load(text, len, "metrics", &json, NULL) < 0)
		return json_null();
	return json;
}

static const char *started_at(int dir_fd, char out[40])
{
	struct stat st;

	if (fstatat(dir_fd, FB_CONTAINER_FILE_STARTED, &st, 0) < 0)
		return ZERO_TIME;
	return fb_format_time(st.st_mtim.tv_sec, out);
}

static json_t *state_json(const struct fb_container_entry *entry, int dir_fd)
{
	struct fb_exit_record record = { 0 };
	char started[40], ended[40];
	struct fb_err said = { 0 };
	bool over = entry->state == FB_CONTAINER_EXITED &&
		    fb_exit_record_read(dir_fd, &record, NULL) == 0;

	if (over)
		(void)fb_exit_record_error(&record, &said);
	return json_pack(
		"{s:s, s:b, s:b, s:b, s:i, s:s, s:s, s:s, s:s?, s:b}", "Status",
		fb_container_state_name(entry->state), "Running",
		fb_container_is_up(entry->state), "Paused",
		entry->state == FB_CONTAINER_PAUSED, "OOMKilled", record.oom,
		"ExitCode", over ? fb_exit_record_status(&record) : 0, "Error",
		said.msg, "StartedAt", started_at(dir_fd, started),
		"FinishedAt",
		over ? fb_format_time(record.ended_s, ended) : ZERO_TIME, "End",
		over ? fb_exit_class_name(record.class_) : NULL, "DiskFull",
		record.disk_full);
}

/* what it is held to, in docker's form */
static json_t *host_config(const json_t *config, bool auto_remove)
{
	json_t *host =
		json_pack("{s:o, s:o, s:b}", "CpuCount", member(config, "Cpus"),
			  "Memory", member(config, "MemoryBytes"), "AutoRemove",
			  auto_remove);

	(void)json_object_update(host, json_object_get(config, "Rates"));
	return host;
}

static json_t *container_json(const struct fb_container_entry *entry,
			      int dir_fd)
{
	FB_JSON json_t *config = read_config(dir_fd);
	const json_t *args = json_object_get(config, "Args");
	const char *path = json_string_value(json_array_get(args, 0));
	char created[40], image[FB_DIGEST_TEXT_MAX];

	return json_pack(
		"{s:s, s:s, s:s, s:o, s:o, s:s, s:s, "
		"s:{s:s, s:o, s:o, s:o, s:o, s:o}, s:o, "
		"s:{s:o, s:o, s:o, s:o}}",
		"Id", entry->id, "Created",
		fb_format_time(entry->created_ns / 1000000000, created), "Path",
		path ? path : "", "Args", rest_of(args), "State",
		state_json(entry, dir_fd), "Image",
		fb_digest_format(&entry->image_id, image), "Name", entry->name,
		"Config", "Image", entry->image, "Env", member(config, "Env"),
		"User", member(config, "User"), "WorkingDir",
		member(config, "Cwd"), "Tty", member(config, "Terminal"),
		"Labels", label_map(json_object_get(config, "Labels")),
		"HostConfig", host_config(config, entry->auto_remove),
		"FlameBox", "Engine", member(config, "Engine"), "Accelerator",
		member(config, "Accelerator"), "VmmLog", vmm_log(dir_fd),
		"Metrics", metrics(dir_fd));
}

int fb_inspect_container(struct fb_store *store, const char *text, json_t **ret,
			 struct fb_err *err)
{
	FB_CONTAINER_HANDLE struct fb_container_handle handle =
		FB_CONTAINER_HANDLE_INIT;
	FB_CONTAINER_ENTRY struct fb_container_entry entry = { 0 };
	int r = fb_store_container_find(store, text, &entry, err);
	json_t *json;

	if (r < 0)
		return r;
	/* of a dead one there may be no folder: then nothing is known */
	(void)fb_store_container_open(store, entry.id, false, &handle, NULL);
	json = container_json(&entry, handle.dir_fd);
	if (!json)
		return fb_err_set(err, -ENOMEM, "inspect '%s': %m", text);
	*ret = json;
	return 0;
}
