/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/digest.h"
#include "tap.h"

#define HEX32 "0123456789abcdef0123456789abcdef"
#define EMPTY \
	"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const struct {
	const char *text;
	int code;
	const char *reason;
} bad[] = {
	{ "", -EINVAL, "invalid checksum digest format" },
	{ "sha256", -EINVAL, "invalid checksum digest format" },
	{ "sha256:", -EINVAL, "invalid checksum digest format" },
	{ ":" HEX32 HEX32, -EINVAL, "invalid checksum digest format" },
	{ "SHA256:" HEX32 HEX32, -EINVAL, "invalid checksum digest format" },
	{ " sha256:" HEX32 HEX32, -EINVAL, "invalid checksum digest format" },
	{ "sha256:" HEX32 HEX32 " ", -EINVAL,
	  "invalid checksum digest length" },
	{ "sha256:" HEX32, -EINVAL, "invalid checksum digest length" },
	{ "sha256:" HEX32 HEX32 HEX32, -EINVAL,
	  "invalid checksum digest length" },
	{ "sha512:" HEX32 HEX32, -EINVAL, "invalid checksum digest length" },
	{ "sha256:0123456789abcdef0123456789abcdef0123456789abcdef"
	  "0123456789abcdeF",
	  -EINVAL, "invalid checksum digest format" },
	{ "sha256:0123456789abcdef0123456789abcdef0123456789abcdef"
	  "0123456789abcde/",
	  -EINVAL, "invalid checksum digest format" },
	{ "md5:" HEX32, -EOPNOTSUPP, "unsupported digest algorithm" },
	{ "sha384:" HEX32 HEX32 HEX32, -EOPNOTSUPP,
	  "unsupported digest algorithm" },
	{ "blake3+x:" HEX32, -EOPNOTSUPP, "unsupported digest algorithm" },
};

static void test_bad(void)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++) {
		struct fb_digest d = { 0 };
		struct fb_err err = { 0 };

		TAP_INT(fb_digest_parse(bad[i].text, &d, &err), bad[i].code,
			"refuses '%s'", bad[i].text);
		TAP_OK(strstr(err.msg, bad[i].reason), "says why: %s", err.msg);
		TAP_OK(!d.set, "leaves the output");
	}
}

static void test_good(void)
{
	static const char *const texts[] = {
		"sha256:" HEX32 HEX32,
		"sha512:" HEX32 HEX32 HEX32 HEX32,
	};
	char out[FB_DIGEST_TEXT_MAX];
	struct fb_digest d[2];

	for (size_t i = 0; i < 2; i++) {
		TAP_INT(fb_digest_parse(texts[i], &d[i], NULL), 0, "takes %s",
			texts[i]);
		TAP_STR(fb_digest_format(&d[i], out), texts[i], "and back");
		TAP_STR(fb_digest_hex(&d[i], out), strchr(texts[i], ':') + 1,
			"its digits");
		TAP_OK(fb_digest_equal(&d[i], &d[i]), "equals itself");
	}
	TAP_OK(!fb_digest_equal(&d[0], &d[1]), "differ by algorithm");
	d[1] = d[0];
	d[1].hash[31] ^= 1;
	TAP_OK(!fb_digest_equal(&d[0], &d[1]), "differ by a bit");
}

static void test_empty(void)
{
	char out[FB_DIGEST_TEXT_MAX] = "x";
	struct fb_digest none = { 0 }, d;

	TAP_STR(fb_digest_format(&none, out), "", "an empty one is ''");
	TAP_OK(!fb_digest_equal(&none, &none), "and equals nothing");
	TAP_INT(fb_digest_of("", 0, &d), 0, "digest of nothing");
	TAP_STR(fb_digest_format(&d, out), EMPTY, "is the known one");
}

int main(void)
{
	test_bad();
	test_good();
	test_empty();
	return tap_done();
}
