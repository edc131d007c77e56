/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/platform.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* what containerd's platforms.normalizeArch() knows */
static const struct {
	const char *name;
	const char *variant; /* as given; NULL = any */
	const char *arch;
	const char *normal; /* the variant it becomes; NULL = stays */
} aliases[] = {
	{ "i386", NULL, "386", "" },
	{ "i686", NULL, "386", "" },
	{ "x86_64", "v1", "amd64", "" },
	{ "x86-64", "v1", "amd64", "" },
	{ "amd64", "v1", "amd64", "" },
	{ "x86_64", NULL, "amd64", NULL },
	{ "x86-64", NULL, "amd64", NULL },
	{ "aarch64", "8", "arm64", "" },
	{ "aarch64", "v8", "arm64", "" },
	{ "arm64", "8", "arm64", "" },
	{ "arm64", "v8", "arm64", "" },
	{ "aarch64", NULL, "arm64", NULL },
	{ "armhf", NULL, "arm", "v7" },
	{ "armel", NULL, "arm", "v6" },
	{ "arm", "", "arm", "v7" },
	{ "arm", "5", "arm", "v5" },
	{ "arm", "6", "arm", "v6" },
	{ "arm", "7", "arm", "v7" },
	{ "arm", "8", "arm", "v8" },
};

static const char *const architectures[] = {
	"386",	   "amd64",  "arm",	 "arm64",  "loong64", "mips",
	"mips64",  "mips64le", "mipsle", "ppc64",  "ppc64le", "riscv64",
	"s390x",   "wasm",   "x86_64",	 "x86-64", "aarch64", "armhf",
	"armel",   "i386",   "i686",
};

static void set(char *field, const char *text)
{
	/* every text that gets here was measured before */
	(void)snprintf(field, 32, "%.31s", text);
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
		set(p->os, "darwin");
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (strcmp(p->arch, aliases[i].name) ||
		    (aliases[i].variant &&
		     strcmp(p->variant, aliases[i].variant)))
			continue;
		set(p->arch, aliases[i].arch);
		if (aliases[i].normal)
			set(p->variant, aliases[i].normal);
		return;
	}
}

void fb_platform_host(struct fb_platform *ret)
{
	struct utsname uts;

	*ret = (struct fb_platform){ .os = "linux", .arch = "amd64" };
	if (uname(&uts) < 0)
		return;
	if (!strncmp(uts.machine, "armv", 4)) {
		set(ret->arch, "arm");
		(void)snprintf(ret->variant, sizeof(ret->variant), "v%c",
			       uts.machine[4]);
	} else {
		set(ret->arch, uts.machine);
	}
	fb_platform_normalize(ret);
}

static bool is_architecture(const char *text)
{
	for (size_t i = 0; i < sizeof(architectures) / sizeof(*architectures);
	     i++)
		if (!strcmp(text, architectures[i]))
			return true;
	return false;
}

static bool is_part(const char *text, size_t len)
{
	if (len == 0 || len > 31)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("_.-", text[i]))
			return false;
	return true;
}

static int split(const char *text, char parts[3][32], size_t *ret_count)
{
	const char *end;
	size_t count = 0;

	for (;; text = end + 1) {
		end = strchrnul(text, '/');
		if (count == 3 || !is_part(text, (size_t)(end - text)))
			return -EINVAL;
		for (const char *p = text; p < end; p++)
			parts[count][p - text] =
				(char)tolower((unsigned char)*p);
		parts[count][end - text] = '\0';
		count++;
		if (!*end)
			break;
	}
	*ret_count = count;
	return 0;
}

int fb_platform_parse(const char *text, struct fb_platform *ret,
		      struct fb_err *err)
{
	char parts[3][32];
	struct fb_platform p;
	size_t count;

	if (split(text, parts, &count) < 0)
		return fb_err_hint(err,
				   fb_err_set(err, -EINVAL,
					      "invalid platform '%.100s'",
					      text),
				   "write it as os/arch[/variant], such as "
				   "linux/arm64");
	fb_platform_host(&p);
	if (count == 1) {
		if (is_architecture(parts[0])) {
			set(p.arch, parts[0]);
			p.variant[0] = '\0';
		} else if (!strcmp(parts[0], "linux") ||
			   !strcmp(parts[0], "windows") ||
			   !strcmp(parts[0], "darwin") ||
			   !strcmp(parts[0], "macos") ||
			   !strcmp(parts[0], "freebsd")) {
			set(p.os, parts[0]);
		} else {
			return fb_err_set(err, -EINVAL,
					  "invalid platform '%.100s': unknown "
					  "operating system or architecture",
					  text);
		}
	} else {
		set(p.os, parts[0]);
		set(p.arch, parts[1]);
		set(p.variant, count == 3 ? parts[2] : "");
	}
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

/* "v7" is 7; what has no number is 0 */
static int variant_level(const struct fb_platform *p)
{
	const char *v = p->variant;

	if (!v[0]) {
		if (!strcmp(p->arch, "arm64"))
			return 8;
		return !strcmp(p->arch, "arm") ? 7 : 1;
	}
	if (v[0] == 'v' && isdigit((unsigned char)v[1]))
		return atoi(v + 1);
	return 0;
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
	want_level = variant_level(&w);
	have_level = variant_level(&h);
	if (want_level == 0 || have_level == 0)
		return !strcmp(w.variant, h.variant) ? 100 : 0;
	return have_level <= want_level ? 100 - (want_level - have_level) : 0;
}
