/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/json.h"
#include "oci/process.h"

#define SYSTEM_FILE "/etc/flamebox/config.json"
#define LIST_MAX 1000

enum kind { KIND_TEXT, KIND_LIST, KIND_MIRRORS, KIND_UINT, KIND_BYTES };

static const struct {
	const char *name;
	enum kind kind;
	size_t offset;
} keys[] = {
	{ "accel", KIND_TEXT, offsetof(struct fb_config, accel) },
	{ "cpus", KIND_UINT, offsetof(struct fb_config, cpus) },
	{ "engine", KIND_TEXT, offsetof(struct fb_config, engine) },
	{ "firecracker", KIND_TEXT, offsetof(struct fb_config, firecracker) },
	{ "insecure-registries", KIND_LIST,
	  offsetof(struct fb_config, insecure_registries) },
	{ "jailer", KIND_TEXT, offsetof(struct fb_config, jailer) },
	{ "kernel", KIND_TEXT, offsetof(struct fb_config, kernel) },
	{ "memory", KIND_BYTES, offsetof(struct fb_config, memory_bytes) },
	{ "registry-mirrors", KIND_MIRRORS,
	  offsetof(struct fb_config, registry_mirrors) },
	{ "storage-size", KIND_BYTES,
	  offsetof(struct fb_config, storage_size_bytes) },
};

static int wrong_type(const char *key, const char *want, struct fb_err *err)
{
	return fb_err_set(err, -EINVAL, "key '%s': not %s", key, want);
}

static int take_text(const char *key, const json_t *value, char **ret,
		     struct fb_err *err)
{
	if (!json_is_string(value) || !json_string_length(value))
		return wrong_type(key, "a string", err);
	*ret = strdup(json_string_value(value));
	return *ret ? 0 : fb_err_set(err, -ENOMEM, "key '%s': %m", key);
}

/* Each with @prefix and @between before it */
static int add_list(const char *key, const json_t *value, const char *prefix,
		    const char *between, struct fb_strv *list,
		    struct fb_err *err)
{
	int r = 0;

	if (!json_is_array(value))
		return wrong_type(key, "a list of strings", err);
	for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
		const json_t *item = json_array_get(value, i);

		if (!json_is_string(item))
			return wrong_type(key, "a list of strings", err);
		r = fb_strv_addf(list, "%s%s%s", prefix, between,
				 json_string_value(item));
	}
	return r < 0 ? fb_err_set(err, r, "key '%s': %m", key) : 0;
}

static int take_list(const char *key, const json_t *value, char ***ret,
		     struct fb_err *err)
{
	FB_STRV struct fb_strv list = { .max = LIST_MAX };
	const char *registry;
	json_t *of;
	void *iter = json_object_iter((json_t *)(uintptr_t)value);
	int r = 0;

	if (!json_is_object(value))
		r = add_list(key, value, "", "", &list, err);
	for (; iter && r == 0;
	     iter = json_object_iter_next((json_t *)(uintptr_t)value, iter)) {
		registry = json_object_iter_key(iter);
		of = json_object_iter_value(iter);
		if (!*registry || strpbrk(registry, "=/"))
			return fb_err_set(err, -EINVAL,
					  "key '%s': '%.100s' is no registry",
					  key, registry);
		r = add_list(key, of, registry, "=", &list, err);
	}
	if (r < 0)
		return r;
	if (list.v)
		*ret = FB_TAKE_PTR(list.v);
	list = (struct fb_strv){ 0 };
	return 0;
}

static int take_number(const char *key, enum kind kind, const json_t *value,
		       uint64_t *ret, struct fb_err *err)
{
	int r;

	if (json_is_integer(value) && json_integer_value(value) > 0) {
		*ret = (uint64_t)json_integer_value(value);
		return 0;
	}
	if (kind != KIND_BYTES)
		return wrong_type(key, "a number over 0", err);
	if (!json_is_string(value))
		return wrong_type(key, "a size", err);
	r = fb_bytes_parse(json_string_value(value), ret, err);
	return r < 0 ? fb_err_wrap(err, r, "key '%s'", key) : 0;
}

static int take_key(const char *key, const json_t *value, struct fb_config *c,
		    struct fb_err *err)
{
	size_t i = 0;
	char *to;

	while (i < FB_ARRAY_SIZE(keys) && strcmp(keys[i].name, key))
		i++;
	if (i == FB_ARRAY_SIZE(keys))
		return fb_err_hint(err,
				   fb_err_set(err, -EINVAL,
					      "unknown key '%.100s'", key),
				   "flamebox(1) lists the keys");
	to = (char *)c + keys[i].offset;
	switch (keys[i].kind) {
	case KIND_TEXT:
		return take_text(key, value, (char **)(void *)to, err);
	case KIND_LIST:
		if (json_is_object(value))
			return wrong_type(key, "a list of strings", err);
		/* fall through */
	case KIND_MIRRORS:
		free(*(char ***)(void *)to); /* the empty list */
		*(char ***)(void *)to = NULL;
		return take_list(key, value, (char ***)(void *)to, err);
	case KIND_UINT:
	case KIND_BYTES:
		return take_number(key, keys[i].kind, value,
				   (uint64_t *)(void *)to, err);
	}
	return -EINVAL;
}

static int empty_lists(struct fb_config *c, struct fb_err *err)
{
	if (!c->insecure_registries)
		c->insecure_registries = calloc(1, sizeof(char *));
	if (!c->registry_mirrors)
		c->registry_mirrors = calloc(1, sizeof(char *));
	if (!c->insecure_registries || !c->registry_mirrors)
		return fb_err_set(err, -ENOMEM, "read the configuration: %m");
	return 0;
}

int fb_config_parse(const char *json, size_t len, struct fb_config *ret,
		    struct fb_err *err)
{
	struct fb_config c = { 0 };
	FB_JSON json_t *root = NULL;
	const char *key;
	json_t *value;
	int r = 0;

	if (fb_json_load(json, len, "configuration", &root, err) < 0)
		return -EINVAL;
	json_object_foreach(root, key, value)
	{
		r = take_key(key, value, &c, err);
		if (r < 0)
			break;
	}
	if (r == 0)
		r = empty_lists(&c, err);
	if (r < 0) {
		fb_config_release(&c);
		return r;
	}
	*ret = c;
	return 0;
}

/* Return: path (returned); NULL where there is no place to look */
static char *default_path(void)
{
	const char *dir = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	if (geteuid() == 0)
		return strdup(SYSTEM_FILE);
	if (dir && dir[0] == '/')
		return fb_path_join(dir, "flamebox/config.json");
	if (!home || home[0] != '/')
		return NULL;
	return fb_path_join(home, ".config/flamebox/config.json");
}

int fb_config_load(const char *path, struct fb_config *ret, struct fb_err *err)
{
	FB_FREE char *standard = path ? NULL : default_path();
	FB_FREE char *text = NULL;
	const char *file = path ? path : standard;
	struct fb_config c = { 0 };
	size_t len = 0;
	int r;

	r = file ? fb_read_file_at(AT_FDCWD, file, FB_CONFIG_FILE_MAX, &text,
				   &len)
		 : -ENOENT;
	if (r == -ENOENT && !path) {
		r = empty_lists(&c, err);
		if (r < 0)
			fb_config_release(&c);
		else
			*ret = c;
		return r;
	}
	if (r < 0)
		return fb_err_set(err, r, "read configuration '%s': %m", file);
	r = fb_config_parse(text, len, ret, err);
	return r < 0 ? fb_err_wrap(err, r, "'%s'", file) : 0;
}

static void free_list(char **list)
{
	for (char **s = list; s && *s; s++)
		free(*s);
	free(list);
}

void fb_config_release(struct fb_config *config)
{
	free_list(config->insecure_registries);
	free_list(config->registry_mirrors);
	free(config->engine);
	free(config->accel);
	free(config->firecracker);
	free(config->jailer);
	free(config->kernel);
	*config = (struct fb_config){ 0 };
}
