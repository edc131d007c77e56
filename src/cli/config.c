/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/json.h"
#include "oci/process.h"

#define ENTRIES_MAX 1024

struct key {
	const char *name;
	int (*read)(const json_t *value, void *member);
	size_t offset;
};

static int read_string(const json_t *value, void *member)
{
	char *copy = json_is_string(value) ? strdup(json_string_value(value)) :
					     NULL;

	if (!copy)
		return json_is_string(value) ? -ENOMEM : -EINVAL;
	*(char **)member = copy;
	return 0;
}

static int read_strings(const json_t *value, void *member)
{
	FB_STRV struct fb_strv list = { .max = ENTRIES_MAX };
	const json_t *item;

	if (!json_is_array(value))
		return -EINVAL;
	for (size_t i = 0; i < json_array_size(value); i++) {
		item = json_array_get(value, i);
		if (!json_is_string(item))
			return -EINVAL;
		(void)fb_strv_add(&list, json_string_value(item));
	}
	if (list.err)
		return list.err;
	if (!list.v)
		return 0;
	free(*(char ***)member);
	*(char ***)member = FB_TAKE_PTR(list.v);
	list.count = 0;
	return 0;
}

static int read_uint(const json_t *value, void *member)
{
	if (!json_is_integer(value) || json_integer_value(value) < 1)
		return -EINVAL;
	*(uint64_t *)member = (uint64_t)json_integer_value(value);
	return 0;
}

static int read_bytes(const json_t *value, void *member)
{
	if (json_is_string(value))
		return fb_bytes_parse(json_string_value(value), member, NULL);
	return read_uint(value, member);
}

static const struct key keys[] = {
	{ "insecure-registries", read_strings,
	  offsetof(struct fb_config, insecure_registries) },
	{ "registry-mirrors", read_strings,
	  offsetof(struct fb_config, registry_mirrors) },
	{ "engine", read_string, offsetof(struct fb_config, engine) },
	{ "accel", read_string, offsetof(struct fb_config, accel) },
	{ "kernel", read_string, offsetof(struct fb_config, kernel) },
	{ "cpus", read_uint, offsetof(struct fb_config, cpus) },
	{ "memory", read_bytes, offsetof(struct fb_config, memory_bytes) },
	{ "storage-size", read_bytes,
	  offsetof(struct fb_config, storage_size_bytes) },
};

static int read_key(const char *name, const json_t *value,
		    struct fb_config *config, struct fb_err *err)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(keys); i++) {
		if (strcmp(name, keys[i].name))
			continue;
		if (keys[i].read(value, (char *)config + keys[i].offset) < 0)
			return fb_err_set(err, -EINVAL,
					  "'%s' has a value of the wrong kind",
					  name);
		return 0;
	}
	return fb_err_set(err, -EINVAL, "unknown key '%s'", name);
}

static int init_lists(struct fb_config *config)
{
	config->insecure_registries = calloc(1, sizeof(char *));
	config->registry_mirrors = calloc(1, sizeof(char *));
	return config->insecure_registries && config->registry_mirrors ?
		       0 :
		       -ENOMEM;
}

int fb_config_parse(const char *json, size_t len, struct fb_config *ret,
		    struct fb_err *err)
{
	FB_JSON json_t *object = NULL;
	struct fb_config config = { 0 };
	const char *name;
	json_t *value;
	int r = init_lists(&config);

	if (r == 0 && fb_json_load(json, len, "configuration", &object, err) < 0)
		r = -EINVAL;
	if (r == 0) {
		json_object_foreach(object, name, value) {
			r = read_key(name, value, &config, err);
			if (r < 0)
				break;
		}
	}
	if (r < 0) {
		fb_config_release(&config);
		return r;
	}
	*ret = config;
	return 0;
}

static char *default_path(void)
{
	const char *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (geteuid() == 0)
		return strdup("/etc/flamebox/config.json");
	if (xdg && xdg[0] == '/')
		return fb_path_join(xdg, "flamebox/config.json");
	return fb_path_join(home ? home : "/", ".config/flamebox/config.json");
}

int fb_config_load(const char *path, struct fb_config *ret, struct fb_err *err)
{
	FB_FREE char *standard = path ? NULL : default_path();
	FB_FREE char *json = NULL;
	const char *name = path ? path : standard;
	size_t len = 2;
	int r;

	if (!name)
		return fb_err_set(err, -ENOMEM, "read configuration: %m");
	r = fb_read_file_at(AT_FDCWD, name, FB_CONFIG_FILE_MAX, &json, &len);
	if (!path && (r == -ENOENT || r == -ENOTDIR || r == -EACCES))
		return fb_config_parse("{}", 2, ret, err);
	if (r < 0)
		return fb_err_set(err, r, "read configuration '%s': %m", name);
	r = fb_config_parse(json, len, ret, err);
	return r < 0 ? fb_err_wrap(err, r, "configuration '%s'", name) : 0;
}

static void free_list(char **list)
{
	for (char **item = list; item && *item; item++)
		free(*item);
	free(list);
}

void fb_config_release(struct fb_config *config)
{
	free_list(config->insecure_registries);
	free_list(config->registry_mirrors);
	free(config->engine);
	free(config->accel);
	free(config->kernel);
	*config = (struct fb_config){ 0 };
}
