/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "rootfs/convert.h"

#define BLOCK_MIN 4096u
#define BLOCK_MAX 1048576u
#define WORKERS_MAX 64u

static const struct {
	const char *name;
	enum fb_rootfs_compression kind;
	int level_default;
	int level_max;
} kinds[] = {
	{ "zstd", FB_ROOTFS_ZSTD, 1, 22 },
	{ "lz4", FB_ROOTFS_LZ4, 1, 12 },
	{ "gzip", FB_ROOTFS_GZIP, 6, 9 },
	{ "none", FB_ROOTFS_NONE, 1, 1 },
};

const char *fb_rootfs_compression_name(enum fb_rootfs_compression kind)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(kinds); i++)
		if (kinds[i].kind == kind)
			return kinds[i].name;
	return kinds[0].name;
}

int fb_rootfs_compression_parse(const char *text,
				enum fb_rootfs_compression *ret,
				struct fb_err *err)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(kinds); i++) {
		if (!strcmp(text, kinds[i].name)) {
			*ret = kinds[i].kind;
			return 0;
		}
	}
	return fb_err_set(err, -EINVAL,
			  "unknown compression '%s': zstd, lz4, gzip or none",
			  text);
}

static unsigned int cpu_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1		       ? 1
	       : n > (long)WORKERS_MAX ? WORKERS_MAX
				       : (unsigned int)n;
}

static int resolve_compression(struct fb_rootfs_options *o, struct fb_err *err)
{
	/* measured in guests: docs/conversion.md "Compression" */
	if (o->compression == FB_ROOTFS_DEFAULT)
		o->compression = FB_ROOTFS_LZ4;
	for (size_t i = 0; i < FB_ARRAY_SIZE(kinds); i++) {
		if (kinds[i].kind != o->compression)
			continue;
		if (o->level == 0)
			o->level = kinds[i].level_default;
		if (o->level < 1 || o->level > kinds[i].level_max)
			return fb_err_set(
				err, -EINVAL,
				"compression level %d: %s has 1 to %d",
				o->level, kinds[i].name, kinds[i].level_max);
		return 0;
	}
	return fb_err_set(err, -EINVAL, "unknown compression");
}

int fb_rootfs_options_resolve(const struct fb_rootfs_options *in,
			      struct fb_rootfs_options *ret, struct fb_err *err)
{
	struct fb_rootfs_options o = { 0 };
	int r;

	if (in)
		o = *in;
	r = resolve_compression(&o, err);
	if (r < 0)
		return r;
	if (!o.block_bytes)
		o.block_bytes = 131072;
	if (o.block_bytes < BLOCK_MIN || o.block_bytes > BLOCK_MAX ||
	    (o.block_bytes & (o.block_bytes - 1)))
		return fb_err_set(err, -EINVAL,
				  "block size %u: a power of two from %u to %u",
				  o.block_bytes, BLOCK_MIN, BLOCK_MAX);
	if (!o.workers)
		o.workers = cpu_count();
	if (o.workers > WORKERS_MAX)
		return fb_err_set(err, -EINVAL, "%u workers: %u is the most",
				  o.workers, WORKERS_MAX);
	if (!o.max_image_bytes)
		o.max_image_bytes = 128ull << 30;
	if (!o.max_unpacked_bytes)
		o.max_unpacked_bytes = 512ull << 30;
	if (!o.max_ratio)
		o.max_ratio = 2000;
	if (!o.max_entries)
		o.max_entries = 64ull << 20;
	if (!o.max_tree_bytes)
		o.max_tree_bytes = 4ull << 30;
	*ret = o;
	return 0;
}

int fb_rootfs_key(const struct fb_digest *diff_ids, size_t count,
		  const struct fb_rootfs_options *options,
		  struct fb_digest *ret, struct fb_err *err)
{
	FB_HASH struct fb_hash *hash = fb_hash_new(FB_HASH_SHA256);
	struct fb_digest key = { .set = true, .kind = FB_HASH_SHA256 };
	struct fb_rootfs_options o;
	char line[FB_DIGEST_TEXT_MAX + 128], text[FB_DIGEST_TEXT_MAX];
	int r = fb_rootfs_options_resolve(options, &o, err), n;

	if (r < 0)
		return r;
	if (!hash)
		return fb_err_set(err, -ENOMEM, "name an image: %m");
	n = snprintf(line, sizeof(line), "flamebox rootfs %u %s %d %u\n",
		     FB_ROOTFS_FORMAT_VERSION,
		     fb_rootfs_compression_name(o.compression), o.level,
		     o.block_bytes);
	r = fb_hash_update(hash, line, (size_t)n);
	for (size_t i = 0; i < count && r == 0; i++) {
		if (!diff_ids[i].set)
			return fb_err_set(err, -EINVAL,
					  "layer %zu has no diff_id", i + 1);
		n = snprintf(line, sizeof(line), "%s\n",
			     fb_digest_format(&diff_ids[i], text));
		r = fb_hash_update(hash, line, (size_t)n);
	}
	if (r == 0)
		r = fb_hash_final(hash, key.hash);
	if (r < 0)
		return fb_err_set(err, r, "name an image: %m");
	*ret = key;
	return 0;
}
