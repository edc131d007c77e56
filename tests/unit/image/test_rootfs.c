/* SPDX-License-Identifier: Apache-2.0 */
/* One SquashFS an image: made once, shared, written where the user wants it. */
#include <sys/socket.h>

#include "image/output.h"
#include "image/rootfs.h"
#include "image_fixture.h"

struct setup {
	struct fixture f;
	struct fb_image_context ctx;
	struct fb_image_record image;
	struct parts p;
};

static void start(struct setup *s)
{
	struct tar_maker t = TAR_MAKER_INIT;
	FB_STRV struct fb_strv loaded = { 0 };
	struct fb_err err;
	char index[1024];

	*s = (struct setup){ 0 };
	fixture_start(&s->f);
	s->ctx = (struct fb_image_context){ .store = s->f.store,
					    .log = &s->f.sink };
	make_parts(&s->p, "a", "amd64");
	tar_layout(&t);
	tar_parts(&t, &s->p);
	(void)snprintf(index, sizeof(index),
		       "{\"schemaVersion\":2,\"manifests\":["
		       "{\"mediaType\":\"" FB_MT_OCI_MANIFEST
		       "\",\"digest\":\"%s\",\"size\":%zu}]}",
		       s->p.manifest_digest, strlen(s->p.manifest));
	tar_text(&t, "index.json", index);
	if (load_tar(&s->f, &t, "x.tar", "app:1", &loaded, &err) < 0 ||
	    fb_image_resolve(&s->ctx, "app:1", &s->image, NULL, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
	fb_str_release(&t.out);
}

static void end(struct setup *s)
{
	fb_image_record_release(&s->image);
	fixture_end(&s->f);
}

static void file_digest(const char *path, char out[FB_DIGEST_TEXT_MAX])
{
	FB_FREE char *data = NULL;
	size_t len = 0;

	out[0] = '\0';
	if (fb_read_file_at(AT_FDCWD, path, 64u << 20, &data, &len) == 0)
		digest_text(data, len, out);
}

static void test_ensure(void)
{
	struct setup s;
	FB_IMAGE_ROOTFS struct fb_image_rootfs one = { .fd = -EBADF };
	FB_IMAGE_ROOTFS struct fb_image_rootfs two = { .fd = -EBADF };
	struct fb_image_removal gone = { 0 };
	char got[FB_DIGEST_TEXT_MAX], want[FB_DIGEST_TEXT_MAX], magic[4];
	struct fb_err err = { 0 };

	start(&s);
	TAP_INT(fb_image_ensure_rootfs(&s.ctx, &s.image, NULL, &one, &err), 0,
		"convert %s", err.msg);
	TAP_OK(one.converted, "it was made");
	file_digest(one.path, got);
	TAP_STR(got, fb_digest_format(&one.digest, want), "its digest is true");
	TAP_OK(fb_pread_full(one.fd, magic, 4, 0) == 4 &&
		       !memcmp(magic, "hsqs", 4),
	       "it is a SquashFS");
	TAP_INT(fb_image_ensure_rootfs(&s.ctx, &s.image, NULL, &two, &err), 0,
		"once more");
	TAP_OK(!two.converted, "nothing was made");
	TAP_STR(two.path, one.path, "it is the same file");
	TAP_INT(fixture_count(&s.f, "rootfs"), 2,
		"one file, and what is remembered of its layers");
	TAP_INT(fixture_count(&s.f, "tmp") + fixture_count(&s.f, "leases"), 0,
		"nothing else is left");
	TAP_INT(fb_image_remove(&s.ctx, "app:1", false, &gone, NULL), 0, "rmi");
	TAP_INT(fixture_count(&s.f, "rootfs"), 0, "takes it along");
	TAP_OK(fb_pread_full(one.fd, magic, 4, 0) == 4,
	       "whoever has it open keeps it");
	fb_image_removal_release(&gone);
	end(&s);
}

/* Eight processes want it at once: it is converted by one. */
static void test_once(void)
{
	struct setup s;
	int made = 0, failed = 0;

	start(&s);
	for (int i = 0; i < 8; i++) {
		if (fork() == 0) {
			FB_IMAGE_ROOTFS struct fb_image_rootfs r = {
				.fd = -EBADF
			};
			int code;

			fb_store_close(s.f.store);
			fixture_open(&s.f);
			s.ctx.store = s.f.store;
			code = fb_image_ensure_rootfs(&s.ctx, &s.image, NULL,
						      &r, NULL);
			_exit(code < 0 ? 2 : r.converted);
		}
	}
	for (int i = 0; i < 8; i++) {
		int status = 0;

		(void)wait(&status);
		made += WEXITSTATUS(status) == 1;
		failed += WEXITSTATUS(status) > 1;
	}
	TAP_INT(failed, 0, "all eight got it");
	TAP_INT(made, 1, "one of them made it");
	end(&s);
}

static void test_damaged(void)
{
	struct setup s;
	FB_IMAGE_ROOTFS struct fb_image_rootfs r = { .fd = -EBADF };
	FB_FREE char *path = NULL;
	struct fb_err err = { 0 };
	char name[200];

	start(&s);
	(void)snprintf(name, sizeof(name), "oci/blobs/sha256/%.64s",
		       s.p.layer_digest + 7);
	path = fixture_path(&s.f, name);
	s.p.layer[512] ^= 1;
	(void)fb_write_file_at(AT_FDCWD, path, s.p.layer, s.p.layer_len, 0644);
	TAP_INT(fb_image_ensure_rootfs(&s.ctx, &s.image, NULL, &r, &err),
		-EBADMSG, "a changed layer: %s", err.msg);
	(void)unlink(path);
	TAP_INT(fb_image_ensure_rootfs(&s.ctx, &s.image, NULL, &r, &err),
		-EBADMSG, "a missing one: %s", err.msg);
	TAP_INT(fixture_count(&s.f, "rootfs"), 0, "nothing was made");
	TAP_INT(fixture_count(&s.f, "tmp"), 0, "nothing is left");
	end(&s);
}

static int convert(struct setup *s, const char *path, int fd,
		   struct fb_rootfs_result *ret, struct fb_err *err)
{
	const struct fb_image_target target = { .path = path, .fd = fd };

	return fb_image_convert(&s->ctx, &s->image, NULL, &target, ret, err);
}

static void convert_to(struct setup *s, const char *path, int fd,
		       const char *want, const char *what)
{
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	char got[FB_DIGEST_TEXT_MAX];
	int r = convert(s, path, fd, &result, &err);

	TAP_INT(r, 0, "convert to %s %s", what, err.msg);
	TAP_STR(fb_digest_format(&result.digest, got), want, "the same digest");
}

static void test_convert(void)
{
	struct setup s;
	FB_IMAGE_ROOTFS struct fb_image_rootfs have = { .fd = -EBADF };
	FB_FREE char *path = NULL;
	FB_FREE char *copy = NULL;
	FB_FREE char *fifo = NULL;
	FB_FREE char *nowhere = NULL;
	FB_FREE char *mid = NULL;
	char want[FB_DIGEST_TEXT_MAX], got[FB_DIGEST_TEXT_MAX];
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	struct stat st;
	FILE *out;
	pid_t pid;
	int status = 0;

	start(&s);
	path = fixture_path(&s.f, "out.squashfs");
	TAP_INT(convert(&s, path, -1, &result, &err), 0, "convert %s", err.msg);
	(void)fb_digest_format(&result.digest, want);
	file_digest(path, got);
	TAP_STR(got, want, "its digest is true");
	TAP_OK(stat(path, &st) == 0 && (st.st_mode & 0777) == (0666 & ~022),
	       "its mode is an ordinary one");
	convert_to(&s, path, -1, want, "the same file");
	(void)fb_image_ensure_rootfs(&s.ctx, &s.image, NULL, &have, NULL);
	copy = fixture_path(&s.f, "copy.squashfs");
	convert_to(&s, copy, -1, want, "a copy of what is there");
	file_digest(copy, got);
	TAP_STR(got, want, "which is right");

	/* what is kept was damaged: convert anew */
	(void)chmod(have.path, 0644);
	(void)fb_close(open(have.path, O_WRONLY | O_CLOEXEC));
	mid = strdup(have.path);
	out = fopen(mid, "r+e");
	if (!out || fseek(out, 100, SEEK_SET) < 0 || fputs("damage", out) < 0 ||
	    fclose(out) < 0)
		abort();
	convert_to(&s, copy, -1, want,
		   "a file, though the kept one is damaged");
	file_digest(copy, got);
	TAP_STR(got, want, "which is right again");

	/* "-" and a pipe by name */
	out = tmpfile();
	convert_to(&s, "-", fileno(out), want, "a descriptor");
	TAP_OK(fstat(fileno(out), &st) == 0 &&
		       (uint64_t)st.st_size == result.image_bytes,
	       "all of it");
	(void)fclose(out);
	fifo = fixture_path(&s.f, "fifo");
	if (mkfifo(fifo, 0600) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		FB_FREE char *data = NULL;
		size_t len = 0;

		if (fb_read_file_at(AT_FDCWD, fifo, 64u << 20, &data, &len) < 0)
			_exit(1);
		digest_text(data, len, got);
		_exit(strcmp(got, want) != 0);
	}
	convert_to(&s, fifo, -1, want, "a pipe");
	(void)waitpid(pid, &status, 0);
	TAP_INT(status, 0, "the reader got it whole");

	nowhere = fixture_path(&s.f, "no/such/folder");
	TAP_INT(convert(&s, nowhere, -1, &result, &err), -ENOENT, "%s",
		err.msg);
	TAP_INT(convert(&s, s.f.dir, -1, &result, &err), -EISDIR, "%s",
		err.msg);
	TAP_INT(fixture_count(&s.f, "tmp"), 0, "nothing is left");
	end(&s);
}

/* A failed conversion leaves what was there. */
static void test_convert_fails(void)
{
	struct setup s;
	FB_FREE char *path = NULL;
	FB_FREE char *layer = NULL;
	FB_FREE char *text = NULL;
	struct fb_rootfs_result result;
	struct fb_err err = { 0 };
	char name[200];

	start(&s);
	path = fixture_path(&s.f, "mine");
	(void)mkdir(path, 0700);
	free(path);
	path = fixture_path(&s.f, "mine/out.squashfs");
	(void)fb_write_file_at(AT_FDCWD, path, "mine", 4, 0600);
	(void)snprintf(name, sizeof(name), "oci/blobs/sha256/%.64s",
		       s.p.layer_digest + 7);
	layer = fixture_path(&s.f, name);
	s.p.layer[512] ^= 1;
	(void)fb_write_file_at(AT_FDCWD, layer, s.p.layer, s.p.layer_len, 0644);
	TAP_INT(convert(&s, path, -1, &result, &err), -EBADMSG, "%s", err.msg);
	(void)fb_read_file_at(AT_FDCWD, path, 100, &text, NULL);
	TAP_STR(text, "mine", "the user's file is as it was");
	TAP_INT(fixture_count(&s.f, "mine"), 1, "nothing stands beside it");
	end(&s);
}

int main(void)
{
	(void)umask(022);
	test_ensure();
	test_once();
	test_damaged();
	test_convert();
	test_convert_fails();
	return tap_done();
}
