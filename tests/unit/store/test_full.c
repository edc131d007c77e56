/* SPDX-License-Identifier: Apache-2.0 */
/* A full disk: what was whole stays whole, what did not fit leaves nothing. */
#include <sched.h>
#include <sys/mount.h>

#include "store_fixture.h"

#define BIG 65536
/* below, there is no room for catalogue and reserve */
#define RESERVED_FROM_KIB 700

/* A tmpfs of our own over the store's folder. Return: false where that is not allowed */
static bool small_disk(const char *path, unsigned int kib)
{
	char options[64];

	(void)snprintf(options, sizeof(options), "size=%uk", kib);
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", path, "tmpfs", 0, options) == 0;
}

static int put_image(struct fixture *f, unsigned int number)
{
	FB_LEASE struct fb_lease *lease = NULL;
	struct fb_image_entry entry = { 0 };
	FB_BLOB_WRITER struct fb_blob_writer *w = NULL;
	struct fb_blob_options any = { .size_bytes = UINT64_MAX };
	struct fb_blob_ref blobs[2] = { { .size_bytes = BIG },
					{ .size_bytes = 4 } };
	struct fb_err err = { 0 };
	static char data[BIG];
	int r = fb_store_lease_open(f->store, &lease, &err);

	memcpy(data, &number, sizeof(number));
	any.lease = lease;
	if (r == 0)
		r = fb_store_blob_create(f->store, &any, &w, &err);
	if (r == 0)
		r = fb_store_blob_write(w, data, BIG, &err);
	if (r == 0)
		r = fb_store_blob_commit(w, &blobs[0].digest, &err);
	if (r == 0)
		w = NULL;
	if (r == 0)
		r = fb_store_blob_put(f->store, lease, &number, 4,
				      &blobs[1].digest, &err);
	if (r == 0) {
		entry.record.manifest = blobs[1].digest;
		entry.record.config = blobs[0].digest;
		(void)snprintf(entry.record.media_type,
			       sizeof(entry.record.media_type), "%s",
			       FB_MT_OCI_MANIFEST);
		(void)fb_strv_addf(&entry.record.names,
				   "docker.io/library/i:%u", number);
		entry.blobs = blobs;
		entry.blob_count = 2;
		r = fb_store_images_put(f->store, &entry, 1, &err);
		fb_image_record_release(&entry.record);
	}
	if (r < 0)
		printf("# image %u: %s\n", number, err.msg);
	return r;
}

static void fill(unsigned int kib)
{
	struct fixture f;
	FB_IMAGE_RECORDS struct fb_image_records list = { 0 };
	struct fb_image_removal gone = { 0 };
	struct fb_err err = { 0 };
	unsigned int entered = 0;
	int whole = 0;
	int r;

	fixture_start(&f);
	if (!small_disk(f.dir, kib)) {
		fixture_end(&f);
		tap_skip("needs the right to mount a file system");
		return;
	}
	fixture_reopen(&f);
	while ((r = put_image(&f, entered)) == 0)
		entered++;
	TAP_INT(r, -ENOSPC, "%u kB are full after %u images", kib, entered);
	TAP_INT(fixture_count(&f, "tmp"), 0, "no temporary file");
	TAP_INT(fixture_count(&f, "leases"), 0, "no lease is left");
	fixture_reopen(&f);
	if (fb_store_image_list(f.store, &list, &err) < 0 || !list.count) {
		/* too small even for the catalogue: said, nothing broken */
		TAP_OK(entered == 0, "nothing could be entered: %s", err.msg);
	} else {
		for (size_t i = 0; i < list.count; i++)
			whole += fb_store_blob_has(f.store, &list.v[i].config,
						   BIG) &&
				 fb_store_blob_has(f.store, &list.v[i].manifest,
						   4);
		TAP_INT(whole, list.count, "%zu images are whole", list.count);
		TAP_OK(list.count >= entered, "none of them is lost");
		if (kib < RESERVED_FROM_KIB)
			goto out;
		for (size_t i = 0; i < list.count && (i == 0 || r == 0); i++)
			r = fb_store_image_remove(f.store, list.v[i].names.v[0],
						  NULL, false, &gone, &err);
		TAP_INT(r, 0, "they can be removed %s", err.msg);
		r = fb_store_collect(f.store, &gone, &err);
		TAP_INT(r, 0, "and the rest collected %s", err.msg);
		TAP_INT(put_image(&f, 100000), 0, "then there is room again");
	}
out:
	fb_image_removal_release(&gone);
	fb_store_close(f.store);
	f.store = NULL;
	(void)umount2(f.dir, MNT_DETACH);
	fixture_end(&f);
}

int main(void)
{
	/* nearly every place runs out of space once */
	for (unsigned int kib = 8; kib <= 1200; kib += 68)
		fill(kib);
	return tap_done();
}
