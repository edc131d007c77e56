/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "cli/config.h"
#include "tap.h"

static int parse(const char *json, struct fb_config *c, struct fb_err *err)
{
	return fb_config_parse(json, strlen(json), c, err);
}

static void test_whole(void)
{
	struct fb_config c;
	struct fb_err err = { 0 };

	if (!TAP_OK(parse("{\"insecure-registries\":[\"a:5000\",\"b\"],"
			  "\"registry-mirrors\":[\"https://m.example\"],"
			  "\"engine\":\"qemu\",\"accel\":\"tcg\","
			  "\"kernel\":\"/boot/k\",\"cpus\":3,"
			  "\"memory\":\"1.5g\",\"storage-size\":1073741824}",
			  &c, &err) == 0,
		    "takes every key: %s", err.msg))
		return;
	TAP_STR(c.insecure_registries[0], "a:5000", "first of a list");
	TAP_STR(c.insecure_registries[1], "b", "second of a list");
	TAP_STR(c.insecure_registries[2], NULL, "its end");
	TAP_STR(c.registry_mirrors[0], "https://m.example", "mirror");
	TAP_STR(c.engine, "qemu", "engine");
	TAP_STR(c.accel, "tcg", "accelerator");
	TAP_STR(c.kernel, "/boot/k", "kernel");
	TAP_INT(c.cpus, 3, "cpus");
	TAP_INT(c.memory_bytes, 3ll << 29, "a size as text");
	TAP_INT(c.storage_size_bytes, 1 << 30, "a size as a number");
	fb_config_release(&c);
	TAP_OK(!c.engine && !c.registry_mirrors, "released");
}

static void test_empty(void)
{
	struct fb_config c;

	TAP_INT(parse("{}", &c, NULL), 0, "takes nothing");
	TAP_OK(c.insecure_registries && !c.insecure_registries[0] &&
		       c.registry_mirrors && !c.registry_mirrors[0],
	       "lists are empty, not missing");
	TAP_OK(!c.engine && !c.cpus && !c.memory_bytes, "the rest is unset");
	fb_config_release(&c);
	TAP_INT(parse("{\"registry-mirrors\":[]}", &c, NULL), 0,
		"takes an empty list");
	TAP_OK(c.registry_mirrors && !c.registry_mirrors[0], "which is empty");
	fb_config_release(&c);
	TAP_INT(parse("{\"registry-mirrors\":{\"docker.io\":[\"http://a\"],"
		      "\"h:5000\":[\"https://b\",\"https://c\"]}}",
		      &c, NULL),
		0, "mirrors by registry");
	TAP_OK(c.registry_mirrors && c.registry_mirrors[0] &&
		       !strcmp(c.registry_mirrors[0], "docker.io=http://a") &&
		       !strcmp(c.registry_mirrors[1], "h:5000=https://b") &&
		       !strcmp(c.registry_mirrors[2], "h:5000=https://c") &&
		       !c.registry_mirrors[3],
	       "each with its registry");
	fb_config_release(&c);
}

static void test_bad(void)
{
	static const char *const cases[][2] = {
		{ "", "line 1" },
		{ "[]", "not an object" },
		{ "{\"engine\":\"qemu\",}", "line 1" },
		{ "{\n\n\"engine\": qemu}", "line 3" },
		{ "{\"insecure-registry\":[]}",
		  "unknown key 'insecure-registry'" },
		{ "{\"Engine\":\"qemu\"}", "unknown key 'Engine'" },
		{ "{\"engine\":5}", "key 'engine': not a string" },
		{ "{\"engine\":\"\"}", "key 'engine': not a string" },
		{ "{\"engine\":\"a\",\"engine\":\"b\"}", "duplicate" },
		{ "{\"cpus\":\"3\"}", "key 'cpus': not a number over 0" },
		{ "{\"cpus\":0}", "key 'cpus': not a number over 0" },
		{ "{\"cpus\":1.5}", "key 'cpus': not a number over 0" },
		{ "{\"memory\":\"lots\"}",
		  "key 'memory': invalid size: 'lots'" },
		{ "{\"memory\":-5}", "key 'memory': not a size" },
		{ "{\"memory\":true}", "key 'memory': not a size" },
		{ "{\"registry-mirrors\":{\"a/b\":[]}}",
		  "key 'registry-mirrors': 'a/b' is no registry" },
		{ "{\"insecure-registries\":{}}",
		  "key 'insecure-registries': not a list of strings" },
		{ "{\"registry-mirrors\":\"x\"}",
		  "key 'registry-mirrors': not a list of strings" },
		{ "{\"registry-mirrors\":[\"x\",5]}",
		  "key 'registry-mirrors': not a list of strings" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_config c = { .cpus = 77 };
		struct fb_err err = { 0 };

		TAP_INT(parse(cases[i][0], &c, &err), -EINVAL,
			"refuses configuration %zu", i);
		TAP_OK(strstr(err.msg, cases[i][1]), "says why: %s", err.msg);
		TAP_INT(c.cpus, 77, "leaves the output");
	}
}

static void test_load(void)
{
	char dir[] = "/tmp/flamebox-test-XXXXXX";
	FB_FREE char *path = NULL;
	struct fb_err err = { 0 };
	struct fb_config c;

	if (!mkdtemp(dir) || !(path = fb_path_join(dir, "c.json"))) {
		TAP_OK(false, "make a folder");
		return;
	}
	TAP_INT(fb_config_load(path, &c, &err), -ENOENT,
		"a file that was named must be there");
	TAP_OK(strstr(err.msg, path), "it is named: %s", err.msg);
	(void)fb_write_file_at(AT_FDCWD, path, "{\"cpus\":2}", 10, 0600);
	TAP_INT(fb_config_load(path, &c, NULL), 0, "reads it");
	TAP_INT(c.cpus, 2, "what it says");
	fb_config_release(&c);
	(void)fb_write_file_at(AT_FDCWD, path, "{\"x\":2}", 7, 0600);
	TAP_INT(fb_config_load(path, &c, &err), -EINVAL, "a bad one");
	TAP_OK(strstr(err.msg, path) && strstr(err.msg, "unknown key 'x'"),
	       "file and key are named: %s", err.msg);
	(void)fb_rmtree_at(AT_FDCWD, dir);
}

int main(void)
{
	test_whole();
	test_empty();
	test_bad();
	test_load();
	return tap_done();
}
