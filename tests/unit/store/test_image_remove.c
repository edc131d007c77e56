/* SPDX-License-Identifier: Apache-2.0 */
/* docker's rules for `rmi`, case by case. */
#include "store_fixture.h"

#define A1 "docker.io/library/a:1"
#define A2 "docker.io/library/a:2"
#define AD "docker.io/library/a@sha256:aa"
#define B1 "localhost:5000/b:1"

static const char *const a1[] = { A1, NULL };
static const char *const a1_digest[] = { A1, AD, NULL };
static const char *const a1_a2_digest[] = { A1, A2, AD, NULL };
static const char *const a1_b1[] = { A1, B1, NULL };

static char *joined(const struct fb_strv *v)
{
	FB_STR struct fb_str out = FB_STR_INIT(65536);

	for (size_t i = 0; i < v->count; i++)
		fb_str_printf(&out, "%s%s", i ? " " : "", v->v[i]);
	return fb_str_take(&out);
}

static bool exists(struct fixture *f, const struct fb_digest *manifest)
{
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };

	return fb_store_image_by_manifest(f->store, manifest, &record, NULL) ==
	       0;
}

static struct fb_digest config_of(struct fixture *f,
				  const struct fb_digest *manifest)
{
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };

	(void)fb_store_image_by_manifest(f->store, manifest, &record, NULL);
	return record.config;
}

struct want {
	int code;
	const char *untagged;
	int deleted;
	const char *message; /* a part of it */
};

static void remove_and_check(struct fixture *f, const char *name,
			     const struct fb_digest *id, bool force,
			     struct want want)
{
	struct fb_image_removal gone = { 0 };
	struct fb_err err = { 0 };
	FB_FREE char *untagged = NULL;
	int r = fb_store_image_remove(f->store, name, id, force, &gone, &err);

	TAP_INT(r, want.code, "rmi %s%s: %s", force ? "-f " : "",
		name ? name : "ID", err.msg);
	untagged = joined(&gone.untagged);
	TAP_STR(untagged, want.untagged, "untagged: '%s'", want.untagged);
	TAP_INT(gone.deleted.count, want.deleted, "deleted: %d blobs",
		want.deleted);
	if (want.message)
		TAP_OK(strstr(err.msg, want.message) != NULL, "says: %s",
		       want.message);
	fb_image_removal_release(&gone);
}

static void test_by_name(void)
{
	struct fixture f;
	struct fb_digest m;

	fixture_start(&f);
	m = fixture_image(&f, "1", "1", "1", a1_a2_digest);
	remove_and_check(&f, A1, NULL, false, (struct want){ 0, A1, 0, NULL });
	TAP_OK(exists(&f, &m), "another tag keeps the image");
	remove_and_check(&f, A2, NULL, false,
			 (struct want){ 0, A2 " " AD, 3, NULL });
	TAP_OK(!exists(&f, &m), "the last tag takes digests and image along");
	remove_and_check(&f, A2, NULL, false,
			 (struct want){ -ENOENT, "", 0, "no image" });

	m = fixture_image(&f, "1", "1", "1", a1_digest);
	remove_and_check(&f, AD, NULL, false, (struct want){ 0, AD, 0, NULL });
	TAP_OK(exists(&f, &m), "without its digest name it keeps its tag");
	remove_and_check(&f, A1, NULL, false, (struct want){ 0, A1, 3, NULL });

	m = fixture_image(&f, "1", "1", "1", a1_b1);
	remove_and_check(&f, B1, NULL, false, (struct want){ 0, B1, 0, NULL });
	TAP_OK(exists(&f, &m), "a registry with a port is told from a tag");
	fixture_end(&f);
}

static void test_by_id(void)
{
	struct fixture f;
	struct fb_digest m, id;

	fixture_start(&f);
	m = fixture_image(&f, "1", "1", "1", a1_b1);
	id = config_of(&f, &m);
	remove_and_check(&f, NULL, &id, false,
			 (struct want){ -EBUSY, "", 0,
					"(must be forced) - image is "
					"referenced in multiple "
					"repositories" });
	remove_and_check(&f, NULL, &id, true,
			 (struct want){ 0, A1 " " B1, 3, NULL });
	m = fixture_image(&f, "1", "1", "1", a1_digest);
	remove_and_check(&f, NULL, &id, false,
			 (struct want){ 0, A1 " " AD, 3, NULL });
	m = fixture_image(&f, "1", "1", "1", NULL);
	remove_and_check(&f, NULL, &id, false, (struct want){ 0, "", 3, NULL });
	TAP_OK(!exists(&f, &m), "a dangling image goes by its id");
	fixture_end(&f);
}

static void test_shared_blobs(void)
{
	struct fixture f;
	struct fb_digest one, two, layer;
	struct fb_lease *lease = NULL;
	const char *b1[] = { B1, NULL };

	fixture_start(&f);
	one = fixture_image(&f, "1", "1", "shared", a1);
	two = fixture_image(&f, "2", "2", "shared", b1);
	(void)fb_digest_of("l-shared", 8, &layer);
	remove_and_check(&f, A1, NULL, false, (struct want){ 0, A1, 2, NULL });
	TAP_OK(fb_store_blob_has(f.store, &layer, 8),
	       "a layer of two images stays with the other");
	TAP_OK(!exists(&f, &one) && exists(&f, &two), "which is whole");
	(void)fb_store_lease_open(f.store, &lease, NULL);
	(void)fb_store_lease_add(lease, &layer, 8, NULL, NULL);
	remove_and_check(&f, B1, NULL, false, (struct want){ 0, B1, 2, NULL });
	TAP_OK(fb_store_blob_has(f.store, &layer, 8),
	       "and with a pull that needs it");
	fb_store_lease_close(lease);
	fixture_end(&f);
}

static void test_in_use(void)
{
	struct fixture f;
	struct fb_container_handle h = FB_CONTAINER_HANDLE_INIT;
	struct fb_container_new what = { .name = "web", .image = "a:1" };
	struct fb_image_removal gone = { 0 };
	struct fb_err err = { 0 };
	FB_FREE char *text = NULL;
	char hex[FB_DIGEST_TEXT_MAX];
	struct fb_digest m, id;

	fixture_start(&f);
	m = fixture_image(&f, "1", "1", "1", a1);
	id = config_of(&f, &m);
	what.manifest = m;
	TAP_INT(fb_store_container_create(f.store, &what, &h, NULL, &err), 0,
		"a container of it %s", err.msg);
	TAP_INT(fb_store_image_remove(f.store, A1, NULL, false, &gone, &err),
		-EBUSY, "its only name stays");
	if (asprintf(&text,
		     "conflict: unable to remove repository reference \"a:1"
		     "\" (must force) - container %.12s is using its "
		     "referenced image %.12s",
		     h.id, fb_digest_hex(&id, hex)) < 0)
		abort();
	TAP_STR(err.msg, text, "in docker's words");
	TAP_OK(strstr(err.hint, "'web'") != NULL, "and the name: %s", err.hint);
	remove_and_check(&f, NULL, &id, true,
			 (struct want){ -EBUSY, "", 0,
					"(cannot be forced) - image is being "
					"used by running container" });
	remove_and_check(&f, A1, NULL, true, (struct want){ 0, A1, 0, NULL });
	TAP_OK(exists(&f, &m),
	       "forced, a running container's image stays, "
	       "nameless");
	(void)fb_close(openat(h.dir_fd, FB_CONTAINER_FILE_EXIT,
			      O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	h.lock_fd = fb_close(h.lock_fd);
	remove_and_check(&f, NULL, &id, false,
			 (struct want){ -EBUSY, "", 0,
					"(must be forced) - image is being "
					"used by stopped container" });
	remove_and_check(&f, NULL, &id, true, (struct want){ 0, "", 3, NULL });
	TAP_OK(!exists(&f, &m), "a stopped one's can be forced");
	fb_container_handle_release(&h);
	fb_image_removal_release(&gone);

	(void)fb_store_container_open(f.store, h.id, true, &h, NULL);
	(void)fb_store_container_remove(f.store, &h, NULL);
	/* what a crash left does not hold an image */
	m = fixture_image(&f, "1", "1", "1", a1);
	what.name = "dead";
	(void)fb_store_container_create(f.store, &what, &h, NULL, NULL);
	fb_container_handle_release(&h);
	remove_and_check(&f, A1, NULL, false, (struct want){ 0, A1, 3, NULL });
	fixture_end(&f);
}

int main(void)
{
	test_by_name();
	test_by_id();
	test_shared_blobs();
	test_in_use();
	return tap_done();
}
