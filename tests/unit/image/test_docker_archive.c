/* SPDX-License-Identifier: Apache-2.0 */
#include "image/docker_archive.h"

#include <errno.h>

#include "image/load_internal.h"
#include "tap.h"

static void test_clean(void)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{ "a", "a" },	      { "./a//b/", "a/b" },
		{ "/a/./b", "a/b" },  { "", "" },
		{ "./", "" },	      { "a/../b", NULL },
		{ "..", NULL },	      { "../a", NULL },
		{ "a/..", NULL },     { "..a/b..", "..a/b.." },
		{ ".../a", ".../a" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_FREE char *got = fb_member_clean(cases[i].in);

		TAP_STR(got, cases[i].want, "clean '%s'", cases[i].in);
	}
}

static void test_target(void)
{
	static const struct {
		const char *name, *link, *want;
	} cases[] = {
		{ "a/layer.tar", "../b.tar", "b.tar" },
		{ "a/layer.tar", "../b/layer.tar", "b/layer.tar" },
		{ "a/layer.tar", "b.tar", "a/b.tar" },
		{ "a/layer.tar", "./b.tar", "a/b.tar" },
		{ "a/b/c", "../../d", "d" },
		{ "a/b/c", "../../../d", NULL },
		{ "a", "../d", NULL },
		{ "a/b", "/etc/passwd", NULL },
		{ "a/b", "c/../../d", NULL },
		{ "a", "b", "b" },
		{ "a/b", "..", NULL },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_FREE char *got =
			fb_member_target(cases[i].name, cases[i].link);

		TAP_STR(got, cases[i].want, "'%s' → '%s'", cases[i].name,
			cases[i].link);
	}
}

static void test_parse(void)
{
	const char text[] =
		"[{\"Config\":\"./c.json\",\"RepoTags\":[\"a:1\",\"b:2\"],"
		"\"Layers\":[\"x/layer.tar\",\"/y.tar\"],\"LayerSources\":{}},"
		"{\"Config\":\"d.json\",\"RepoTags\":null}]\n";
	struct fb_docker_archive a = { 0 };
	struct fb_err err = { 0 };
	int r = fb_docker_archive_parse(text, strlen(text), &a, &err);

	TAP_INT(r, 0, "what docker writes %s", err.msg);
	TAP_INT(a.image_count, 2, "two images");
	if (a.image_count == 2) {
		TAP_STR(a.images[0].config, "c.json", "config");
		TAP_INT(a.images[0].tags.count, 2, "two tags");
		TAP_STR(a.images[0].layers.v[1], "y.tar", "layers, cleaned");
		TAP_INT(a.images[1].tags.count + a.images[1].layers.count, 0,
			"none of either");
	}
	fb_docker_archive_release(&a);
}

static void test_parse_refuses(void)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "{}", -EBADMSG },
		{ "[1]", -EBADMSG },
		{ "[{}]", -EBADMSG },
		{ "[{\"Config\":\"\"}]", -EBADMSG },
		{ "[{\"Config\":1}]", -EBADMSG },
		{ "[{\"Config\":\"../c\"}]", -EBADMSG },
		{ "[{\"Config\":\"c\",\"Layers\":[\"../../etc/passwd\"]}]",
		  -EBADMSG },
		{ "[{\"Config\":\"c\",\"Layers\":[null]}]", -EBADMSG },
		{ "[{\"Config\":\"c\",\"Layers\":\"x\"}]", -EBADMSG },
		{ "[{\"Config\":\"c\",\"RepoTags\":[1]}]", -EBADMSG },
		{ "[{\"Config\":\"c\"}", -EBADMSG },
		{ "[{\"Config\":\"c\"}],\"x\":1", -EBADMSG },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_docker_archive a = { 0 };
		struct fb_err err = { 0 };
		int r = fb_docker_archive_parse(
			cases[i].text, strlen(cases[i].text), &a, &err);

		TAP_INT(r, cases[i].code, "'%s': %s", cases[i].text, err.msg);
		TAP_OK(err.msg[0] != '\0', "with a text");
	}
}

static void test_parse_limits(void)
{
	FB_STR struct fb_str text = FB_STR_INIT(1 << 20);
	struct fb_docker_archive a = { 0 };
	struct fb_err err = { 0 };

	fb_str_puts(&text, "[{\"Config\":\"c\",\"Layers\":[\"0\"");
	for (int i = 1; i < FB_LAYERS_MAX + 1; i++)
		fb_str_printf(&text, ",\"%d\"", i);
	fb_str_puts(&text, "]}]");
	TAP_INT(fb_docker_archive_parse(text.buf, text.len, &a, &err), -E2BIG,
		"%s", err.msg);
	fb_str_truncate(&text, 0);
	fb_str_puts(&text, "[{\"Config\":\"c\"}");
	for (int i = 0; i < FB_DOCKER_ARCHIVE_IMAGES_MAX; i++)
		fb_str_puts(&text, ",{\"Config\":\"c\"}");
	fb_str_puts(&text, "]");
	TAP_INT(fb_docker_archive_parse(text.buf, text.len, &a, &err), -E2BIG,
		"%s", err.msg);
	TAP_INT(fb_docker_archive_parse("", FB_DOCKER_ARCHIVE_JSON_MAX + 1, &a,
					&err),
		-E2BIG, "%s", err.msg);
}

static void test_manifest(void)
{
	FB_STR struct fb_str json = FB_STR_INIT(65536);
	struct fb_docker_layer layers[3] = {
		{ .size_bytes = 1, .compression = FB_LAYER_PLAIN },
		{ .size_bytes = 2, .compression = FB_LAYER_GZIP },
		{ .size_bytes = 3, .compression = FB_LAYER_ZSTD },
	};
	struct fb_digest config = { .set = true };
	struct fb_manifest m = { 0 };
	struct fb_err err = { 0 };
	static const char z[] =
		"sha256:0000000000000000000000000000000000000000"
		"000000000000000000000000";
	FB_FREE char *want = NULL;

	for (int i = 0; i < 3; i++)
		layers[i].digest.set = true;
	TAP_INT(fb_docker_archive_manifest(&config, 9, layers, 3, &json, &err),
		0, "make one");
	if (asprintf(&want,
		     "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci."
		     "image.manifest.v1+json\",\"config\":{\"mediaType\":"
		     "\"application/vnd.oci.image.config.v1+json\",\"digest\":"
		     "\"%s\",\"size\":9},\"layers\":[{\"mediaType\":"
		     "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":"
		     "\"%s\",\"size\":1},{\"mediaType\":\"application/vnd.oci."
		     "image.layer.v1.tar+gzip\",\"digest\":\"%s\",\"size\":2},"
		     "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+"
		     "zstd\",\"digest\":\"%s\",\"size\":3}]}",
		     z, z, z, z) < 0)
		abort();
	TAP_STR(json.buf, want, "these bytes and no others");
	TAP_INT(fb_manifest_parse(json.buf, json.len, &m, &err), 0,
		"it is a manifest %s", err.msg);
	TAP_INT(m.layer_count, 3, "of three layers");
	fb_manifest_release(&m);
}

static void test_base_name(void)
{
	static const struct {
		const char *path, *want;
	} cases[] = {
		{ "/nowhere/Busybox.tar.gz", "busybox" },
		{ "busy-box_1.tar", "busy-box_1" },
		{ "x.tgz", "x" },
		{ "x.tar.zst", "x" },
		{ "x.oci", "x" },
		{ "dir/.tar", "" },
		{ "a b.tar", "" },
		{ "/", "" },
		{ "a:b.tar", "" },
		{ "-x.tar", "" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		FB_FREE char *got = fb_load_base_name(cases[i].path);

		TAP_STR(got, cases[i].want, "'%s' is called '%s'",
			cases[i].path, cases[i].want);
	}
}

static void test_layout(void)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "{\"imageLayoutVersion\":\"1.0.0\"}", 0 },
		{ "{\"imageLayoutVersion\":\"1.1.0\",\"x\":[]}\n", 0 },
		{ "{\"imageLayoutVersion\":\"2.0.0\"}", -EOPNOTSUPP },
		{ "{\"imageLayoutVersion\":1}", -EBADMSG },
		{ "{}", -EBADMSG },
		{ "", -EBADMSG },
		{ "[]", -EBADMSG },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_err err = { 0 };

		TAP_INT(fb_oci_layout_check(cases[i].text,
					    strlen(cases[i].text), &err),
			cases[i].code, "oci-layout '%s' %s", cases[i].text,
			err.msg);
	}
}

int main(void)
{
	test_clean();
	test_target();
	test_parse();
	test_parse_refuses();
	test_parse_limits();
	test_manifest();
	test_base_name();
	test_layout();
	return tap_done();
}
