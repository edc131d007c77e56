/* SPDX-License-Identifier: Apache-2.0 */
/* What docker 28 makes of these texts, error words included. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/reference.h"
#include "tap.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA256 "sha256:" HEX64
#define SHA512 "sha512:" HEX64 HEX64

static const struct {
	const char *text;
	const char *canonical;
	const char *familiar;
	const char *repository;
} good[] = {
	{ "alpine", "docker.io/library/alpine:latest", "alpine:latest",
	  "alpine" },
	{ "alpine:3", "docker.io/library/alpine:3", "alpine:3", "alpine" },
	{ "docker.io/alpine", "docker.io/library/alpine:latest",
	  "alpine:latest", "alpine" },
	{ "index.docker.io/alpine", "docker.io/library/alpine:latest",
	  "alpine:latest", "alpine" },
	{ "index.docker.io/foo/bar", "docker.io/foo/bar:latest",
	  "foo/bar:latest", "foo/bar" },
	{ "docker.io/library/alpine", "docker.io/library/alpine:latest",
	  "alpine:latest", "alpine" },
	{ "library/alpine", "docker.io/library/alpine:latest", "alpine:latest",
	  "alpine" },
	{ "library/foo/bar", "docker.io/library/foo/bar:latest",
	  "library/foo/bar:latest", "library/foo/bar" },
	{ "foo/bar:a.B_c-d", "docker.io/foo/bar:a.B_c-d", "foo/bar:a.B_c-d",
	  "foo/bar" },
	/* its short form would be another registry's */
	{ "docker.io/a.b/c", "docker.io/a.b/c:latest", "docker.io/a.b/c:latest",
	  "docker.io/a.b/c" },
	{ "docker.io/localhost/c", "docker.io/localhost/c:latest",
	  "docker.io/localhost/c:latest", "docker.io/localhost/c" },
	/* docker keeps this name apart from Docker Hub's */
	{ "registry-1.docker.io/library/alpine",
	  "registry-1.docker.io/library/alpine:latest",
	  "registry-1.docker.io/library/alpine:latest",
	  "registry-1.docker.io/library/alpine" },
	{ "localhost/a", "localhost/a:latest", "localhost/a:latest",
	  "localhost/a" },
	/* no slash: a tag, not a port */
	{ "localhost:5000", "docker.io/library/localhost:5000",
	  "localhost:5000", "localhost" },
	{ "localhost:5000/a/b:1", "localhost:5000/a/b:1",
	  "localhost:5000/a/b:1", "localhost:5000/a/b" },
	{ "a:5000/b", "a:5000/b:latest", "a:5000/b:latest", "a:5000/b" },
	{ "127.0.0.1:5000/x", "127.0.0.1:5000/x:latest",
	  "127.0.0.1:5000/x:latest", "127.0.0.1:5000/x" },
	{ "[::1]/a", "[::1]/a:latest", "[::1]/a:latest", "[::1]/a" },
	{ "[fe80::1]:5000/a:t", "[fe80::1]:5000/a:t", "[fe80::1]:5000/a:t",
	  "[fe80::1]:5000/a" },
	{ "my-registry.example/x", "my-registry.example/x:latest",
	  "my-registry.example/x:latest", "my-registry.example/x" },
	/* an upper-case letter makes it a host */
	{ "LOCALHOST/x", "LOCALHOST/x:latest", "LOCALHOST/x:latest",
	  "LOCALHOST/x" },
	{ "Foo/bar", "Foo/bar:latest", "Foo/bar:latest", "Foo/bar" },
	{ "a.b.c", "docker.io/library/a.b.c:latest", "a.b.c:latest", "a.b.c" },
	{ "a__b-c--d.e_f", "docker.io/library/a__b-c--d.e_f:latest",
	  "a__b-c--d.e_f:latest", "a__b-c--d.e_f" },
	{ "a/" HEX64, "docker.io/a/" HEX64 ":latest", "a/" HEX64 ":latest",
	  "a/" HEX64 },
	{ HEX64 ":t", "docker.io/library/" HEX64 ":t", HEX64 ":t", HEX64 },
	{ "a@" SHA256, "docker.io/library/a@" SHA256, "a@" SHA256, "a" },
	{ "a:t@" SHA256, "docker.io/library/a:t@" SHA256, "a:t@" SHA256, "a" },
	{ "x.io/a@" SHA512, "x.io/a@" SHA512, "x.io/a@" SHA512, "x.io/a" },
};

static const struct {
	const char *text;
	const char *reason; /* is in the message */
} bad[] = {
	{ "", "invalid reference format" },
	{ ":", "invalid reference format" },
	{ "a:", "invalid reference format" },
	{ "a@", "invalid reference format" },
	{ "/", "invalid reference format" },
	{ "/a", "invalid reference format" },
	{ "a/", "invalid reference format" },
	{ "a//b", "invalid reference format" },
	{ "a b", "invalid reference format" },
	{ " a", "invalid reference format" },
	{ "a\n", "invalid reference format" },
	{ "-a", "invalid reference format" },
	{ "a-", "invalid reference format" },
	{ "a..b", "invalid reference format" },
	{ "a___b", "invalid reference format" },
	{ "a._b", "invalid reference format" },
	{ "a:b:c", "invalid reference format" },
	{ "a:-x", "invalid reference format" },
	{ "a:.x", "invalid reference format" },
	{ "a:x/y", "invalid reference format" },
	{ "a@b", "invalid reference format" },
	{ "a@sha256:abc", "invalid reference format" },
	{ "a@@" SHA256, "invalid reference format" },
	{ "a@" SHA256 "x", "invalid reference format" },
	{ "a@" SHA256 ":t", "invalid reference format" },
	{ "https://a.example/b", "invalid reference format" },
	{ "a..b/c", "invalid reference format" },
	{ "-a.example/c", "invalid reference format" },
	{ "a-.example/c", "invalid reference format" },
	{ "a.example:/c", "invalid reference format" },
	{ "a.example:x/c", "invalid reference format" },
	{ "[::1/a", "invalid reference format" },
	{ "[]/a", "invalid reference format" },
	{ "[::g]/a", "invalid reference format" },
	{ "\xc3\xa9", "invalid reference format" },
	{ "Alpine",
	  "invalid reference format: repository name "
	  "(library/Alpine) must be lowercase" },
	{ "foo/Bar:1",
	  "invalid reference format: repository name (foo/Bar) "
	  "must be lowercase" },
	{ "x.io/Bar",
	  "invalid reference format: repository name (Bar) must "
	  "be lowercase" },
	{ HEX64, "invalid repository name (" HEX64 "), cannot specify 64-byte "
		 "hexadecimal strings" },
	{ "a@sha256:"
	  "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"
	  "0123456789ABCDEF",
	  "invalid checksum digest format" },
	{ "a@sha256:0123456789abcdef0123456789abcdef",
	  "invalid checksum digest length" },
	{ "a@md5:0123456789abcdef0123456789abcdef",
	  "unsupported digest algorithm" },
};

static void test_good(void)
{
	char out[FB_REFERENCE_TEXT_MAX];
	struct fb_reference ref, again;

	for (size_t i = 0; i < FB_ARRAY_SIZE(good); i++) {
		struct fb_err err = { 0 };

		if (!TAP_OK(fb_reference_parse(good[i].text, &ref, &err) == 0,
			    "takes '%s'", good[i].text)) {
			printf("# %s\n", err.msg);
			continue;
		}
		TAP_STR(fb_reference_familiar(&ref, out), good[i].familiar,
			"'%s' familiar", good[i].text);
		TAP_STR(fb_reference_repository(&ref, out), good[i].repository,
			"'%s' repository", good[i].text);
		TAP_STR(fb_reference_canonical(&ref, out), good[i].canonical,
			"'%s' canonical", good[i].text);
		TAP_OK(fb_reference_parse(out, &again, NULL) == 0 &&
			       !memcmp(&ref, &again, sizeof(ref)),
		       "'%s' comes back from its canonical form", good[i].text);
	}
}

static void test_bad(void)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++) {
		struct fb_reference ref = { .domain = "untouched" };
		struct fb_err err = { 0 };

		TAP_INT(fb_reference_parse(bad[i].text, &ref, &err), -EINVAL,
			"refuses bad text %zu", i);
		if (!TAP_OK(strstr(err.msg, bad[i].reason), "says why (%zu)",
			    i))
			printf("# got  '%s'\n# want '%s'\n", err.msg,
			       bad[i].reason);
		TAP_STR(ref.domain, "untouched", "leaves the output (%zu)", i);
	}
}

static char *repeat(const char *prefix, char c, size_t count)
{
	size_t n = strlen(prefix);
	char *s = malloc(n + count + 1);

	if (!s)
		abort();
	memcpy(s, prefix, n);
	memset(s + n, c, count);
	s[n + count] = '\0';
	return s;
}

static int parse_long(const char *prefix, size_t count, const char *suffix,
		      struct fb_err *err)
{
	FB_FREE char *head = repeat(prefix, 'a', count);
	FB_FREE char *text = repeat(head, 'x', strlen(suffix));
	struct fb_reference ref;

	memcpy(text + strlen(head), suffix, strlen(suffix));
	return fb_reference_parse(text, &ref, err);
}

static void test_lengths(void)
{
	struct fb_err err = { 0 };

	TAP_INT(parse_long("x.io/", 255, "", &err), 0, "a path of 255 bytes");
	TAP_INT(parse_long("x.io/", 256, "", &err), -EINVAL, "not of 256");
	TAP_OK(strstr(err.msg,
		      "repository name must not be more than 255 "
		      "characters"),
	       "with docker's words");
	TAP_INT(parse_long("", 247, "", &err), 0, "library/ counts: 247");
	TAP_INT(parse_long("", 248, "", &err), -EINVAL, "library/ counts: 248");
	TAP_INT(parse_long("a:", 128, "", &err), 0, "a tag of 128 bytes");
	TAP_INT(parse_long("a:", 129, "", &err), -EINVAL, "not of 129");
	TAP_INT(parse_long("", 255 - 5, ".b:1/c", &err), 0, "a domain of 254");
	TAP_INT(parse_long("", 300, ".b/c", &err), -EINVAL, "not of 302");
	TAP_INT(parse_long("a/", 1000000, "", &err), -EINVAL, "not a megabyte");
}

/* the longest parts fit the buffer that the functions fill */
static void test_longest(void)
{
	char out[FB_REFERENCE_TEXT_MAX];
	FB_FREE char *domain = repeat("", 'd', 253);
	FB_FREE char *path = repeat("", 'p', 255);
	FB_FREE char *tag = repeat("", 't', 128);
	FB_FREE char *text = NULL;
	struct fb_reference ref;

	if (asprintf(&text, "%s.d/%s:%s@" SHA512, domain, path, tag) < 0)
		abort();
	TAP_INT(fb_reference_parse(text, &ref, NULL), 0, "the longest of all");
	TAP_STR(fb_reference_canonical(&ref, out), text, "is not cut");
}

static void test_loopback(void)
{
	static const struct {
		const char *text;
		bool loopback;
	} cases[] = {
		{ "localhost/a", true },
		{ "localhost:5000/a", true },
		{ "LOCALHOST:5000/a", true },
		{ "127.0.0.1/a", true },
		{ "127.1.2.3:5000/a", true },
		{ "[::1]/a", true },
		{ "[::1]:5000/a", true },
		{ "127.example.org/a", false },
		{ "localhost.example/a", false },
		{ "[::2]/a", false },
		{ "128.0.0.1/a", false },
		{ "alpine", false },
		{ "1127.0.0.1/a", false },
	};
	struct fb_reference ref;

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++)
		TAP_OK(fb_reference_parse(cases[i].text, &ref, NULL) == 0 &&
			       fb_reference_is_loopback(&ref) ==
				       cases[i].loopback,
		       "'%s' is %sloopback", cases[i].text,
		       cases[i].loopback ? "" : "not ");
}

int main(void)
{
	test_good();
	test_bad();
	test_lengths();
	test_longest();
	test_loopback();
	return tap_done();
}
