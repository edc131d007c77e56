/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Platforms are compared in their normal form, by containerd's rules: an
 * image for a lower variant of the same architecture runs, one for a higher
 * variant does not.  One rule of containerd is left out: there amd64 also runs
 * 386 and arm64 also runs arm, which takes a kernel that does both.  The
 * guest's does not, and "no image for this platform" says more than "exec
 * format error".
 */
#include "oci/platform.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"

#define PART_MAX 31

/* architecture and variant as people write them → their normal form */
static const struct {
	const char *name;
	const char *variant; /* as given; NULL = any */
	const char *arch;
	const char *normal; /* the variant it becomes; NULL = stays */
} aliases[] = {
	{ "i386", NULL, "386", "" },
	{ "i686", NULL, "386", "" },
	{ "x86_64", "v1", "amd64", "" },
	{ "x86_64", NULL, "amd64", NULL },
	{ "x86-64", "v1", "amd64", "" },
	{ "x86-64", NULL, "amd64", NULL },
	{ "amd64", "v1", "amd64", "" },
	{ "aarch64", "8", "arm64", "" },
	{ "aarch64", "v8", "arm64", "" },
	{ "aarch64", "v8.0", "arm64", "" },
	{ "aarch64", NULL, "arm64", NULL },
	{ "arm64", "8", "arm64", "" },
	{ "arm64", "v8", "arm64", "" },
	{ "arm64", "v8.0", "arm64", "" },
	{ "arm64", "9", "arm64", "v9" },
	{ "arm64", "9.0", "arm64", "v9" },
	{ "arm64", "v9.0", "arm64", "v9" },
	{ "armhf", NULL, "arm", "v7" },
	{ "armel", NULL, "arm", "v6" },
	{ "arm", "", "arm", "v7" },
	{ "arm", "5", "arm", "v5" },
	{ "arm", "6", "arm", "v6" },
	{ "arm", "7", "arm", "v7" },
	{ "arm", "8", "arm", "v8" },
	/* what only uname(2) says */
	{ "armv5tel", NULL, "arm", "v5" },
	{ "armv6l", NULL, "arm", "v6" },
	{ "armv7l", NULL, "arm", "v7" },
	{ "armv8l", NULL, "arm", "v8" },
	{ "loongarch64", NULL, "loong64", "" },
};

static const char *const systems[] = {
	"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd", "solaris",
};

static const char *const architectures[] = {
	"386",	  "amd64",    "arm",   "arm64",	  "loong64", "mips",  "mips64",
	"mipsle", "mips64le", "ppc64", "ppc64le", "riscv64", "s390x", "wasm",
};

static bool listed(const char *const *list, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i], word))
			return true;
	return false;
}

/* the rest is zero: platforms are plain data that may be compared as such */
static void set_part(char *field, const char *text)
{
	memset(field, 0, PART_MAX + 1);
	(void)snprintf(field, PART_MAX + 1, "%s", text);
}

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

void fb_platform_normalize(struct fb_platform *p)
{
	lower(p->os);
	lower(p->arch);
	lower(p->variant);
	if (!strcmp(p->os, "macos"))
		set_part(p->os, "darwin");
	for (size_t i = 0; i < FB_ARRAY_SIZE(aliases); i++) {
		if (strcmp(p->arch, aliases[i].name) ||
		    (aliases[i].variant &&
		     strcmp(p->variant, aliases[i].variant)))
			continue;
		set_part(p->arch, aliases[i].arch);
		if (aliases[i].normal)
			set_part(p->variant, aliases[i].normal);
		return;
	}
}

void fb_platform_host(struct fb_platform *ret)
{
	struct fb_platform p = { .os = "linux", .arch = "unknown" };
	struct utsname uts;

	if (uname(&uts) == 0)
		(void)snprintf(p.arch, sizeof(p.arch), "%.*s", PART_MAX,
			       uts.machine);
	fb_platform_normalize(&p);
	*ret = p;
}

/* Return: 1 another part follows; 0 that was the last; -EINVAL */
static int next_part(const char **text, char *part)
{
	size_t n = strcspn(*text, "/");

	if (n < 1 || n > PART_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)(*text)[i]) &&
		    !strchr("_.-", (*text)[i]))
			return -EINVAL;
	memcpy(part, *text, n);
	part[n] = '\0';
	*text += n;
	if (!**text)
		return 0;
	(*text)++;
	return 1;
}

/* a single word is an architecture of Linux, or a system on this machine's */
static int from_word(const char *word, struct fb_platform *ret,
		     struct fb_err *err)
{
	struct fb_platform p = { .os = "linux" };

	set_part(p.arch, word);
	fb_platform_normalize(&p);
	if (!listed(architectures, FB_ARRAY_SIZE(architectures), p.arch)) {
		fb_platform_host(&p);
		set_part(p.os, word);
		fb_platform_normalize(&p);
		if (!listed(systems, FB_ARRAY_SIZE(systems), p.os))
			return fb_err_set(err, -EINVAL,
					  "invalid platform '%s': unknown "
					  "operating system or architecture",
					  word);
	}
	*ret = p;
	return 0;
}

int fb_platform_parse(const char *text, struct fb_platform *ret,
		      struct fb_err *err)
{
	struct fb_platform p = { 0 };
	char *const parts[] = { p.os, p.arch, p.variant };
	const char *at = text;
	size_t count = 0;
	int more = 1;

	while (more > 0 && count < FB_ARRAY_SIZE(parts))
		more = next_part(&at, parts[count++]);
	if (more)
		return fb_err_hint(err,
				   fb_err_set(err, -EINVAL,
					      "invalid platform '%.100s'",
					      text),
				   "write it as os/arch[/variant], such as "
				   "linux/arm64");
	if (count == 1)
		return from_word(p.os, ret, err);
	fb_platform_normalize(&p);
	*ret = p;
	return 0;
}

const char *fb_platform_format(const struct fb_platform *p, char out[100])
{
	(void)snprintf(out, 100, "%s/%s%s%s", p->os, p->arch,
		       p->variant[0] ? "/" : "", p->variant);
	return out;
}

/* at most two digits. Return: -1 where there is none */
static int two_digits(const char **text)
{
	int n = -1;

	for (int i = 0; i < 2 && isdigit((unsigned char)**text); i++, (*text)++)
		n = (n < 0 ? 0 : n * 10) + (**text - '0');
	return n;
}

/*
 * A variant as a number that grows with what it runs: "v7" is 700, "v8.2" is
 * 802, amd64's "" is v1's and arm64's "" is v8's; armv9.x is armv8.(x + 5).
 * Return: -1 where the variant is no number.
 */
static int variant_level(const struct fb_platform *p)
{
	const char *v = p->variant;
	int major, minor = 0;

	if (!v[0])
		return !strcmp(p->arch, "amd64")   ? 100
		       : !strcmp(p->arch, "arm64") ? 800
						   : 0;
	if (*v++ != 'v')
		return -1;
	major = two_digits(&v);
	if (*v == '.') {
		v++;
		minor = two_digits(&v);
	}
	if (*v || major < 0 || minor < 0)
		return -1;
	if (!strcmp(p->arch, "arm64") && major == 9)
		return 805 + minor;
	return major * 100 + minor;
}

int fb_platform_rank(const struct fb_platform *want,
		     const struct fb_platform *have)
{
	struct fb_platform w = *want, h = *have;
	int want_level, have_level;

	fb_platform_normalize(&w);
	fb_platform_normalize(&h);
	if (strcmp(w.os, h.os) || strcmp(w.arch, h.arch))
		return 0;
	if (!strcmp(w.variant, h.variant))
		return 100000;
	want_level = variant_level(&w);
	have_level = variant_level(&h);
	if (want_level < 0 || have_level < 0 || have_level > want_level)
		return 0;
	/* v9 and v8.5 are one level: v9 is tried first */
	return 1 + 2 * have_level + !strncmp(h.variant, "v9", 2);
}
