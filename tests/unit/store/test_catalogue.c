/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <sqlite3.h>

#include "store_fixture.h"

#define A1 "docker.io/library/a:1"
#define A2 "docker.io/library/a:2"
#define LOCAL "localhost:5000/x/b:v"

static void sql(struct fixture *f, const char *text)
{
	FB_FREE char *path = fb_path_join(f->dir, "catalogue.db");
	sqlite3 *db = NULL;

	if (sqlite3_open(path, &db) != SQLITE_OK ||
	    sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
		printf("Bail out! %s: %s\n", text, sqlite3_errmsg(db));
		exit(1);
	}
	(void)sqlite3_close(db);
}

/* "name=digest …" of what index.json says, sorted as it stands */
static char *index_text(struct fixture *f)
{
	FB_FREE char *path = fb_path_join(f->dir, "oci/index.json");
	FB_STR struct fb_str out = FB_STR_INIT(65536);
	json_t *root = json_load_file(path, 0, NULL);
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(root, "manifests"), i, entry)
	{
		const char *name = json_string_value(
			json_object_get(json_object_get(entry, "annotations"),
					"org.opencontainers.image.ref.name"));

		fb_str_printf(
			&out, "%s=%.12s:%lld ", name ? name : "-",
			json_string_value(json_object_get(entry, "digest")) + 7,
			json_integer_value(json_object_get(entry, "size")));
	}
	json_decref(root);
	return fb_str_take(&out);
}

static char *names_of(struct fixture *f, const struct fb_digest *manifest)
{
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	FB_STR struct fb_str out = FB_STR_INIT(65536);

	if (fb_store_image_by_manifest(f->store, manifest, &record, NULL) < 0)
		return strdup("(gone)");
	for (size_t i = 0; i < record.names.count; i++)
		fb_str_printf(&out, "%s%s", i ? " " : "", record.names.v[i]);
	return fb_str_take(&out);
}

static void check_names(struct fixture *f, const struct fb_digest *manifest,
			const char *want, const char *what)
{
	FB_FREE char *got = names_of(f, manifest);

	TAP_STR(got, want, "%s", what);
}

static void test_empty(void)
{
	struct fixture f;
	FB_IMAGE_RECORDS struct fb_image_records list = { 0 };
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	FB_FREE char *index = NULL;
	FB_FREE char *layout = NULL;
	FB_FREE char *path = NULL;
	struct fb_err err = { 0 };

	fixture_start(&f);
	TAP_INT(fb_store_image_list(f.store, &list, NULL), 0, "an empty list");
	TAP_INT(list.count, 0, "is empty");
	TAP_INT(fb_store_image_by_name(f.store, A1, &record, &err), -ENOENT,
		"%s", err.msg);
	TAP_INT(fb_store_image_by_id(f.store, "ab", &record, &err), -ENOENT,
		"%s", err.msg);
	TAP_INT(fb_store_image_by_id(f.store, "xyz", &record, &err), -EINVAL,
		"%s", err.msg);
	TAP_INT(fb_store_image_by_id(f.store, "", &record, &err), -EINVAL, "%s",
		err.msg);
	index = index_text(&f);
	TAP_STR(index, "", "index.json is there and lists nothing");
	path = fb_path_join(f.dir, "oci/oci-layout");
	TAP_INT(fb_read_file_at(AT_FDCWD, path, 100, &layout, NULL), 0,
		"oci-layout is there");
	TAP_STR(layout, "{\"imageLayoutVersion\":\"1.0.0\"}\n", "as it should");
	fixture_end(&f);
}

static void test_names_move(void)
{
	struct fixture f;
	const char *first_names[] = { A1, "docker.io/library/a@sha256:aa",
				      NULL };
	const char *second_names[] = { A1, NULL };
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	FB_FREE char *index = NULL;
	FB_FREE char *want = NULL;
	char hex1[FB_DIGEST_TEXT_MAX], hex2[FB_DIGEST_TEXT_MAX];
	struct fb_digest one, two;
	struct fb_err err = { 0 };

	fixture_start(&f);
	one = fixture_image(&f, "1", "1", "1", first_names);
	two = fixture_image(&f, "2", "2", "2", second_names);
	check_names(&f, &one, "docker.io/library/a@sha256:aa",
		    "the first keeps its digest name only");
	check_names(&f, &two, A1, "the second has the tag");
	TAP_INT(fb_store_image_tag(f.store, &two, LOCAL, NULL), 0, "tag");
	check_names(&f, &two, A1 " " LOCAL, "one more name");
	TAP_INT(fb_store_image_tag(f.store, &one, A1, NULL), 0, "tag back");
	check_names(&f, &one, A1 " docker.io/library/a@sha256:aa",
		    "tags stand before digests");
	TAP_INT(fb_store_image_by_name(f.store, LOCAL, &record, NULL), 0,
		"find by name");
	TAP_OK(fb_digest_equal(&record.manifest, &two), "the right one");
	TAP_STR(record.platform.arch, "amd64", "with its platform");
	TAP_INT(record.size_bytes, 9, "and size");
	TAP_OK(record.registered_s > 1600000000, "and when it came");

	fb_digest_hex(&one, hex1);
	fb_digest_hex(&two, hex2);
	if (asprintf(&want,
		     A1 "=%.12s:3 docker.io/library/a@sha256:aa=%.12s:3 " LOCAL
			"=%.12s:3 ",
		     hex1, hex1, hex2) < 0)
		abort();
	index = index_text(&f);
	TAP_STR(index, want, "index.json says the same");
	TAP_INT(fb_store_image_tag(f.store, &one, "bad \"name", &err), -EINVAL,
		"%s", err.msg);
	memset(two.hash, 1, 32);
	TAP_INT(fb_store_image_tag(f.store, &two, A2, &err), -ENOENT, "%s",
		err.msg);
	fixture_end(&f);
}

static void test_ids(void)
{
	struct fixture f;
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	char hex[FB_DIGEST_TEXT_MAX], prefix[65];
	struct fb_digest one, twin;
	struct fb_err err = { 0 };
	int ambiguous = 0;

	fixture_start(&f);
	one = fixture_image(&f, "1", "same", "1", NULL);
	twin = fixture_image(&f, "2", "same", "2", NULL);
	(void)fb_store_image_by_manifest(f.store, &one, &record, NULL);
	fb_digest_hex(&record.config, hex);
	fb_image_record_release(&record);
	TAP_INT(fb_store_image_by_id(f.store, hex, &record, NULL), 0,
		"a config that two manifests have");
	TAP_OK(fb_digest_equal(&record.manifest, &twin), "gives the newer one");
	fb_image_record_release(&record);
	fb_digest_hex(&one, hex);
	TAP_INT(fb_store_image_by_id(f.store, hex, &record, NULL), 0,
		"a manifest's digest");
	TAP_OK(fb_digest_equal(&record.manifest, &one), "gives that one");
	fb_image_record_release(&record);
	/* 17 first digits: two of them are the same */
	for (int i = 0; i < 17; i++) {
		(void)snprintf(prefix, sizeof(prefix), "more %d", i);
		(void)fixture_image(&f, prefix, prefix, prefix, NULL);
	}
	for (int i = 0; i < 16; i++) {
		(void)snprintf(prefix, sizeof(prefix), "%x", i);
		ambiguous += fb_store_image_by_id(f.store, prefix, &record,
						  &err) == -ENOTUNIQ;
		fb_image_record_release(&record);
	}
	TAP_OK(ambiguous > 0, "%s", err.msg);
	fixture_end(&f);
}

static void test_list_order(void)
{
	struct fixture f;
	FB_IMAGE_RECORDS struct fb_image_records list = { 0 };
	const char *names[][3] = { { A1, A2, NULL }, { LOCAL, NULL } };
	struct fb_digest one, two, three;

	fixture_start(&f);
	one = fixture_image(&f, "1", "1", "1", names[0]);
	two = fixture_image(&f, "2", "2", "2", NULL);
	three = fixture_image(&f, "3", "3", "3", names[1]);
	sql(&f,
	    "UPDATE image SET created_s = 2000 WHERE seq = 2;"
	    "UPDATE image SET registered_s = registered_s + 5"
	    " WHERE seq = 3;");
	TAP_INT(fb_store_image_list(f.store, &list, NULL), 0, "list");
	TAP_INT(list.count, 3, "all");
	TAP_OK(fb_digest_equal(&list.v[0].manifest, &two),
	       "newest creation first");
	TAP_OK(fb_digest_equal(&list.v[1].manifest, &three),
	       "then the newest arrival");
	TAP_OK(fb_digest_equal(&list.v[2].manifest, &one), "then the rest");
	TAP_INT(list.v[2].names.count, 2, "with their names");
	TAP_INT(list.v[1].names.count, 1, "each with its own");
	TAP_INT(list.v[0].names.count, 0, "or none");
	fixture_end(&f);
}

static void test_missing_blob(void)
{
	struct fixture f;
	FB_IMAGE_RECORDS struct fb_image_records list = { 0 };
	struct fb_blob_ref blobs[2];
	struct fb_image_entry both[2] = { { .blobs = blobs, .blob_count = 2 } };
	struct fb_image_record *record = &both[0].record;
	struct fb_err err = { 0 };

	fixture_start(&f);
	blobs[0] = fixture_blob(&f, NULL, "manifest");
	blobs[1] = fixture_blob(&f, NULL, "config");
	blobs[1].size_bytes++;
	record->manifest = blobs[0].digest;
	record->config = blobs[1].digest;
	(void)snprintf(record->media_type, sizeof(record->media_type), "%s",
		       FB_MT_DOCKER_MANIFEST);
	TAP_INT(fb_store_images_put(f.store, both, 1, &err), -ENOENT, "%s",
		err.msg);
	blobs[1].size_bytes--;
	(void)fb_strv_add(&record->names, "bad\"name");
	TAP_INT(fb_store_images_put(f.store, both, 1, &err), -EINVAL, "%s",
		err.msg);
	fb_strv_release(&record->names);
	(void)snprintf(record->media_type, sizeof(record->media_type),
		       "text/\"plain");
	TAP_INT(fb_store_images_put(f.store, both, 1, &err), -EINVAL, "%s",
		err.msg);
	/* a good one with a bad one behind it */
	(void)snprintf(record->media_type, sizeof(record->media_type), "%s",
		       FB_MT_OCI_MANIFEST);
	both[1] = both[0];
	both[1].record.config.hash[0] ^= 1;
	(void)fb_digest_of("x", 1, &both[1].record.manifest);
	both[1].blobs =
		(struct fb_blob_ref[]){ { .digest = both[1].record.manifest,
					  .size_bytes = 1 } };
	both[1].blob_count = 1;
	TAP_INT(fb_store_images_put(f.store, both, 2, &err), -ENOENT, "%s",
		err.msg);
	(void)fb_store_image_list(f.store, &list, NULL);
	TAP_INT(list.count, 0, "nothing became visible");
	fixture_end(&f);
}

/* What kill -9 between the commit and index.json leaves. */
static void test_index_heals(void)
{
	struct fixture f;
	const char *names[] = { A1, NULL };
	FB_FREE char *before = NULL;
	FB_FREE char *after = NULL;
	FB_FREE char *path = NULL;
	FB_IMAGE_RECORDS struct fb_image_records list = { 0 };

	fixture_start(&f);
	(void)fixture_image(&f, "1", "1", "1", names);
	before = index_text(&f);
	path = fb_path_join(f.dir, "oci/index.json");
	(void)fb_write_file_at(AT_FDCWD, path, "{}", 2, 0644);
	sql(&f, "UPDATE meta SET value = value + 1 WHERE key='generation'");
	fixture_reopen(&f);
	TAP_INT(fb_store_image_list(f.store, &list, NULL), 0, "any command");
	after = index_text(&f);
	TAP_STR(after, before, "brings index.json up to date");
	fixture_end(&f);
}

static void check_facts(struct fixture *f, const struct fb_digest *manifest,
			const char *want, const char *what)
{
	FB_STRV struct fb_strv facts = { 0 };
	FB_STR struct fb_str out = FB_STR_INIT(4096);

	TAP_INT(fb_store_image_facts(f->store, manifest, &facts, NULL), 0,
		"facts");
	for (size_t i = 0; i < facts.count; i++)
		(void)fb_str_printf(&out, "%s;", facts.v[i]);
	TAP_STR(out.buf ? out.buf : "", want, "%s", what);
}

static void test_facts(void)
{
	FB_STRV struct fb_strv facts = { 0 };
	struct fb_image_removal removal = { 0 };
	const char *names[] = { A1, NULL };
	struct fb_digest one, two;
	struct fixture f;

	fixture_start(&f);
	one = fixture_image(&f, "1", "1", "1", names);
	two = fixture_image(&f, "2", "2", "2", NULL);
	(void)fb_strv_add(&facts, "it is round");
	(void)fb_strv_add(&facts, "from far");
	TAP_INT(fb_store_image_add_facts(f.store, &one, &facts, NULL), 0,
		"two facts");
	TAP_INT(fb_store_image_add_facts(f.store, &one, &facts, NULL), 0,
		"once more");
	check_facts(&f, &one, "from far;it is round;", "each once");
	check_facts(&f, &two, "", "none of another image");
	(void)fb_store_image_remove(f.store, A1, NULL, true, &removal, NULL);
	fb_image_removal_release(&removal);
	TAP_INT(fb_store_image_add_facts(f.store, &one, &facts, NULL), -ENOENT,
		"of no image");
	(void)fixture_image(&f, "1", "1", "1", names);
	check_facts(&f, &one, "", "they went with the image");

	/* what version 1 left */
	sql(&f, "DROP TABLE fact; PRAGMA user_version=1");
	fixture_reopen(&f);
	TAP_INT(fb_store_image_add_facts(f.store, &one, &facts, NULL), 0,
		"a store of before");
	check_facts(&f, &one, "from far;it is round;", "takes facts");
	fixture_end(&f);
}

static void test_versions_and_damage(void)
{
	struct fixture f;
	FB_IMAGE_RECORDS struct fb_image_records list = { 0 };
	FB_FREE char *path = NULL;
	struct fb_err err = { 0 };

	fixture_start(&f);
	(void)fb_store_image_list(f.store, &list, NULL);
	sql(&f, "PRAGMA user_version=1000");
	fixture_reopen(&f);
	TAP_INT(fb_store_image_list(f.store, &list, &err), -EOPNOTSUPP, "%s",
		err.msg);
	TAP_OK(strstr(err.hint, "newer") != NULL, "with a hint: %s", err.hint);
	TAP_INT(fb_store_image_list(f.store, &list, &err), -EOPNOTSUPP,
		"every time");
	fb_store_close(f.store);
	f.store = NULL;
	path = fb_path_join(f.dir, "catalogue.db");
	(void)fb_write_file_at(AT_FDCWD, path,
			       "this is no database at all, "
			       "is it",
			       33, 0600);
	fixture_open(&f);
	TAP_INT(fb_store_image_list(f.store, &list, &err), -EBADMSG, "%s",
		err.msg);
	TAP_OK(err.hint[0] != '\0', "with a hint: %s", err.hint);
	fixture_end(&f);
}

/* Sixteen processes make the same database at once. */
static void test_birth_race(void)
{
	struct fixture f;
	int failed = 0;

	fixture_start(&f);
	for (int i = 0; i < 16; i++) {
		if (fork() == 0) {
			FB_IMAGE_RECORDS struct fb_image_records list = { 0 };

			fb_store_close(f.store);
			fixture_open(&f);
			_exit(fb_store_image_list(f.store, &list, NULL) == 0
				      ? 0
				      : 1);
		}
	}
	for (int i = 0; i < 16; i++) {
		int status = 0;

		(void)wait(&status);
		failed += status != 0;
	}
	TAP_INT(failed, 0, "sixteen first commands at once");
	fixture_end(&f);
}

static void test_rootfs(void)
{
	struct fixture f;
	FB_STORE_TEMP struct fb_store_temp temp = FB_STORE_TEMP_INIT;
	struct fb_rootfs_record record = { .size_bytes = 5 }, got = { 0 };
	struct fb_image_removal gone = { 0 };
	const char *names[] = { A1, NULL };
	FB_FREE char *path = NULL;
	struct fb_digest image;
	struct fb_err err = { 0 };
	int fd;

	fixture_start(&f);
	image = fixture_image(&f, "1", "1", "1", names);
	(void)fb_digest_of("key", 3, &record.key);
	(void)fb_digest_of("bytes", 5, &record.sha256);
	(void)snprintf(record.compression, sizeof(record.compression), "zstd");
	TAP_INT(fb_store_rootfs_open(f.store, &record.key, &image, &got, &err),
		-ENOENT, "%s", err.msg);
	(void)fb_store_temp_create(f.store, &temp, NULL);
	(void)fb_write_full(temp.fd, "bytes", 5);
	TAP_INT(fb_store_rootfs_publish(f.store, &temp, &record, &image, &err),
		0, "publish %s", err.msg);
	fd = fb_store_rootfs_open(f.store, &record.key, &image, &got, &err);
	TAP_OK(fd >= 0, "open it");
	(void)fb_close(fd);
	TAP_OK(fb_digest_equal(&got.sha256, &record.sha256), "its digest");
	TAP_STR(got.compression, "zstd", "its compression");
	TAP_INT(fb_store_collect(f.store, &gone, NULL), 0, "collect");
	TAP_INT(gone.freed_bytes, 0, "it stays while its image does");
	path = fb_store_rootfs_path(f.store, &record.key);
	(void)chmod(path, 0600);
	TAP_INT(truncate(path, 4), 0, "cut its file to 4 bytes");
	TAP_INT(fb_store_rootfs_open(f.store, &record.key, &image, &got, &err),
		-ENOENT, "a cut file is converted again");
	(void)fb_store_temp_create(f.store, &temp, NULL);
	(void)fb_write_full(temp.fd, "bytes", 5);
	(void)fb_store_rootfs_publish(f.store, &temp, &record, &image, NULL);
	/* published, but killed before its row */
	(void)fb_digest_of("key2", 4, &record.key);
	free(path);
	path = fb_store_rootfs_path(f.store, &record.key);
	(void)fb_write_file_at(AT_FDCWD, path, "stray", 5, 0444);
	TAP_INT(fb_store_collect(f.store, &gone, NULL), 0, "collect");
	TAP_OK(gone.freed_bytes % 512 == 0,
	       "a file without a row goes, its blocks are counted");
	TAP_INT(fixture_count(&f, "rootfs"), 1, "the other stays");
	TAP_INT(fb_store_image_remove(f.store, A1, NULL, false, &gone, NULL), 0,
		"remove the image");
	TAP_INT(fixture_count(&f, "rootfs"), 0, "takes it along");
	fb_image_removal_release(&gone);
	fixture_end(&f);
}

int main(void)
{
	test_empty();
	test_names_move();
	test_ids();
	test_list_order();
	test_missing_blob();
	test_index_heals();
	test_facts();
	test_versions_and_damage();
	test_birth_race();
	test_rootfs();
	return tap_done();
}
