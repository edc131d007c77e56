/* SPDX-License-Identifier: Apache-2.0 */
/* What is saved, loaded into another store: images of several platforms, without names. */
#include <fcntl.h>

#include "image/save.h"
#include "image_fixture.h"

static void load_image(struct fixture *f, const char *seed, const char *arch,
		       const char *name)
{
	FB_STRV struct fb_strv loaded = { 0 };
	struct tar_maker t = TAR_MAKER_INIT;
	struct parts p;
	struct fb_err err;
	char index[1024];

	make_parts(&p, seed, arch);
	(void)snprintf(index, sizeof(index),
		       "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
		       "\"" FB_MT_OCI_MANIFEST
		       "\",\"digest\":\"%s\",\"size\":%zu}]}",
		       p.manifest_digest, strlen(p.manifest));
	tar_layout(&t);
	tar_text(&t, "index.json", index);
	tar_parts(&t, &p);
	tar_end(&t);
	TAP_INT(load_tar(f, &t, "in.tar", name, &loaded, &err), 0,
		"an image of %s is loaded", arch);
	fb_str_release(&t.out);
}

static int save_to(struct fixture *f, const char *file, char *const *refs,
		   size_t count, struct fb_err *err)
{
	struct fb_image_context ctx = { .store = f->store, .log = &f->sink };
	FB_FREE char *path = fixture_path(f, file);
	struct fb_image_save save = {
		.path = path, .fd = -1, .refs = refs, .count = count
	};

	*err = (struct fb_err){ 0 };
	return fb_image_save(&ctx, &save, err);
}

static void test_nameless_platforms(void)
{
	struct fixture from, to;
	FB_IMAGE_RECORDS struct fb_image_records was = { 0 }, is = { 0 };
	FB_STRV struct fb_strv ids = { 0 }, loaded = { 0 };
	char text[FB_DIGEST_TEXT_MAX];
	struct fb_err err;
	FB_FREE char *path = NULL;

	fixture_start(&from);
	fixture_start(&to);
	load_image(&from, "1", "amd64", NULL);
	load_image(&from, "2", "arm64", NULL);
	load_image(&from, "3", "arm64", "named:1");
	(void)fb_store_image_list(from.store, &was, NULL);
	for (size_t i = 0; i < was.count; i++)
		(void)fb_strv_add(&ids,
				  fb_digest_format(&was.v[i].config, text));
	TAP_INT(save_to(&from, "out.tar", ids.v, ids.count, &err), 0,
		"three images by id are saved %s", err.msg);
	path = fixture_path(&from, "out.tar");
	{
		struct fb_image_context ctx = { .store = to.store,
						.log = &to.sink };
		struct fb_image_load load = { .path = path, .fd = -1 };

		TAP_INT(fb_image_load(&ctx, &load, &loaded, &err), 0,
			"and loaded elsewhere %s", err.msg);
	}
	(void)fb_store_image_list(to.store, &is, NULL);
	TAP_INT(is.count, 3, "none is taken for another platform of another");
	for (size_t i = 0; i < is.count && i < was.count; i++) {
		TAP_OK(fb_digest_equal(&is.v[i].manifest, &was.v[i].manifest),
		       "manifest %zu is the same", i);
		TAP_INT(is.v[i].names.count, 0, "and has no name");
	}
	TAP_INT(fixture_blobs(&to), fixture_blobs(&from),
		"as many blobs as before");
	fixture_end(&from);
	fixture_end(&to);
}

static void test_failures(void)
{
	struct fixture f;
	char nope[] = "nope", app_text[] = "app";
	char *const nothing[] = { nope };
	char *const app[] = { app_text };
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	struct fb_image_context ctx = { 0 };
	struct fb_err err;
	FB_FREE char *path = NULL;
	char hex[FB_DIGEST_TEXT_MAX], name[256];

	fixture_start(&f);
	ctx.store = f.store;
	path = fixture_path(&f, "out.tar");
	TAP_INT(save_to(&f, "out.tar", nothing, 1, &err), -ENOENT,
		"no such image: %s", err.msg);
	load_image(&f, "1", "amd64", "app:1");
	TAP_INT(save_to(&f, "no/such/folder", app, 1, &err), -ENOENT,
		"no folder: %s", err.msg);
	(void)fb_image_resolve(&ctx, "app:1", &record, NULL, NULL);
	(void)snprintf(name, sizeof(name), "oci/blobs/sha256/%s",
		       fb_digest_hex(&record.config, hex));
	{
		FB_FREE char *blob = fb_path_join(f.roots.state, name);

		TAP_INT(chmod(blob, 0600), 0, "the config is there");
		TAP_INT(fb_write_file_at(AT_FDCWD, blob, "x", 1, 0600), 0,
			"and is replaced");
	}
	TAP_INT(save_to(&f, "out.tar", app, 1, &err), -EBADMSG,
		"damage is told: %s", err.msg);
	TAP_OK(access(path, F_OK) < 0, "no file is left");
	TAP_INT(fixture_count(&f, "leases"), 0, "nor a lease");
	fixture_end(&f);
}

int main(void)
{
	test_nameless_platforms();
	test_failures();
	return tap_done();
}
