/* SPDX-License-Identifier: Apache-2.0 */
/* Removing many images at once, and measuring what they take up. */
#include <errno.h>

#include "store/prune.h"
#include "store/usage.h"
#include "store_fixture.h"

struct seqs {
	int64_t v[16];
	size_t count;
};

static int note_seq(void *ctx, const struct fb_image_scan *image,
		    struct fb_err *err)
{
	struct seqs *seqs = ctx;

	(void)err;
	if (seqs->count < FB_ARRAY_SIZE(seqs->v))
		seqs->v[seqs->count++] = image->seq;
	return 0;
}

static struct seqs all_seqs(struct fixture *f)
{
	struct seqs seqs = { 0 };

	(void)fb_store_image_scan(f->store, note_seq, &seqs, NULL);
	return seqs;
}

static int count_images(struct fixture *f)
{
	return (int)all_seqs(f).count;
}

static void use_image(struct fixture *f, const struct fb_digest *manifest)
{
	FB_CONTAINER_HANDLE struct fb_container_handle h =
		FB_CONTAINER_HANDLE_INIT;
	const struct fb_container_new what = { .image = "x",
					       .manifest = *manifest };

	TAP_INT(fb_store_container_create(f->store, &what, &h, NULL, NULL), 0,
		"a container of an image");
}

static void test_prune(void)
{
	static const char *const tagged[] = { "docker.io/library/a:1", NULL };
	static const char *const other[] = { "docker.io/library/b:1",
					     "docker.io/library/b:2", NULL };
	struct fixture f;
	struct fb_image_removal gone = { 0 };
	struct fb_err err = { 0 };
	struct fb_digest used;
	struct seqs seqs;

	fixture_start(&f);
	(void)fixture_image(&f, "1", "1", "shared", tagged);
	(void)fixture_image(&f, "2", "2", "shared", NULL);
	used = fixture_image(&f, "3", "3", "own", NULL);
	(void)fixture_image(&f, "4", "4", "own4", other);
	use_image(&f, &used);
	seqs = all_seqs(&f);
	TAP_INT(seqs.count, 4, "four images");
	TAP_INT(fb_store_prune_images(f.store, seqs.v, seqs.count, true, &gone,
				      &err),
		0, "those without a tag %s", err.msg);
	TAP_INT(count_images(&f), 3, "but not the one with a container");
	TAP_INT(gone.untagged.count, 0, "nothing is untagged");
	TAP_INT(gone.deleted.count, 2, "manifest and config are gone");
	TAP_INT(fixture_count(&f, "oci/blobs/sha256"), 9,
		"the shared layer stays");
	fb_image_removal_release(&gone);
	TAP_INT(fb_store_prune_images(f.store, seqs.v, seqs.count, false, &gone,
				      &err),
		0, "all %s", err.msg);
	TAP_INT(count_images(&f), 1, "but the one with a container");
	TAP_INT(gone.untagged.count, 3, "three names");
	TAP_STR(gone.untagged.v[2], "docker.io/library/b:2", "in order");
	TAP_INT(fixture_count(&f, "oci/blobs/sha256"), 3, "its blobs stay");
	TAP_OK(gone.freed_bytes > 0 && gone.freed_bytes % 512 == 0,
	       "blocks are counted");
	fb_image_removal_release(&gone);
	TAP_INT(fb_store_prune_images(f.store, NULL, 0, true, &gone, &err), 0,
		"nothing to do %s", err.msg);
	TAP_OK(gone.freed_bytes == 0, "nothing freed");
	fb_image_removal_release(&gone);
	fixture_end(&f);
}

static void test_lease_stays(void)
{
	struct fixture f;
	FB_LEASE struct fb_lease *lease = NULL;
	struct fb_image_removal gone = { 0 };
	struct seqs seqs;
	struct fb_blob_ref layer;

	fixture_start(&f);
	(void)fixture_image(&f, "1", "1", "wanted", NULL);
	(void)fb_store_lease_open(f.store, &lease, NULL);
	layer = fixture_blob(&f, lease, "l-wanted");
	seqs = all_seqs(&f);
	(void)fb_store_prune_images(f.store, seqs.v, seqs.count, false, &gone,
				    NULL);
	TAP_INT(gone.deleted.count, 2, "two blobs of three go");
	TAP_OK(fb_store_blob_has(f.store, &layer.digest, UINT64_MAX),
	       "what a live lease names stays");
	fb_image_removal_release(&gone);
	fb_store_lease_close(FB_TAKE_PTR(lease));
	fixture_end(&f);
}

static uint64_t blocks(struct fixture *f, const struct fb_blob_ref *blob)
{
	FB_FREE char *dir = fb_path_join(f->roots.state, "oci/blobs/sha256");
	FB_FREE char *path = NULL;
	char hex[FB_DIGEST_TEXT_MAX];
	struct stat st;

	(void)fb_digest_hex(&blob->digest, hex);
	path = fb_path_join(dir, hex);
	return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static void publish_rootfs(struct fixture *f, const struct fb_digest *manifest)
{
	struct fb_store_temp temp = FB_STORE_TEMP_INIT;
	struct fb_rootfs_record record = { .size_bytes = 5,
					   .compression = "zstd" };

	(void)fb_digest_of("key", 3, &record.key);
	(void)fb_digest_of("bytes", 5, &record.sha256);
	TAP_INT(fb_store_temp_create(f->store, &temp, NULL), 0, "a file");
	TAP_INT(fb_write_full(temp.fd, "bytes", 5), 0, "with bytes");
	TAP_INT(fb_store_rootfs_publish(f->store, &temp, &record, manifest,
					NULL),
		0, "is published as a converted image");
}

static void test_usage(void)
{
	struct fixture f;
	FB_STORE_USAGE struct fb_store_usage usage = { 0 };
	struct fb_err err = { 0 };
	struct fb_blob_ref shared, stray;
	struct fb_digest used;
	struct seqs seqs;
	const struct fb_image_usage *one;

	fixture_start(&f);
	used = fixture_image(&f, "1", "1", "shared", NULL);
	(void)fixture_image(&f, "2", "2", "shared", NULL);
	stray = fixture_blob(&f, NULL, "nobody wants it");
	shared = fixture_blob(&f, NULL, "l-shared");
	use_image(&f, &used);
	publish_rootfs(&f, &used);
	seqs = all_seqs(&f);
	TAP_INT(fb_store_usage(f.store, &usage, &err), 0, "measure %s",
		err.msg);
	TAP_INT(usage.image_count, 2, "two images");
	one = fb_store_usage_find(&usage, seqs.v[0]);
	TAP_INT(one ? one->containers : 99, 1, "one is used");
	TAP_OK(one && one->shared_bytes == blocks(&f, &shared),
	       "one layer is shared");
	TAP_OK(one && one->unique_bytes == 2 * one->shared_bytes,
	       "manifest and config are its own");
	TAP_OK(usage.blob_bytes == 5 * blocks(&f, &shared),
	       "the shared one counts once");
	TAP_OK(usage.blob_unused_bytes == 2 * blocks(&f, &shared),
	       "what the other one alone needs is unused");
	TAP_INT(usage.stray_count, 1, "one blob is needed by none");
	TAP_OK(usage.stray_bytes == blocks(&f, &stray), "with its blocks");
	TAP_OK(!fb_store_usage_find(&usage, 4711), "no such image");
	TAP_INT(usage.rootfs_count, 1, "one converted image");
	TAP_INT(usage.rootfs_count ? usage.rootfs[0].images : 0, 1,
		"of one image");
	TAP_OK(usage.rootfs_count && usage.rootfs[0].in_use, "which is used");
	TAP_OK(one && usage.rootfs_count &&
		       one->rootfs_bytes == usage.rootfs[0].bytes &&
		       one->rootfs_bytes >= 512,
	       "its blocks are that image's");
	fixture_end(&f);
}

static void make_file(int dir, const char *name)
{
	if (fb_write_file_at(dir, name, "bytes", 5, 0600) < 0)
		printf("Bail out! cannot make '%s'\n", name);
}

static void test_caches(void)
{
	struct fixture f;
	uint64_t freed = 1;
	int dir;

	fixture_start(&f);
	dir = fb_store_dir_fd(f.store, FB_STORE_DIR_DISKS, NULL);
	TAP_INT(fb_store_prune_caches(f.store, &freed, NULL), 0, "no caches");
	TAP_OK(freed == 0, "free nothing");
	make_file(dir, "ext4-1-v1.img");
	make_file(dir, "something else");
	TAP_INT(fb_store_prune_caches(f.store, &freed, NULL), 0, "prune");
	TAP_INT(fixture_count(&f, "disks"), 1, "templates go");
	TAP_OK(faccessat(dir, "something else", F_OK, 0) == 0,
	       "what is not ours stays");
	TAP_OK(freed % 512 == 0, "blocks are counted");
	fixture_end(&f);
}

int main(void)
{
	test_caches();
	test_prune();
	test_lease_stays();
	test_usage();
	return tap_done();
}
