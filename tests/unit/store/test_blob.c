/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static struct fb_digest digest_of(const char *text)
{
	struct fb_digest d = { 0 };

	(void)fb_digest_of(text, strlen(text), &d);
	return d;
}

static struct fb_blob_writer *start(struct fixture *f,
				    const struct fb_blob_options *options)
{
	struct fb_blob_writer *w = NULL;
	struct fb_err err = { 0 };
	int r = fb_store_blob_create(f->store, options, &w, &err);

	TAP_INT(r, 0, "create a writer %s", err.msg);
	return w;
}

static void test_write_and_read(void)
{
	struct fixture f;
	struct fb_blob_options any = { .size_bytes = UINT64_MAX };
	struct fb_blob_writer *w;
	struct fb_digest got, want = digest_of("hello world");
	FB_FREE char *data = NULL;
	FB_FD int fd = -EBADF;
	uint64_t size = 0;
	size_t len = 0;
	char buf[8];

	fixture_start(&f);
	w = start(&f, &any);
	TAP_INT(fb_store_blob_write(w, "wrong", 5, NULL), 0, "write");
	TAP_INT(fb_store_blob_restart(w, NULL), 0, "restart");
	TAP_INT(fb_store_blob_size(w), 0, "nothing is left");
	TAP_INT(fb_store_blob_write(w, "hello ", 6, NULL), 0, "write again");
	TAP_INT(fb_store_blob_write(w, "world", 5, NULL), 0, "and more");
	TAP_INT(fb_store_blob_read(w, 6, buf, sizeof(buf)), 5, "read back");
	TAP_OK(!memcmp(buf, "world", 5), "what was written");
	TAP_INT(fb_store_blob_read(w, 11, buf, sizeof(buf)), 0, "to its end");
	TAP_OK(!fb_store_blob_has(f.store, &want, UINT64_MAX),
	       "nothing is visible before the commit");
	TAP_INT(fb_store_blob_commit(w, &got, NULL), 0, "commit");
	TAP_OK(fb_digest_equal(&got, &want), "the digest is its content's");
	TAP_INT(fixture_count(&f, "tmp"), 0, "no temporary file is left");
	TAP_OK(fb_store_blob_has(f.store, &want, 11), "it is there");
	TAP_OK(!fb_store_blob_has(f.store, &want, 12), "with its size only");
	fd = fb_store_blob_open(f.store, &want, 11, &size, NULL);
	TAP_OK(fd >= 0, "open it");
	TAP_INT(size, 11, "its size");
	TAP_INT(fb_store_blob_open(f.store, &want, 12, NULL, NULL), -EBADMSG,
		"not with another size");
	TAP_INT(fb_store_blob_load(f.store, &want, 100, &data, &len, NULL), 0,
		"load it");
	TAP_STR(data, "hello world", "whole");
	TAP_INT(fb_store_blob_load(f.store, &want, 10, &data, &len, NULL),
		-EFBIG, "not over a limit");
	want = digest_of("something else");
	TAP_INT(fb_store_blob_open(f.store, &want, 5, NULL, NULL), -ENOENT,
		"another one is not there");
	fixture_end(&f);
}

static void test_refused(void)
{
	struct fixture f;
	struct fb_digest want = digest_of("good");
	struct fb_blob_options exact = { .digest = &want, .size_bytes = 4 };
	struct fb_blob_writer *w;
	struct fb_err err = { 0 };

	fixture_start(&f);
	w = start(&f, &exact);
	TAP_INT(fb_store_blob_write(w, "bad!", 4, NULL), 0, "write");
	TAP_INT(fb_store_blob_commit(w, NULL, &err), -EBADMSG, "%s", err.msg);
	fb_store_blob_discard(w);
	w = start(&f, &exact);
	TAP_INT(fb_store_blob_write(w, "goo", 3, NULL), 0, "write");
	TAP_INT(fb_store_blob_commit(w, NULL, &err), -EBADMSG, "%s", err.msg);
	fb_store_blob_discard(w);
	w = start(&f, &exact);
	TAP_INT(fb_store_blob_write(w, "good too", 8, &err), -EFBIG, "%s",
		err.msg);
	fb_store_blob_discard(w);
	TAP_OK(!fb_store_blob_has(f.store, &want, UINT64_MAX),
	       "nothing was published");
	TAP_INT(fixture_count(&f, "tmp"), 0, "nothing is left");
	fixture_end(&f);
}

static void test_sha512(void)
{
	struct fixture f;
	struct fb_digest want = { 0 };
	struct fb_blob_options exact = { .digest = &want, .size_bytes = 3 };
	struct fb_blob_writer *w;
	FB_FREE char *path = NULL;
	struct stat st;
	/* printf abc | sha512sum */
	const char text[] =
		"sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee"
		"64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac"
		"94fa54ca49f";

	fixture_start(&f);
	TAP_INT(fb_digest_parse(text, &want, NULL), 0, "a sha512 digest");
	w = start(&f, &exact);
	TAP_INT(fb_store_blob_write(w, "abc", 3, NULL), 0, "write");
	TAP_INT(fb_store_blob_commit(w, NULL, NULL), 0, "commit");
	if (asprintf(&path, "%s/oci/blobs/sha512/%s", f.dir, text + 7) < 0)
		abort();
	TAP_OK(stat(path, &st) == 0 && st.st_size == 3,
	       "stands where an OCI layout has it");
	fixture_end(&f);
}

static void test_resume(void)
{
	struct fixture f;
	struct fb_digest want = digest_of("hello world");
	struct fb_blob_options o = { .digest = &want,
				     .size_bytes = 11,
				     .resume = true };
	struct fb_blob_writer *w, *other = NULL;
	struct fb_err err = { 0 };

	fixture_start(&f);
	w = start(&f, &o);
	TAP_INT(fb_store_blob_write(w, "hello ", 6, NULL), 0, "write a part");
	TAP_INT(fb_store_blob_create(f.store, &o, &other, &err), -EBUSY, "%s",
		err.msg);
	fb_store_blob_suspend(w);
	TAP_INT(fixture_count(&f, "partial"), 1, "the part stays");
	w = start(&f, &o);
	TAP_INT(fb_store_blob_size(w), 6, "and is taken up");
	TAP_INT(fb_store_blob_write(w, "world", 5, NULL), 0, "write the rest");
	TAP_INT(fb_store_blob_commit(w, NULL, &err), 0, "commit %s", err.msg);
	TAP_INT(fixture_count(&f, "partial"), 0, "no part is left");

	/* a part that is wrong, as a power cut leaves it */
	want = digest_of("other bytes");
	w = start(&f, &o);
	TAP_INT(fb_store_blob_write(w, "\0\0\0\0", 4, NULL), 0, "zeroes");
	fb_store_blob_suspend(w);
	w = start(&f, &o);
	TAP_INT(fb_store_blob_write(w, "r bytes", 7, NULL), 0, "the rest");
	TAP_INT(fb_store_blob_commit(w, NULL, NULL), -EBADMSG,
		"wrong as a whole");
	fb_store_blob_suspend(w);
	TAP_INT(fixture_count(&f, "partial"), 0, "is not offered again");

	/* caller_verifies still checks the size */
	o.verified = true;
	w = start(&f, &o);
	TAP_INT(fb_store_blob_write(w, "oth", 3, NULL), 0, "a part");
	fb_store_blob_suspend(w);
	w = start(&f, &o);
	TAP_INT(fb_store_blob_size(w), 3, "is taken up unhashed");
	TAP_INT(fb_store_blob_commit(w, NULL, NULL), -EBADMSG,
		"too short is too short");
	fb_store_blob_discard(w);
	TAP_INT(fixture_count(&f, "partial"), 0, "discarded");
	fixture_end(&f);
}

static void test_existing_and_damaged(void)
{
	struct fixture f;
	struct fb_blob_ref ref;
	FB_FREE char *path = NULL;
	FB_FREE char *data = NULL;
	char hex[FB_DIGEST_TEXT_MAX];
	struct fb_err err = { 0 };
	struct stat before, after;
	size_t len;

	fixture_start(&f);
	ref = fixture_blob(&f, NULL, "content");
	if (asprintf(&path, "%s/oci/blobs/sha256/%s", f.dir,
		     fb_digest_hex(&ref.digest, hex)) < 0)
		abort();
	(void)stat(path, &before);
	(void)fixture_blob(&f, NULL, "content");
	(void)stat(path, &after);
	TAP_OK(before.st_ino == after.st_ino, "an existing blob stays");
	TAP_INT(truncate(path, 3), 0, "cut its file to 3 bytes");
	TAP_OK(!fb_store_blob_has(f.store, &ref.digest, ref.size_bytes),
	       "a cut one is not had");
	(void)fixture_blob(&f, NULL, "content");
	TAP_OK(fb_store_blob_has(f.store, &ref.digest, ref.size_bytes),
	       "and is replaced");
	(void)fb_write_file_at(AT_FDCWD, path, "CONTENT", 7, 0644);
	TAP_INT(fb_store_blob_load(f.store, &ref.digest, 100, &data, &len,
				   &err),
		-EBADMSG, "changed bytes are noticed: %s", err.msg);
	fixture_end(&f);
}

static int count_blob(void *ctx, const struct fb_digest *digest,
		      uint64_t size_bytes)
{
	(void)digest;
	*(uint64_t *)ctx += size_bytes;
	return 0;
}

static void test_leases_and_collection(void)
{
	struct fixture f;
	struct fb_lease *lease = NULL;
	struct fb_image_removal gone = { 0 };
	struct fb_blob_ref mine, stray;
	uint64_t bytes = 0;
	bool has = true;

	fixture_start(&f);
	TAP_INT(fb_store_lease_open(f.store, &lease, NULL), 0, "open a lease");
	mine = fixture_blob(&f, lease, "leased");
	stray = fixture_blob(&f, NULL, "stray");
	TAP_INT(fb_store_blob_list(f.store, count_blob, &bytes, NULL), 0,
		"list");
	TAP_INT(bytes, 11, "both are there");
	TAP_INT(fb_store_collect(f.store, &gone, NULL), 0, "collect");
	TAP_OK(fb_store_blob_has(f.store, &mine.digest, 6),
	       "what is leased stays");
	TAP_OK(!fb_store_blob_has(f.store, &stray.digest, 5),
	       "what is not goes");
	TAP_OK(gone.freed_bytes % 512 == 0, "its blocks are counted");
	TAP_INT(gone.deleted.count, 1, "and it is named");
	stray = fixture_blob(&f, NULL, "stray");
	TAP_INT(fb_store_lease_add(lease, &stray.digest, 5, &has, NULL), 0,
		"lease what is there");
	TAP_OK(has, "it is there");
	TAP_INT(fb_store_lease_add(lease, &stray.digest, 6, &has, NULL), 0,
		"with another size");
	TAP_OK(!has, "it is not");
	fb_image_removal_release(&gone);
	TAP_INT(fb_store_collect(f.store, &gone, NULL), 0, "collect");
	TAP_INT(gone.deleted.count, 0, "nothing goes");
	fb_store_lease_close(lease);
	TAP_INT(fixture_count(&f, "leases"), 0, "the lease is gone");
	TAP_INT(fb_store_collect(f.store, &gone, NULL), 0, "collect");
	TAP_INT(gone.deleted.count, 2, "now both go");
	fb_image_removal_release(&gone);
	fixture_end(&f);
}

/* What a process leaves that is killed while it writes. */
static void test_reaping(void)
{
	struct fixture f;
	struct fb_store_temp temp = FB_STORE_TEMP_INIT;
	pid_t pid;

	fixture_start(&f);
	pid = fork();
	if (pid == 0) {
		struct fb_lease *lease = NULL;

		fb_store_close(f.store);
		fixture_open(&f);
		(void)fb_store_temp_create(f.store, &temp, NULL);
		(void)fb_store_lease_open(f.store, &lease, NULL);
		_exit(temp.fd >= 0 && lease ? 0 : 1);
	}
	(void)waitpid(pid, &(int){ 0 }, 0);
	TAP_INT(fixture_count(&f, "tmp"), 1, "a dead writer's file");
	TAP_INT(fixture_count(&f, "leases"), 1, "and its lease");
	TAP_INT(fb_store_temp_create(f.store, &temp, NULL), 0, "and our own");
	f.log[0] = '\0';
	{
		FB_STORE struct fb_store *second = NULL;

		TAP_INT(fb_store_open(&f.roots, &f.sink, &second, NULL), 0,
			"the next command");
	}
	TAP_INT(fixture_count(&f, "tmp"), 1, "removes the dead one only");
	TAP_INT(fixture_count(&f, "leases"), 0, "and the lease");
	TAP_OK(strstr(f.log, "left by a process that is gone") != NULL,
	       "and says so");
	TAP_INT(fb_store_temp_publish(&temp, FB_STORE_DIR_DISKS, "t", 0600,
				      NULL),
		0, "ours can still be published");
	TAP_INT(fixture_count(&f, "disks"), 1, "where it should");
	fb_store_temp_discard(&temp);
	fixture_end(&f);
}

static void test_work_lock(void)
{
	struct fixture f;
	struct fb_work_lock a = FB_WORK_LOCK_INIT, b = FB_WORK_LOCK_INIT;
	struct fb_err err = { 0 };
	int pipefd[2], status = 0;
	char byte;
	pid_t pid;

	fixture_start(&f);
	TAP_INT(fb_store_work_lock(f.store, "convert", "k", true, &a, NULL), 0,
		"lock");
	TAP_INT(fb_store_work_lock(f.store, "convert", "k", false, &b, &err),
		-EWOULDBLOCK, "%s", err.msg);
	TAP_INT(fb_store_work_lock(f.store, "pull", "k", false, &b, NULL), 0,
		"another kind is another lock");
	fb_store_work_unlock(&b);
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		/* a description of our own: the parent's would be shared */
		fb_store_close(f.store);
		(void)fb_close(a.fd);
		fixture_open(&f);
		if (write(pipefd[1], "x", 1) != 1)
			_exit(2);
		_exit(fb_store_work_lock(f.store, "convert", "k", true, &b,
					 NULL) == 0
			      ? 0
			      : 1);
	}
	TAP_INT(read(pipefd[0], &byte, 1), 1, "another process is there");
	fb_store_work_unlock(&a);
	TAP_INT(fixture_count(&f, "locks") <= 1, 1, "the file went with it");
	(void)waitpid(pid, &status, 0);
	TAP_INT(status, 0,
		"the other one got it, although the file was "
		"removed meanwhile");
	TAP_INT(fb_store_work_lock(f.store, "convert", "k", false, &a, NULL), 0,
		"a dead owner's lock is free");
	fb_store_work_unlock(&a);
	(void)close(pipefd[0]);
	(void)close(pipefd[1]);
	fixture_end(&f);
}

int main(void)
{
	test_write_and_read();
	test_refused();
	test_sha512();
	test_resume();
	test_existing_and_damaged();
	test_leases_and_collection();
	test_reaping();
	test_work_lock();
	return tap_done();
}
