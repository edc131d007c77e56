/* SPDX-License-Identifier: Apache-2.0 */
/* Archives made byte by byte: what no tool writes, and what an attacker would. */
#include "image_fixture.h"

static char *joined(const struct fb_strv *v)
{
	FB_STR struct fb_str out = FB_STR_INIT(65536);

	for (size_t i = 0; i < v->count; i++)
		fb_str_printf(&out, "%s%s", i ? " " : "", v->v[i]);
	return fb_str_take(&out);
}

/* Loads and compares what was loaded; releases the archive */
static int load_and_check(struct fixture *f, struct tar_maker *t,
			  const char *file, const char *name, const char *want,
			  const char *what)
{
	FB_STRV struct fb_strv loaded = { 0 };
	FB_FREE char *got = NULL;
	struct fb_err err;
	int r = load_tar(f, t, file, name, &loaded, &err);

	got = joined(&loaded);
	TAP_INT(r, 0, "%s %s", what, err.msg);
	TAP_STR(got, want, "loads '%s'", want);
	fb_str_release(&t->out);
	return r;
}

/* Loads, wants a failure, and nothing left; releases the archive */
static void load_and_fail(struct fixture *f, struct tar_maker *t, int code,
			  const char *part, const char *what)
{
	FB_STRV struct fb_strv loaded = { 0 };
	FB_IMAGE_RECORDS struct fb_image_records list = { 0 };
	int before = fixture_blobs(f);
	struct fb_err err;
	int r = load_tar(f, t, "bad.tar", NULL, &loaded, &err);

	TAP_INT(r, code, "%s: %s", what, err.msg);
	TAP_OK(strstr(err.msg, part) != NULL, "says '%s'", part);
	TAP_INT(loaded.count, 0, "nothing is loaded");
	(void)fb_store_image_list(f->store, &list, NULL);
	TAP_INT(list.count, 0, "nothing is listed");
	TAP_INT(fixture_blobs(f), before, "no blob is left");
	TAP_INT(fixture_count(f, "tmp"), 0, "no file is left");
	fb_str_release(&t->out);
}

static void docker_json(struct tar_maker *t, const char *config,
			const char *tags, const char *layers)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       "[{\"Config\":\"%s\",\"RepoTags\":%s,\"Layers\":[%s]}]",
		       config, tags, layers);
	tar_text(t, "manifest.json", text);
}

static void test_docker(void)
{
	struct fixture f;
	struct tar_maker t = TAR_MAKER_INIT;
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	struct fb_image_context ctx = { 0 };
	char text[FB_DIGEST_TEXT_MAX];
	struct parts p;

	fixture_start(&f);
	ctx.store = f.store;
	make_parts(&p, "1", "amd64");
	tar_text(&t, "repositories", "{}");
	tar_text(&t, "x/VERSION", "1.0");
	tar_text(&t, "x/json", "{}");
	tar_text(&t, "stray", "nobody asked for this");
	tar_link(&t, "x/layer.tar", '2', "../real.tar");
	tar_link(&t, "y/layer.tar", '1', "x/layer.tar");
	tar_file(&t, "real.tar", p.layer, p.layer_len);
	tar_text(&t, "./c.json", p.config);
	docker_json(&t, "c.json", "[\"app:1\",\"reg.example:5000/app:2\"]",
		    "\"y/layer.tar\"");
	tar_end(&t);
	(void)load_and_check(&f, &t, "d.tar", NULL,
			     "app:1 reg.example:5000/app:2",
			     "links in both directions, two tags");
	TAP_INT(fixture_blobs(&f), 3, "manifest, config, layer: no stray file");
	TAP_INT(fb_image_resolve(&ctx, "app:1", &record, NULL, NULL), 0,
		"find it");
	TAP_STR(fb_digest_format(&record.config, text), p.config_digest,
		"the config is byte for byte the archive's");
	TAP_STR(record.platform.arch, "amd64", "its platform");
	TAP_INT(record.created_s, 1714979289, "its time");
	fixture_end(&f);
}

static void test_docker_refusals(void)
{
	struct fixture f;
	struct tar_maker t = TAR_MAKER_INIT;
	struct parts p, q;

	fixture_start(&f);
	make_parts(&p, "1", "amd64");
	make_parts(&q, "2", "amd64");
	tar_text(&t, "c.json", p.config);
	docker_json(&t, "c.json", "null", "\"layer.tar\"");
	load_and_fail(&f, &t, -EBADMSG, "'layer.tar' is not in the archive",
		      "a layer is missing");

	tar_file(&t, "layer.tar", p.layer, p.layer_len);
	docker_json(&t, "c.json", "null", "\"layer.tar\"");
	load_and_fail(&f, &t, -EBADMSG, "'c.json' is not in the archive",
		      "the config is missing");

	tar_file(&t, "layer.tar", q.layer, q.layer_len);
	tar_text(&t, "c.json", p.config);
	docker_json(&t, "c.json", "null", "\"layer.tar\"");
	load_and_fail(&f, &t, -EBADMSG, "the config says", "another layer");

	tar_file(&t, "layer.tar", p.layer, p.layer_len);
	tar_text(&t, "c.json", p.config);
	docker_json(&t, "c.json", "null", "\"layer.tar\",\"layer.tar\"");
	load_and_fail(&f, &t, -EBADMSG, "diff_ids", "one layer too many");

	tar_text(&t, "layer.tar", "x");
	tar_text(&t, "c.json", "{\"rootfs\":");
	docker_json(&t, "c.json", "null", "\"layer.tar\"");
	load_and_fail(&f, &t, -EBADMSG, "config", "a config that is no JSON");

	tar_file(&t, "layer.tar", p.layer, p.layer_len);
	tar_text(&t, "c.json", p.config);
	docker_json(&t, "c.json", "[\"Not A Name\"]", "\"layer.tar\"");
	load_and_fail(&f, &t, -EINVAL, "Not A Name", "a tag that is none");

	/* a good one before a bad one: neither becomes visible */
	tar_file(&t, "layer.tar", p.layer, p.layer_len);
	tar_text(&t, "c.json", p.config);
	tar_text(&t, "manifest.json",
		 "[{\"Config\":\"c.json\",\"RepoTags\":[\"good:1\"],"
		 "\"Layers\":[\"layer.tar\"]},"
		 "{\"Config\":\"d.json\",\"Layers\":[]}]");
	load_and_fail(&f, &t, -EBADMSG, "image 2", "one of two is bad");
	fixture_end(&f);
}

static void index_json(struct tar_maker *t, const char *digest, size_t size,
		       const char *extra)
{
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
		       "\"" FB_MT_OCI_MANIFEST
		       "\",\"digest\":\"%s\",\"size\":%zu%s}]}",
		       digest, size, extra);
	tar_text(t, "index.json", text);
}

#define REF_NAME(ref_) \
	",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" ref_ "\"}"

static void test_oci_names(void)
{
	struct fixture f;
	struct tar_maker t = TAR_MAKER_INIT;
	struct parts p;
	char want[256];
	static const struct {
		const char *extra, *file, *name, *want;
	} cases[] = {
		{ "", "some.tar", NULL, NULL },
		{ "", "some.tar", "given", "given:latest" },
		{ REF_NAME("v1"), "Some.tar", NULL, "some:v1" },
		{ REF_NAME("v1"), "a b.tar", NULL, NULL },
		{ REF_NAME("v1"), "some.tar", "x/y:z", "x/y:z" },
		{ REF_NAME("reg.example/a:2"), "some.tar", NULL,
		  "reg.example/a:2" },
		{ REF_NAME("docker.io/library/a:2"), "some.tar", NULL, "a:2" },
		{ ",\"annotations\":{\"org.opencontainers.image.ref.name\":"
		  "\"3\",\"io.containerd.image.name\":"
		  "\"docker.io/library/b:3\"}",
		  "some.tar", NULL, "b:3" },
	};

	make_parts(&p, "1", "amd64");
	(void)snprintf(want, sizeof(want), "%s", p.config_digest);
	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		fixture_start(&f);
		tar_layout(&t);
		tar_parts(&t, &p);
		index_json(&t, p.manifest_digest, strlen(p.manifest),
			   cases[i].extra);
		tar_end(&t);
		(void)load_and_check(&f, &t, cases[i].file, cases[i].name,
				     cases[i].want ? cases[i].want : want,
				     cases[i].extra);
		TAP_INT(fixture_blobs(&f), 3, "three blobs");
		fixture_end(&f);
	}
}

/* A name with a digest is a claim about what that digest is. */
static void test_digest_claims(void)
{
	struct fixture f;
	struct tar_maker t = TAR_MAKER_INIT;
	struct parts p;
	FB_FREE char *extra = NULL;
	FB_FREE char *want = NULL;

	fixture_start(&f);
	make_parts(&p, "1", "amd64");
	tar_layout(&t);
	tar_parts(&t, &p);
	index_json(&t, p.manifest_digest, strlen(p.manifest),
		   REF_NAME("docker.io/library/alpine@sha256:"
			    "0123456789012345678901234567890123456789"
			    "012345678901234567890123"));
	(void)load_and_check(&f, &t, "x.tar", NULL, p.config_digest,
			     "a false claim gives no name");
	if (asprintf(&extra, REF_NAME("docker.io/library/alpine@%s"),
		     p.manifest_digest) < 0 ||
	    asprintf(&want, "alpine@%s", p.manifest_digest) < 0)
		abort();
	tar_layout(&t);
	tar_parts(&t, &p);
	index_json(&t, p.manifest_digest, strlen(p.manifest), extra);
	(void)load_and_check(&f, &t, "x.tar", NULL, want, "a true one does");
	fixture_end(&f);
}

static void test_oci_platforms(void)
{
	struct fixture f;
	struct tar_maker t = TAR_MAKER_INIT;
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	struct fb_image_context ctx = { 0 };
	struct fb_platform host;
	struct parts mine, other;
	char index[2048], digest[FB_DIGEST_TEXT_MAX], text[FB_DIGEST_TEXT_MAX];

	fixture_start(&f);
	ctx.store = f.store;
	fb_platform_host(&host);
	make_parts(&mine, "1", host.arch);
	make_parts(&other, "2", "s390x");
	(void)snprintf(index, sizeof(index),
		       "{\"schemaVersion\":2,\"mediaType\":\"" FB_MT_OCI_INDEX
		       "\",\"manifests\":["
		       "{\"mediaType\":\"" FB_MT_OCI_MANIFEST
		       "\",\"digest\":\"%s\",\"size\":%zu,\"platform\":"
		       "{\"os\":\"linux\",\"architecture\":\"s390x\"}},"
		       "{\"mediaType\":\"" FB_MT_OCI_MANIFEST
		       "\",\"digest\":\"%s\",\"size\":%zu,\"platform\":"
		       "{\"os\":\"linux\",\"architecture\":\"%s\"}}]}",
		       other.manifest_digest, strlen(other.manifest),
		       mine.manifest_digest, strlen(mine.manifest), host.arch);
	digest_text(index, strlen(index), digest);
	/* the other platform's blobs are not in it: they are not needed */
	tar_layout(&t);
	tar_parts(&t, &mine);
	tar_blob(&t, index, strlen(index));
	{
		char top[1024];

		(void)snprintf(top, sizeof(top),
			       "{\"schemaVersion\":2,\"manifests\":["
			       "{\"mediaType\":\"" FB_MT_OCI_INDEX
			       "\",\"digest\":\"%s\",\"size\":%zu}]}",
			       digest, strlen(index));
		tar_text(&t, "index.json", top);
	}
	(void)load_and_check(&f, &t, "x.tar", "multi:1", "multi:1",
			     "an index in the index");
	TAP_INT(fb_image_resolve(&ctx, "multi:1", &record, NULL, NULL), 0,
		"find it");
	TAP_STR(fb_digest_format(&record.manifest, text), mine.manifest_digest,
		"it is the one for this machine");
	TAP_INT(fixture_blobs(&f), 4, "with its index");

	/* the same directly in index.json */
	fb_image_record_release(&record);
	tar_layout(&t);
	tar_parts(&t, &mine);
	tar_parts(&t, &other);
	tar_text(&t, "index.json", index);
	(void)load_and_check(&f, &t, "x.tar", "multi:2", "multi:2",
			     "platforms in index.json");
	TAP_INT(fb_image_resolve(&ctx, "multi:2", &record, NULL, NULL), 0,
		"find it");
	TAP_STR(fb_digest_format(&record.manifest, text), mine.manifest_digest,
		"it is the one for this machine");
	TAP_INT(fixture_blobs(&f), 4, "the other's blobs did not stay");
	fixture_end(&f);
}

static void test_oci_refusals(void)
{
	struct fixture f;
	struct tar_maker t = TAR_MAKER_INIT;
	struct parts p;
	char name[200];

	fixture_start(&f);
	make_parts(&p, "1", "amd64");

	tar_layout(&t);
	tar_parts(&t, &p);
	index_json(&t, p.manifest_digest, strlen(p.manifest) + 1, "");
	load_and_fail(&f, &t, -EBADMSG, "bytes instead of", "a wrong size");

	tar_layout(&t);
	tar_blob(&t, p.manifest, strlen(p.manifest));
	tar_blob(&t, p.config, strlen(p.config));
	index_json(&t, p.manifest_digest, strlen(p.manifest), "");
	load_and_fail(&f, &t, -EBADMSG, "layer 1", "a layer is missing");

	tar_layout(&t);
	tar_blob(&t, p.manifest, strlen(p.manifest));
	tar_blob(&t, p.layer, p.layer_len);
	index_json(&t, p.manifest_digest, strlen(p.manifest), "");
	load_and_fail(&f, &t, -EBADMSG, "is not in the archive",
		      "the config is missing");

	tar_layout(&t);
	tar_parts(&t, &p);
	load_and_fail(&f, &t, -EBADMSG, "no image archive",
		      "index.json is missing");

	tar_layout(&t);
	tar_parts(&t, &p);
	tar_text(&t, blob_name(p.layer_digest, name), "something else");
	index_json(&t, p.manifest_digest, strlen(p.manifest), "");
	load_and_fail(&f, &t, -EBADMSG, "is not what its digest says",
		      "a blob is another's bytes");

	tar_text(&t, "oci-layout", "{\"imageLayoutVersion\":\"9.0\"}");
	tar_parts(&t, &p);
	index_json(&t, p.manifest_digest, strlen(p.manifest), "");
	load_and_fail(&f, &t, -EOPNOTSUPP, "version '9.0'", "another version");

	tar_layout(&t);
	tar_text(&t, "index.json", "{\"schemaVersion\":2,\"manifests\":[]}");
	load_and_fail(&f, &t, -EBADMSG, "no image in it", "an empty index");

	/* an index that names itself cannot be made; three deep can */
	tar_layout(&t);
	{
		char a[512], b[512], digest[FB_DIGEST_TEXT_MAX];

		(void)snprintf(a, sizeof(a),
			       "{\"schemaVersion\":2,\"mediaType\":"
			       "\"" FB_MT_OCI_INDEX "\",\"manifests\":[]}");
		for (int i = 0; i < 3; i++) {
			digest_text(a, strlen(a), digest);
			tar_blob(&t, a, strlen(a));
			(void)snprintf(b, sizeof(b),
				       "{\"schemaVersion\":2,\"mediaType\":"
				       "\"" FB_MT_OCI_INDEX
				       "\",\"manifests\":[{\"mediaType\":"
				       "\"" FB_MT_OCI_INDEX
				       "\",\"digest\":\"%s\",\"size\":%zu}]}",
				       digest, strlen(a));
			memcpy(a, b, sizeof(a));
		}
		tar_text(&t, "index.json", a);
	}
	load_and_fail(&f, &t, -ENOENT, "no image for", "indexes three deep");
	fixture_end(&f);
}

static void test_hostile_members(void)
{
	struct fixture f;
	struct tar_maker t = TAR_MAKER_INIT;
	struct parts p;

	fixture_start(&f);
	make_parts(&p, "1", "amd64");

	tar_text(&t, "../../etc/evil", "x");
	load_and_fail(&f, &t, -EBADMSG, "leads out", "a name that leads out");

	tar_link(&t, "layer.tar", '2', "/etc/passwd");
	load_and_fail(&f, &t, -EBADMSG, "not in the archive",
		      "a link that leads out");

	tar_link(&t, "layer.tar", '2', "layer.tar");
	tar_text(&t, "c.json", p.config);
	docker_json(&t, "c.json", "null", "\"layer.tar\"");
	load_and_fail(&f, &t, -EBADMSG, "'layer.tar' is not",
		      "a link to itself");

	tar_header(&t, "dev", '3', "", 0);
	load_and_fail(&f, &t, -EBADMSG, "device", "a device");

	tar_header(&t, "huge", '0', "", 07777777777);
	fb_str_append(&t.out, p.layer, 512);
	load_and_fail(&f, &t, -EBADMSG, "huge", "a body that is cut off");

	tar_header(&t, "index.json", '0', "", 1u << 30);
	load_and_fail(&f, &t, -E2BIG, "index.json", "a huge index.json");

	fb_str_puts(&t.out, "this is no archive at all");
	load_and_fail(&f, &t, -EBADMSG, "", "text");

	fb_str_append(&t.out, "\x1f\x8b\x08\0\0\0\0\0\0\3garbage", 17);
	load_and_fail(&f, &t, -EBADMSG, "", "a broken gzip stream");

	load_and_fail(&f, &t, -EBADMSG, "no image archive", "an empty file");

	for (int i = 0; i <= 65536; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "link%d", i);
		tar_link(&t, name, '2', "x");
	}
	load_and_fail(&f, &t, -E2BIG, "65536 members", "too many members");
	fixture_end(&f);
}

/* As tar has it: of two members with one name, the later one counts. */
static void test_duplicates(void)
{
	struct fixture f;
	struct tar_maker t = TAR_MAKER_INIT;
	struct parts p;

	fixture_start(&f);
	make_parts(&p, "1", "amd64");
	tar_text(&t, "layer.tar", "not this");
	tar_text(&t, "c.json", "nor this");
	docker_json(&t, "c.json", "[\"no:1\"]", "\"layer.tar\"");
	tar_file(&t, "layer.tar", p.layer, p.layer_len);
	tar_text(&t, "./c.json", p.config);
	docker_json(&t, "c.json", "[\"yes:1\"]", "\"layer.tar\"");
	(void)load_and_check(&f, &t, "d.tar", NULL, "yes:1", "duplicates");
	TAP_INT(fixture_blobs(&f), 3, "what they replaced is gone");
	fixture_end(&f);
}

static void test_several(void)
{
	struct fixture f;
	struct tar_maker t = TAR_MAKER_INIT;
	FB_STRV struct fb_strv loaded = { 0 };
	struct parts p, q;
	struct fb_err err;

	fixture_start(&f);
	make_parts(&p, "1", "amd64");
	make_parts(&q, "2", "amd64");
	tar_file(&t, "p.tar", p.layer, p.layer_len);
	tar_text(&t, "p.json", p.config);
	tar_file(&t, "q.tar", q.layer, q.layer_len);
	tar_text(&t, "q.json", q.config);
	tar_text(&t, "manifest.json",
		 "[{\"Config\":\"p.json\",\"RepoTags\":[\"p:1\",\"p:2\"],"
		 "\"Layers\":[\"p.tar\"]},"
		 "{\"Config\":\"q.json\",\"RepoTags\":[\"q:1\"],"
		 "\"Layers\":[\"q.tar\"]}]");
	TAP_INT(load_tar(&f, &t, "x.tar", "one:1", &loaded, &err), -EINVAL,
		"%s", err.msg);
	TAP_INT(load_tar(&f, &t, "x.tar", "bad name", &loaded, &err), -EINVAL,
		"%s", err.msg);
	TAP_INT(fixture_blobs(&f), 0, "nothing is left");
	(void)load_and_check(&f, &t, "x.tar", NULL, "p:1 p:2 q:1",
			     "two images, three tags");
	TAP_INT(fixture_blobs(&f), 6, "six blobs");
	fixture_end(&f);
}

static void test_stdin_and_folder(void)
{
	struct fixture f;
	struct fb_image_context ctx = { 0 };
	struct tar_maker t = TAR_MAKER_INIT;
	FB_STRV struct fb_strv loaded = { 0 };
	struct fb_image_load load = { .path = "-" };
	struct fb_err err = { 0 };
	struct parts p;
	int pipefd[2], status;
	pid_t pid;

	fixture_start(&f);
	ctx.store = f.store;
	make_parts(&p, "1", "amd64");
	tar_layout(&t);
	tar_parts(&t, &p);
	index_json(&t, p.manifest_digest, strlen(p.manifest),
		   REF_NAME("a/b:1"));
	tar_end(&t);
	/* much behind the end marker: a writer must not be cut off */
	for (int i = 0; i < 300; i++)
		tar_end(&t);
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		abort();
	pid = fork();
	if (pid == 0) {
		(void)close(pipefd[0]);
		_exit(fb_write_full(pipefd[1], t.out.buf, t.out.len) == 0 ? 0
									  : 1);
	}
	(void)close(pipefd[1]);
	load.fd = pipefd[0];
	TAP_INT(fb_image_load(&ctx, &load, &loaded, &err), 0, "from a pipe %s",
		err.msg);
	(void)waitpid(pid, &status, 0);
	TAP_INT(status, 0, "the pipe was read to its end");
	TAP_STR(loaded.count ? loaded.v[0] : NULL, "a/b:1", "named as it says");
	(void)close(pipefd[0]);
	fb_str_release(&t.out);

	load.path = f.dir;
	TAP_INT(fb_image_load(&ctx, &load, &loaded, &err), -EBADMSG, "%s",
		err.msg);
	load.path = "/does/not/exist";
	TAP_INT(fb_image_load(&ctx, &load, &loaded, &err), -ENOENT, "%s",
		err.msg);
	fixture_end(&f);
}

/* Our own store is an OCI layout like any other. */
static void test_own_layout(void)
{
	struct fixture f, g;
	struct fb_image_context ctx = { 0 };
	struct tar_maker t = TAR_MAKER_INIT;
	FB_STRV struct fb_strv loaded = { 0 };
	FB_FREE char *path = NULL;
	FB_FREE char *blob = NULL;
	struct fb_image_load load = { .fd = -1 };
	struct fb_err err = { 0 };
	char name[200];
	struct parts p;

	fixture_start(&f);
	make_parts(&p, "1", "amd64");
	tar_layout(&t);
	tar_parts(&t, &p);
	index_json(&t, p.manifest_digest, strlen(p.manifest), "");
	(void)load_and_check(&f, &t, "x.tar", "own:1", "own:1", "load");
	fixture_start(&g);
	ctx.store = g.store;
	path = fixture_path(&f, "oci");
	load.path = path;
	TAP_INT(fb_image_load(&ctx, &load, &loaded, &err), 0, "copy %s",
		err.msg);
	TAP_STR(loaded.count ? loaded.v[0] : NULL, "own:1", "with its name");
	TAP_INT(fixture_blobs(&g), 3, "and all blobs");
	fixture_end(&g);

	/* a blob that leads out of the folder, or is none */
	blob = fb_path_join(path, blob_name(p.layer_digest, name));
	(void)unlink(blob);
	if (symlink("/etc/passwd", blob) < 0)
		abort();
	fixture_start(&g);
	ctx.store = g.store;
	TAP_INT(fb_image_load(&ctx, &load, &loaded, &err), -EXDEV, "%s",
		err.msg);
	(void)unlink(blob);
	if (mkfifo(blob, 0600) < 0)
		abort();
	TAP_INT(fb_image_load(&ctx, &load, &loaded, &err), -EBADMSG, "%s",
		err.msg);
	(void)unlink(blob);
	(void)fb_write_file_at(AT_FDCWD, blob, p.config, p.layer_len, 0600);
	TAP_INT(fb_image_load(&ctx, &load, &loaded, &err), -EBADMSG, "%s",
		err.msg);
	TAP_INT(fixture_blobs(&g), 0, "nothing is left");
	fixture_end(&g);
	fixture_end(&f);
}

int main(void)
{
	test_docker();
	test_docker_refusals();
	test_oci_names();
	test_digest_claims();
	test_oci_platforms();
	test_oci_refusals();
	test_hostile_members();
	test_duplicates();
	test_several();
	test_stdin_and_folder();
	test_own_layout();
	return tap_done();
}
