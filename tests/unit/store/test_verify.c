/* SPDX-License-Identifier: Apache-2.0 */
/* Every kind of damage, found and taken out. */
#include <errno.h>

#include "store/verify.h"
#include "store_fixture.h"

struct found {
	struct fb_store_finding v[16];
	size_t count;
	int answer;
};

static int note(void *ctx, const struct fb_store_finding *finding)
{
	struct found *found = ctx;

	if (found->count < FB_ARRAY_SIZE(found->v))
		found->v[found->count++] = *finding;
	return found->answer;
}

static int stop(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)what;
	return done == total ? -ECANCELED : 0;
}

static struct found check(struct fixture *f)
{
	struct found found = { 0 };
	const struct fb_store_check check = { .found = note, .ctx = &found };
	struct fb_store_verified done;
	struct fb_err err = { 0 };

	TAP_INT(fb_store_verify(f->store, &check, &done, &err), 0, "verify %s",
		err.msg);
	return found;
}

static void overwrite(struct fixture *f, const char *dir, const char *name,
		      const char *text)
{
	FB_FREE char *folder = fb_path_join(f->roots.state, dir);
	FB_FREE char *path = fb_path_join(folder, name);

	if (fb_write_file_at(AT_FDCWD, path, text, strlen(text), 0600) < 0)
		printf("Bail out! cannot write '%s'\n", path);
}

static void test_blobs(void)
{
	static const char *const names[] = { "docker.io/library/a:1", NULL };
	struct fixture f;
	FB_FREE struct fb_digest *users = NULL;
	char hex[FB_DIGEST_TEXT_MAX];
	struct fb_digest manifest, layer;
	struct found found;
	size_t count = 0;

	fixture_start(&f);
	manifest = fixture_image(&f, "1", "1", "one", names);
	(void)fixture_image(&f, "2", "2", "one", NULL);
	(void)fb_digest_of("l-one", 5, &layer);
	TAP_INT(check(&f).count, 0, "a sound store");
	overwrite(&f, "oci/blobs/sha256", fb_digest_hex(&layer, hex), "l-two");
	found = check(&f);
	TAP_INT(found.count, 1, "a damaged layer is one fault");
	TAP_INT(found.v[0].fault, FB_STORE_FAULT_DAMAGED, "damage");
	TAP_OK(fb_digest_equal(&found.v[0].digest, &layer), "of that blob");
	TAP_INT(fb_store_blob_is_sound(f.store, &layer), 0, "it is not sound");
	TAP_INT(fb_store_blob_images(f.store, &layer, &users, &count, NULL), 0,
		"who needs it");
	TAP_INT(count, 2, "two images");
	TAP_OK(users && fb_digest_equal(&users[0], &manifest),
	       "the older first");
	TAP_INT(fb_store_evict(f.store, &found.v[0], NULL), 0, "it is evicted");
	found = check(&f);
	TAP_INT(found.v[0].fault, FB_STORE_FAULT_MISSING, "now it is missing");
	TAP_INT(fb_store_evict(f.store, &found.v[0], NULL), 0,
		"nothing to evict");
	(void)fixture_blob(&f, NULL, "l-one");
	TAP_INT(check(&f).count, 0, "there again");
	TAP_INT(fb_store_evict(f.store, &found.v[0], NULL), 0, "evict");
	TAP_INT(fb_store_blob_is_sound(f.store, &layer), 1,
		"what is sound by now stays");
	fixture_end(&f);
}

static void test_others(void)
{
	struct fixture f;
	struct fb_store_temp temp = FB_STORE_TEMP_INIT;
	struct fb_rootfs_record record = { .size_bytes = 5,
					   .compression = "zstd" };
	char name[FB_DIGEST_TEXT_MAX + 16], hex[FB_DIGEST_TEXT_MAX];
	struct fb_digest manifest;
	struct found found;

	fixture_start(&f);
	manifest = fixture_image(&f, "1", "1", "one", NULL);
	(void)fb_digest_of("key", 3, &record.key);
	(void)fb_digest_of("bytes", 5, &record.sha256);
	(void)fb_store_temp_create(f.store, &temp, NULL);
	(void)fb_write_full(temp.fd, "bytes", 5);
	(void)fb_store_rootfs_publish(f.store, &temp, &record, &manifest, NULL);
	TAP_INT(check(&f).count, 0, "a sound converted image");
	(void)snprintf(name, sizeof(name), "%s.squashfs",
		       fb_digest_hex(&record.key, hex));
	overwrite(&f, "rootfs", name, "bites");
	overwrite(&f, "oci", "index.json", "{}");
	overwrite(&f, "oci/blobs/sha256", hex, "not the key");
	found = check(&f);
	TAP_INT(found.count, 3, "three faults");
	TAP_INT(found.v[0].fault, FB_STORE_FAULT_STRAY, "a stray blob");
	TAP_INT(found.v[1].fault, FB_STORE_FAULT_ROOTFS, "a converted image");
	TAP_INT(found.v[2].fault, FB_STORE_FAULT_INDEX, "the index");
	for (size_t i = 0; i < found.count; i++)
		TAP_INT(fb_store_evict(f.store, &found.v[i], NULL), 0,
			"is repaired");
	TAP_INT(check(&f).count, 0, "a sound store again");
	TAP_INT(fixture_count(&f, "rootfs"), 0, "without the converted image");
	fixture_end(&f);
}

static void test_cancel(void)
{
	struct fixture f;
	struct found found = { .answer = -EINTR };
	struct fb_store_check check = { .found = note,
					.step = stop,
					.ctx = &found };
	struct fb_store_verified done;
	struct fb_digest layer;
	char hex[FB_DIGEST_TEXT_MAX];

	fixture_start(&f);
	(void)fixture_image(&f, "1", "1", "one", NULL);
	TAP_INT(fb_store_verify(f.store, &check, &done, NULL), -ECANCELED,
		"a step can end it");
	(void)fb_digest_of("l-one", 5, &layer);
	overwrite(&f, "oci/blobs/sha256", fb_digest_hex(&layer, hex), "");
	check.step = NULL;
	TAP_INT(fb_store_verify(f.store, &check, &done, NULL), -EINTR,
		"so can who is told of a fault");
	fixture_end(&f);
}

int main(void)
{
	test_blobs();
	test_others();
	test_cancel();
	return tap_done();
}
