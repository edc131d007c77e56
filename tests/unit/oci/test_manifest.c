/* SPDX-License-Identifier: Apache-2.0 */
/* Index and manifest: what is taken, what is refused and with which words. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "oci/manifest.h"
#include "tap.h"

#define D1 \
	"sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 \
	"sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define DESC(type, digest, size)                                               \
	"{\"mediaType\":\"" type "\",\"digest\":\"" digest "\",\"size\":" size \
	"}"
#define CONFIG "\"config\":" DESC(FB_MT_OCI_CONFIG, D1, "7")
#define LAYER DESC(FB_MT_OCI_LAYER_GZIP, D2, "9")
#define V2 "\"schemaVersion\":2"
#define MANIFEST "{" V2 "," CONFIG ",\"layers\":[" LAYER "]}"
#define WITH_TYPE(type) \
	"{" V2 ",\"mediaType\":\"" type "\"," CONFIG ",\"layers\":[" LAYER "]}"
#define WITH_LAYER(layer) "{" V2 "," CONFIG ",\"layers\":[" layer "]}"
#define ENTRY(rest)                                                  \
	"{\"mediaType\":\"" FB_MT_OCI_MANIFEST "\",\"digest\":\"" D1 \
	"\",\"size\":5" rest "}"
#define INDEX(entries) "{" V2 ",\"manifests\":[" entries "]}"
#define OS_ARCH(os, arch) \
	",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\"}"

static void test_kinds(void)
{
	static const struct {
		const char *json;
		const char *type;
		enum fb_document kind;
	} cases[] = {
		{ MANIFEST, "", FB_DOC_MANIFEST },
		{ MANIFEST, FB_MT_OCI_MANIFEST, FB_DOC_MANIFEST },
		{ MANIFEST, FB_MT_OCI_MANIFEST "; charset=utf-8",
		  FB_DOC_MANIFEST },
		{ MANIFEST, FB_MT_DOCKER_MANIFEST, FB_DOC_MANIFEST },
		{ MANIFEST, "application/json", FB_DOC_MANIFEST },
		{ MANIFEST, FB_MT_OCI_INDEX, FB_DOC_UNKNOWN },
		{ MANIFEST, FB_MT_DOCKER_SCHEMA1, FB_DOC_UNKNOWN },
		{ WITH_TYPE(FB_MT_OCI_MANIFEST), "", FB_DOC_MANIFEST },
		{ WITH_TYPE(FB_MT_OCI_INDEX), "", FB_DOC_UNKNOWN },
		{ WITH_TYPE(FB_MT_OCI_INDEX), FB_MT_OCI_MANIFEST,
		  FB_DOC_UNKNOWN },
		{ WITH_TYPE("application/x-thing"), "", FB_DOC_UNKNOWN },
		{ INDEX(ENTRY("")), "", FB_DOC_INDEX },
		{ INDEX(ENTRY("")), FB_MT_DOCKER_LIST, FB_DOC_INDEX },
		{ INDEX(ENTRY("")), FB_MT_OCI_MANIFEST, FB_DOC_UNKNOWN },
		/* CVE-2021-41190: both at once */
		{ "{" V2 "," CONFIG ",\"layers\":[],\"manifests\":[]}", "",
		  FB_DOC_UNKNOWN },
		{ "{" V2 "," CONFIG ",\"layers\":[],\"manifests\":[]}",
		  FB_MT_OCI_MANIFEST, FB_DOC_UNKNOWN },
		{ "{\"schemaVersion\":1,\"fsLayers\":[],\"history\":[]}", "",
		  FB_DOC_SCHEMA1 },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}",
		  FB_MT_DOCKER_SCHEMA1_SIGNED, FB_DOC_SCHEMA1 },
		{ "{\"fsLayers\":[],\"layers\":[]}", "", FB_DOC_UNKNOWN },
		/* a signature: an image's config, something else as layers */
		{ WITH_LAYER(DESC("application/vnd.dev.cosign.simplesigning.v1"
				  "+json",
				  D2, "1")),
		  "", FB_DOC_ARTIFACT },
		{ "{" V2
		  ",\"config\":" DESC("application/vnd.oci.empty.v1+json", D1,
				      "2") ",\"layers\":[]}",
		  FB_MT_OCI_MANIFEST, FB_DOC_ARTIFACT },
		{ "{\"mediaType\":\"application/vnd.oci.artifact.manifest.v1"
		  "+json\",\"blobs\":[]}",
		  "", FB_DOC_ARTIFACT },
		/* a foreign layer makes no artifact of an image */
		{ WITH_LAYER(DESC(FB_MT_DOCKER_FOREIGN, D2, "1")), "",
		  FB_DOC_MANIFEST },
		{ "{}", "", FB_DOC_UNKNOWN },
		{ "{}", FB_MT_OCI_MANIFEST, FB_DOC_UNKNOWN },
		{ "[]", FB_MT_OCI_MANIFEST, FB_DOC_UNKNOWN },
		{ "", FB_MT_OCI_MANIFEST, FB_DOC_UNKNOWN },
		{ "<html>", "text/html", FB_DOC_UNKNOWN },
		{ "{\"mediaType\":5,\"layers\":[]}", "", FB_DOC_UNKNOWN },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++)
		TAP_INT(fb_document_kind(cases[i].json, strlen(cases[i].json),
					 cases[i].type),
			cases[i].kind, "kind of document %zu", i);
}

static void test_manifest(void)
{
	struct fb_manifest m;
	char out[FB_DIGEST_TEXT_MAX];
	static const char json[] =
		"{" V2 ",\"mediaType\":\"" FB_MT_DOCKER_MANIFEST "\",\"config\":"
		DESC(FB_MT_DOCKER_CONFIG, D1, "9223372036854775807")
		",\"layers\":[" DESC(FB_MT_DOCKER_LAYER_GZIP, D2, "0") ","
		DESC(FB_MT_OCI_LAYER, D1, "5000000000") "],\"annotations\":"
		"{\"a\":\"b\"},\"subject\":null}";

	if (!TAP_OK(fb_manifest_parse(json, strlen(json), &m, NULL) == 0,
		    "takes a manifest"))
		return;
	TAP_STR(m.media_type, FB_MT_DOCKER_MANIFEST, "its type");
	TAP_STR(fb_digest_format(&m.config.digest, out), D1, "its config");
	TAP_INT(m.config.size_bytes, INT64_MAX, "a size of 63 bits");
	TAP_INT(m.layer_count, 2, "its layers");
	TAP_STR(fb_digest_format(&m.layers[0].digest, out), D2, "in order");
	TAP_INT(m.layers[1].size_bytes, 5000000000, "sizes over 32 bits");
	fb_manifest_release(&m);
	TAP_OK(!m.layers && !m.layer_count, "released");
	TAP_INT(fb_manifest_parse("{" V2 "," CONFIG ",\"layers\":[]}",
				  strlen("{" V2 "," CONFIG ",\"layers\":[]}"),
				  &m, NULL),
		0, "an image of nothing");
	fb_manifest_release(&m);
}

static void test_bad_manifests(void)
{
	static const struct {
		const char *json;
		int code;
		const char *reason;
	} cases[] = {
		{ "", -EBADMSG, "line 1: " },
		{ "{", -EBADMSG, "line 1: " },
		{ "null", -EBADMSG, "" },
		{ "[]", -EBADMSG, "not an object" },
		{ MANIFEST "x", -EBADMSG, "line 1: " },
		{ "{\"a\":1,\"a\":2}", -EBADMSG, "duplicate" },
		{ "{\"a\":\"\\u0000\"}", -EBADMSG, "" },
		{ "{\"a\":\"\xff\"}", -EBADMSG, "unable to decode byte" },
		{ "{}", -EBADMSG, "config: missing" },
		{ "{" V2 ",\"layers\":[]}", -EBADMSG, "config: missing" },
		{ "{\"config\":5,\"layers\":[]}", -EBADMSG,
		  "config: not an object" },
		{ "{" V2 "," CONFIG "}", -EBADMSG, "'layers' is not a list" },
		{ "{" V2 "," CONFIG ",\"layers\":{}}", -EBADMSG,
		  "'layers' is not a list" },
		{ "{\"schemaVersion\":3," CONFIG ",\"layers\":[]}", -EBADMSG,
		  "schemaVersion is not 2" },
		{ "{\"schemaVersion\":\"2\"," CONFIG ",\"layers\":[]}",
		  -EBADMSG, "schemaVersion is not 2" },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", -EOPNOTSUPP,
		  "schema 1" },
		{ INDEX(""), -EBADMSG, "an index at the same time" },
		{ WITH_LAYER("null"), -EBADMSG, "layers 1: not an object" },
		{ WITH_LAYER(LAYER ",{}"), -EBADMSG, "layers 2: no digest" },
		{ WITH_LAYER(DESC(FB_MT_OCI_LAYER, "sha256:12", "1")), -EBADMSG,
		  "invalid checksum digest length" },
		{ WITH_LAYER(DESC(FB_MT_OCI_LAYER, "md5:12", "1")), -EBADMSG,
		  "unsupported digest algorithm" },
		{ WITH_LAYER(DESC(FB_MT_OCI_LAYER, D1, "-1")), -EBADMSG,
		  "is not a number of bytes" },
		{ WITH_LAYER(DESC(FB_MT_OCI_LAYER, D1, "1.0")), -EBADMSG,
		  "is not a number of bytes" },
		{ WITH_LAYER(DESC(FB_MT_OCI_LAYER, D1, "1e3")), -EBADMSG,
		  "is not a number of bytes" },
		{ WITH_LAYER(DESC(FB_MT_OCI_LAYER, D1, "\"5\"")), -EBADMSG,
		  "is not a number of bytes" },
		{ WITH_LAYER(DESC(FB_MT_OCI_LAYER, D1, "null")), -EBADMSG,
		  "is not a number of bytes" },
		{ WITH_LAYER(DESC(FB_MT_OCI_LAYER, D1, "9223372036854775808")),
		  -EBADMSG, "too big integer" },
		{ WITH_LAYER("{\"mediaType\":7,\"digest\":\"" D1
			     "\",\"size\":1}"),
		  -EBADMSG, "'mediaType' is not a string" },
		{ WITH_LAYER(DESC(FB_MT_DOCKER_FOREIGN, D1, "1")), -EOPNOTSUPP,
		  "layer 1 is foreign" },
		{ WITH_LAYER(LAYER "," DESC("application/pdf", D1, "1")),
		  -EOPNOTSUPP, "layer 2 is of type 'application/pdf'" },
		{ WITH_LAYER(DESC("", D1, "1")), -EOPNOTSUPP,
		  "layer 1 is of type ''" },
		{ "{" V2 ",\"config\":" DESC("application/x-chart", D1,
					     "1") ",\"layers\":[]}",
		  -EOPNOTSUPP, "an artifact of type 'application/x-chart'" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_manifest m = { .layer_count = 77 };
		struct fb_err err = { 0 };

		TAP_INT(fb_manifest_parse(cases[i].json, strlen(cases[i].json),
					  &m, &err),
			cases[i].code, "refuses manifest %zu", i);
		TAP_OK(strstr(err.msg, cases[i].reason), "says why: %s",
		       err.msg);
		TAP_INT(m.layer_count, 77, "leaves the output");
	}
}

/* @count copies of @item between @head and @tail, separated by commas */
static char *many(const char *head, const char *item, size_t count,
		  const char *tail)
{
	FB_STR struct fb_str s = FB_STR_INIT(1u << 26);

	fb_str_puts(&s, head);
	for (size_t i = 0; i < count; i++)
		fb_str_printf(&s, "%s%s", i ? "," : "", item);
	fb_str_puts(&s, tail);
	return fb_str_take(&s);
}

static int parse_many(const char *head, const char *item, size_t count,
		      const char *tail, bool index)
{
	FB_FREE char *json = many(head, item, count, tail);
	struct fb_manifest m = { 0 };
	struct fb_index x = { 0 };
	int r;

	if (!json)
		return -ENOMEM;
	r = index ? fb_index_parse(json, strlen(json), &x, NULL)
		  : fb_manifest_parse(json, strlen(json), &m, NULL);
	fb_manifest_release(&m);
	fb_index_release(&x);
	return r;
}

static void test_limits(void)
{
	const char *head = "{" V2 "," CONFIG ",\"layers\":[";

	TAP_INT(parse_many(head, LAYER, FB_LAYERS_MAX, "]}", false), 0,
		"as many layers as may be");
	TAP_INT(parse_many(head, LAYER, FB_LAYERS_MAX + 1, "]}", false), -E2BIG,
		"one more");
	TAP_INT(parse_many("{" V2 ",\"manifests\":[", ENTRY(""),
			   FB_INDEX_ENTRIES_MAX, "]}", true),
		0, "as many entries as may be");
	TAP_INT(parse_many("{" V2 ",\"manifests\":[", ENTRY(""),
			   FB_INDEX_ENTRIES_MAX + 1, "]}", true),
		-E2BIG, "one more");
	TAP_INT(parse_many("{\"x\":\"", "y", (2u << 20) - 8, "\"}", false),
		-EBADMSG, "4 MiB are read");
	TAP_INT(parse_many("{\"x\":\"", "y", (2u << 20) + 8, "\"}", false),
		-E2BIG, "more are not");
	TAP_INT(parse_many("{\"x\":[", "[]", 200000, "]}", false), -E2BIG,
		"not a million small values");
	TAP_INT(parse_many("", "[", 1, "", false), -EBADMSG, "an open bracket");
}

static void test_depth(void)
{
	FB_STR struct fb_str s = FB_STR_INIT(1u << 20);
	struct fb_err err = { 0 };
	struct fb_manifest m;

	fb_str_puts(&s,
		    "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\","
		    "\"b\":");
	for (int i = 0; i < 100; i++)
		fb_str_putc(&s, '[');
	TAP_INT(fb_manifest_parse(fb_str_cstr(&s), s.len, &m, &err), -EBADMSG,
		"refuses a hundred levels");
	TAP_OK(strstr(err.msg, "nested over"), "says why: %s", err.msg);
	fb_str_truncate(&s, 0);
	fb_str_puts(&s,
		    "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"," V2
		    "," CONFIG ",\"layers\":[]}");
	TAP_INT(fb_manifest_parse(fb_str_cstr(&s), s.len, &m, NULL), 0,
		"brackets in a string are none");
	fb_manifest_release(&m);
}

static void test_index(void)
{
	static const char json[] = INDEX(ENTRY(OS_ARCH("linux", "amd64")) "," ENTRY(
		",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\","
		"\"variant\":\"v6\",\"os.features\":[\"x\"]},"
		"\"annotations\":{\"org.opencontainers.image.ref.name\":"
		"\"3.19\",\"io.containerd.image.name\":\"docker.io/a:b\"}"));
	struct fb_index x;

	if (!TAP_OK(fb_index_parse(json, strlen(json), &x, NULL) == 0,
		    "takes an index"))
		return;
	TAP_INT(x.manifest_count, 2, "of two");
	TAP_STR(x.manifests[0].platform.arch, "amd64", "first");
	TAP_STR(x.manifests[0].ref_name, "", "without a name");
	TAP_STR(x.manifests[1].platform.variant, "v6", "second");
	TAP_STR(x.manifests[1].ref_name, "3.19", "with a name");
	TAP_STR(x.manifests[1].image_name, "docker.io/a:b", "and containerd's");
	fb_index_release(&x);
}

static void test_bad_indexes(void)
{
	static const char *const cases[][2] = {
		{ "{}", "'manifests' is not a list" },
		{ "{\"manifests\":null}", "'manifests' is not a list" },
		{ MANIFEST, "index is a manifest at the same time" },
		{ "{\"schemaVersion\":1,\"manifests\":[]}",
		  "schemaVersion is not 2" },
		{ INDEX("{}"), "manifests 1: no digest" },
		{ INDEX(ENTRY(",\"platform\":\"linux\"")),
		  "'platform' is not an object" },
		{ INDEX(ENTRY(",\"platform\":{\"os\":5}")),
		  "'os' is not a string" },
		{ INDEX(ENTRY(OS_ARCH("linux",
				      "0123456789012345678901234567890"
				      "1"))),
		  "'architecture' is over 31 bytes" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_index x = { .manifest_count = 77 };
		struct fb_err err = { 0 };

		TAP_INT(fb_index_parse(cases[i][0], strlen(cases[i][0]), &x,
				       &err),
			-EBADMSG, "refuses index %zu", i);
		TAP_OK(strstr(err.msg, cases[i][1]), "says why: %s", err.msg);
		TAP_INT(x.manifest_count, 77, "leaves the output");
	}
}

#define ATTESTATION ENTRY(OS_ARCH("unknown", "unknown"))
#define NESTED                                                    \
	"{\"mediaType\":\"" FB_MT_OCI_INDEX "\",\"digest\":\"" D1 \
	"\",\"size\":5}"
#define VARIANT(v)                                                        \
	ENTRY(",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\"," \
	      "\"variant\":\"" v "\"}")

static void test_select(void)
{
	static const struct {
		const char *json;
		const char *want;
		int place; /* of the entry; -ENOENT */
	} cases[] = {
		{ INDEX(ENTRY(OS_ARCH("windows", "amd64")) "," ENTRY(
			  OS_ARCH("linux", "386")) "," ENTRY(OS_ARCH("linux",
								     "amd64"))),
		  "linux/amd64", 2 },
		{ INDEX(VARIANT("v5") "," VARIANT("v8") "," VARIANT(
			  "v6") "," VARIANT("v7")),
		  "linux/arm/v7", 3 },
		{ INDEX(VARIANT("v5") "," VARIANT("v8") "," VARIANT("v6")),
		  "linux/arm/v7", 2 },
		{ INDEX(VARIANT("v8")), "linux/arm/v7", -ENOENT },
		/* the first of two equals, as containerd has it */
		{ INDEX(ENTRY(OS_ARCH("linux", "amd64")) "," ENTRY(
			  OS_ARCH("linux", "x86_64"))),
		  "linux/amd64", 0 },
		{ INDEX(ATTESTATION "," ENTRY(OS_ARCH("linux", "arm64"))),
		  "linux/arm64", 1 },
		{ INDEX(ATTESTATION), "linux/amd64", -ENOENT },
		{ INDEX(""), "linux/amd64", -ENOENT },
		/* an entry without a platform serves when nothing else does */
		{ INDEX(ENTRY("")), "linux/amd64", 0 },
		{ INDEX(ENTRY("") "," ENTRY(OS_ARCH("linux", "amd64"))),
		  "linux/amd64", 1 },
		{ INDEX(ENTRY(OS_ARCH("linux", "arm64")) "," ENTRY("")),
		  "linux/amd64", 1 },
		{ INDEX(NESTED "," ENTRY("")), "linux/amd64", 1 },
		{ INDEX(NESTED), "linux/amd64", -ENOENT },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		const struct fb_descriptor *entry = NULL;
		struct fb_platform want;
		struct fb_index x = { 0 };
		int r;

		(void)fb_platform_parse(cases[i].want, &want, NULL);
		if (fb_index_parse(cases[i].json, strlen(cases[i].json), &x,
				   NULL) < 0)
			printf("# bad test %zu\n", i);
		r = fb_index_select(&x, &want, &entry, NULL);
		TAP_INT(r < 0 ? r : (int)(entry - x.manifests), cases[i].place,
			"selection %zu", i);
		fb_index_release(&x);
	}
}

static void test_select_text(void)
{
	static const char json[] = INDEX(ATTESTATION "," ENTRY(
		OS_ARCH("linux", "amd64")) "," VARIANT("v6"));
	const struct fb_descriptor *entry;
	struct fb_platform want = { .os = "linux", .arch = "s390x" };
	struct fb_err err = { 0 };
	struct fb_index x = { 0 };
	FB_FREE char *big =
		many("{" V2 ",\"manifests\":[",
		     ENTRY(OS_ARCH("linux", "mips64le")), 900, "]}");

	(void)fb_index_parse(json, strlen(json), &x, NULL);
	TAP_INT(fb_index_select(&x, &want, &entry, &err), -ENOENT, "no match");
	TAP_STR(err.msg,
		"no image for linux/s390x; there is linux/amd64, linux/arm/v6",
		"lists what there is");
	fb_index_release(&x);
	(void)fb_index_parse(big, strlen(big), &x, NULL);
	TAP_INT(fb_index_select(&x, &want, &entry, &err), -ENOENT, "no match");
	TAP_OK(!strcmp(err.msg + strlen(err.msg) - 5, ", ..."),
	       "a long list is cut");
	fb_index_release(&x);
}

static void test_layer_types(void)
{
	TAP_INT(fb_layer_compression(FB_MT_OCI_LAYER), FB_LAYER_PLAIN, "plain");
	TAP_INT(fb_layer_compression(FB_MT_DOCKER_LAYER_GZIP), FB_LAYER_GZIP,
		"gzip");
	TAP_INT(fb_layer_compression(FB_MT_OCI_LAYER_ZSTD), FB_LAYER_ZSTD,
		"zstd");
	TAP_INT(fb_layer_compression(FB_MT_OCI_LAYER "+lz4"), FB_LAYER_UNKNOWN,
		"lz4");
	TAP_INT(fb_layer_compression(FB_MT_OCI_LAYER_GZIP "+encrypted"),
		FB_LAYER_UNKNOWN, "encrypted");
	TAP_OK(fb_layer_is_foreign(FB_MT_DOCKER_FOREIGN), "foreign");
	TAP_OK(fb_layer_is_foreign("application/vnd.oci.image.layer."
				   "nondistributable.v1.tar+gzip"),
	       "nondistributable");
	TAP_OK(!fb_layer_is_foreign(FB_MT_OCI_LAYER), "not foreign");
}

int main(void)
{
	test_kinds();
	test_manifest();
	test_bad_manifests();
	test_limits();
	test_depth();
	test_index();
	test_bad_indexes();
	test_select();
	test_select_text();
	test_layer_types();
	return tap_done();
}
