/* SPDX-License-Identifier: Apache-2.0 */
/* Names, ids, lists: what the user types and what is shown. */
#include "image/pull.h"
#include "image_fixture.h"

struct setup {
	struct fixture f;
	struct fb_image_context ctx;
	struct parts a, b;
};

/* Two images: a has names as a pull gives them, b has none */
static void start(struct setup *s)
{
	struct tar_maker t = TAR_MAKER_INIT;
	FB_STRV struct fb_strv loaded = { 0 };
	struct fb_digest manifest;
	char name[1024];
	struct fb_err err;

	fixture_start(&s->f);
	s->ctx = (struct fb_image_context){ .store = s->f.store,
					    .log = &s->f.sink };
	make_parts(&s->a, "a", "amd64");
	make_parts(&s->b, "b", "arm64");
	tar_layout(&t);
	tar_parts(&t, &s->a);
	tar_parts(&t, &s->b);
	(void)snprintf(name, sizeof(name),
		       "{\"schemaVersion\":2,\"manifests\":["
		       "{\"mediaType\":\"" FB_MT_OCI_MANIFEST
		       "\",\"digest\":\"%s\",\"size\":%zu,\"annotations\":{"
		       "\"org.opencontainers.image.ref.name\":\"alpine:3\"}},"
		       "{\"mediaType\":\"" FB_MT_OCI_MANIFEST
		       "\",\"digest\":\"%s\",\"size\":%zu}]}",
		       s->a.manifest_digest, strlen(s->a.manifest),
		       s->b.manifest_digest, strlen(s->b.manifest));
	tar_text(&t, "index.json", name);
	if (load_tar(&s->f, &t, "x.tar", NULL, &loaded, &err) < 0) {
		printf("Bail out! %s\n", err.msg);
		exit(1);
	}
	fb_str_release(&t.out);
	(void)fb_digest_parse(s->a.manifest_digest, &manifest, NULL);
	(void)snprintf(name, sizeof(name), "docker.io/library/alpine@%s",
		       s->a.manifest_digest);
	(void)fb_store_image_tag(s->f.store, &manifest, name, NULL);
	(void)fb_store_image_tag(s->f.store, &manifest,
				 "reg.example:5000/team/app:v1", NULL);
}

/* Return: which image it is, 'a' or 'b', or the error's number */
static int which(struct setup *s, const char *text, const char *want_name)
{
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	FB_FREE char *name = NULL;
	char digest[FB_DIGEST_TEXT_MAX];
	struct fb_err err = { 0 };
	int r = fb_image_resolve(&s->ctx, text, &record, &name, &err);

	if (r < 0) {
		TAP_OK(err.msg[0] != '\0', "'%s': %s", text, err.msg);
		return r;
	}
	if (want_name)
		TAP_STR(name, want_name, "'%s' is a name", text);
	(void)fb_digest_format(&record.manifest, digest);
	return strcmp(digest, s->a.manifest_digest) == 0 ? 'a' : 'b';
}

static void test_resolve(void)
{
	struct setup s;
	char text[256];

	start(&s);
	TAP_INT(which(&s, "alpine:3", "docker.io/library/alpine:3"), 'a',
		"short name");
	TAP_INT(which(&s, "docker.io/alpine:3", "docker.io/library/alpine:3"),
		'a', "with the registry");
	TAP_INT(which(&s, "reg.example:5000/team/app:v1",
		      "reg.example:5000/team/app:v1"),
		'a', "another registry");
	(void)snprintf(text, sizeof(text), "alpine@%s", s.a.manifest_digest);
	TAP_INT(which(&s, text, NULL), 'a', "by digest");
	(void)snprintf(text, sizeof(text), "alpine:whatever@%s",
		       s.a.manifest_digest);
	TAP_INT(which(&s, text, NULL), 'a',
		"tag and digest: the digest counts");
	(void)snprintf(text, sizeof(text), "other@%s", s.a.manifest_digest);
	TAP_INT(which(&s, text, NULL), -ENOENT, "another repository's digest");
	TAP_INT(which(&s, s.b.config_digest, ""), 'b', "a whole image id");
	TAP_INT(which(&s, s.b.config_digest + 7, ""), 'b', "without sha256:");
	(void)snprintf(text, sizeof(text), "%.12s", s.b.config_digest + 7);
	TAP_INT(which(&s, text, ""), 'b', "twelve digits");
	(void)snprintf(text, sizeof(text), "%.20s", s.b.config_digest);
	TAP_INT(which(&s, text, ""), 'b', "sha256: and some digits");
	TAP_INT(which(&s, s.b.manifest_digest, ""), 'b', "a manifest's digest");
	TAP_INT(which(&s, "alpine", NULL), -ENOENT, "another tag");
	TAP_INT(which(&s, "", NULL), -EINVAL, "nothing");
	TAP_INT(which(&s, "Upper/Case", NULL), -EINVAL, "no reference");
	TAP_INT(which(&s, "-x", NULL), -EINVAL, "no reference either");
	TAP_INT(which(&s,
		      "ffffffffffffffffffffffffffffffffffffffffffffffff"
		      "ffffffffffffffff",
		      NULL),
		-ENOENT, "an id that is not here");

	/* a name goes before an id */
	(void)snprintf(text, sizeof(text), "%.6s", s.b.config_digest + 7);
	TAP_INT(fb_image_tag(&s.ctx, "alpine:3", text, NULL), 0,
		"a tag that looks like an id");
	TAP_INT(which(&s, text, NULL), 'a', "is found as a name");
	fixture_end(&s.f);
}

static void test_tag(void)
{
	struct setup s;
	struct fb_err err = { 0 };
	char text[256];

	start(&s);
	TAP_INT(fb_image_tag(&s.ctx, s.b.config_digest, "new/name", &err), 0,
		"tag an id %s", err.msg);
	TAP_INT(which(&s, "new/name:latest", NULL), 'b', "it has the name");
	TAP_INT(fb_image_tag(&s.ctx, "alpine:3", "new/name", &err), 0,
		"move a tag");
	TAP_INT(which(&s, "new/name", NULL), 'a', "it moved");
	(void)snprintf(text, sizeof(text), "x@%s", s.a.manifest_digest);
	TAP_INT(fb_image_tag(&s.ctx, "alpine:3", text, &err), -EINVAL, "%s",
		err.msg);
	TAP_INT(fb_image_tag(&s.ctx, "alpine:3", "Bad", &err), -EINVAL, "%s",
		err.msg);
	TAP_INT(fb_image_tag(&s.ctx, "nope", "x", &err), -ENOENT, "%s",
		err.msg);
	fixture_end(&s.f);
}

static char *list_text(struct setup *s, const char *filter)
{
	FB_STR struct fb_str out = FB_STR_INIT(65536);
	FB_IMAGE_ROWS struct fb_image_rows rows = { 0 };
	FB_STRV struct fb_strv patterns = { 0 };
	struct fb_image_filter wanted = { .digests = true };
	struct fb_err err = { 0 };

	if (filter)
		(void)fb_strv_add(&patterns, filter);
	wanted.references = patterns;
	if (fb_image_list(&s->ctx, &wanted, &rows, &err) < 0)
		return strdup(err.msg);
	for (size_t i = 0; i < rows.count; i++)
		fb_str_printf(&out, "%s%s %s%s", i ? ", " : "",
			      rows.v[i].repository, rows.v[i].tag,
			      rows.v[i].digest[0] ? " @" : "");
	return fb_str_take(&out);
}

static void check_list(struct setup *s, const char *filter, const char *want)
{
	FB_FREE char *got = list_text(s, filter);

	TAP_STR(got, want, "images %s", filter ? filter : "");
}

static void test_list(void)
{
	struct setup s;
	struct fb_image_removal gone = { 0 };
	FB_FREE char *all = NULL;

	start(&s);
	/* the same creation time: any order, but always the same */
	all = list_text(&s, NULL);
	TAP_OK(strstr(all, "alpine 3 @, reg.example:5000/team/app v1") != NULL,
	       "a row a tag: %s", all);
	TAP_OK(strstr(all, "<none> <none>") != NULL, "one without any name");
	check_list(&s, "alpine", "alpine 3 @");
	check_list(&s, "alpine:3", "alpine 3 @");
	check_list(&s, "alpine:4", "");
	check_list(&s, "docker.io/library/alpine", "alpine 3 @");
	check_list(&s, "alp*", "alpine 3 @");
	check_list(&s, "*:v1", "");
	check_list(&s, "*/*/*:v?", "reg.example:5000/team/app v1");
	check_list(&s, "reg.example:5000/team/app",
		   "reg.example:5000/team/app v1");
	check_list(&s, "reg.example:5000/team/app:v1",
		   "reg.example:5000/team/app v1");
	check_list(&s, "nope", "");
	/* the digest name alone */
	TAP_INT(fb_image_tag(&s.ctx, s.b.config_digest, "alpine:3", NULL), 0,
		"the tag goes to another image");
	check_list(&s, "alpine", "alpine 3, alpine <none> @");
	TAP_INT(fb_image_remove(&s.ctx, "reg.example:5000/team/app:v1", false,
				&gone, NULL),
		0, "remove a name");
	TAP_STR(gone.untagged.v[0], "reg.example:5000/team/app:v1",
		"which is reported");
	fb_image_removal_release(&gone);
	TAP_INT(fb_image_remove(&s.ctx, "alpine:3", false, &gone, NULL), 0,
		"remove the other");
	TAP_STR(gone.untagged.v[0], "alpine:3", "in docker's spelling");
	TAP_INT(gone.deleted.count, 3, "its blobs are gone");
	fb_image_removal_release(&gone);
	fixture_end(&s.f);
}

static void test_inspect(void)
{
	struct setup s;
	FB_IMAGE_DETAILS struct fb_image_details d = { 0 };
	FB_FREE char *path = NULL;
	struct fb_err err = { 0 };
	char name[200];

	start(&s);
	TAP_INT(fb_image_inspect(&s.ctx, "alpine:3", &d, &err), 0, "inspect %s",
		err.msg);
	TAP_STR(d.config_json, s.a.config, "the config as it is");
	TAP_INT(d.manifest.layer_count, 1, "one layer");
	TAP_STR(d.config.cmd ? d.config.cmd[0] : NULL, "/bin/sh", "parsed");
	TAP_INT(d.record.names.count, 3, "three names");
	fb_image_details_release(&d);
	(void)snprintf(name, sizeof(name), "oci/blobs/sha256/%.64s",
		       s.a.config_digest + 7);
	path = fixture_path(&s.f, name);
	(void)fb_write_file_at(AT_FDCWD, path, "damage", 6, 0644);
	TAP_INT(fb_image_inspect(&s.ctx, "alpine:3", &d, &err), -EBADMSG, "%s",
		err.msg);
	TAP_OK(err.hint[0] != '\0', "with a hint: %s", err.hint);
	fixture_end(&s.f);
}

/* What can be decided without a registry. */
static void test_obtain(void)
{
	struct setup s;
	FB_IMAGE_RECORD struct fb_image_record record = { 0 };
	struct fb_image_pull pull = { .reference = "alpine:3" };
	struct fb_platform arm = { "linux", "arm64", "v8" };
	enum fb_pull_policy policy;
	struct fb_err err = { 0 };
	bool pulled = true;

	start(&s);
	TAP_INT(fb_image_obtain(&s.ctx, &pull, FB_PULL_MISSING, &record,
				&pulled, &err),
		0, "it is here %s", err.msg);
	TAP_OK(!pulled, "nobody was asked");
	fb_image_record_release(&record);
	pull.reference = s.b.config_digest;
	TAP_INT(fb_image_obtain(&s.ctx, &pull, FB_PULL_ALWAYS, &record, &pulled,
				&err),
		0, "an id is not pulled, whatever the policy");
	fb_image_record_release(&record);
	pull.reference = "sha256:0123456789";
	TAP_INT(fb_image_obtain(&s.ctx, &pull, FB_PULL_MISSING, &record,
				&pulled, &err),
		-ENOENT, "%s", err.msg);
	pull.reference = "nope";
	TAP_INT(fb_image_obtain(&s.ctx, &pull, FB_PULL_NEVER, &record, &pulled,
				&err),
		-ENOENT, "%s", err.msg);
	pull.reference = "alpine:3";
	pull.platform = &arm;
	TAP_INT(fb_image_obtain(&s.ctx, &pull, FB_PULL_NEVER, &record, &pulled,
				&err),
		-ENOENT, "%s", err.msg);
	TAP_OK(strstr(err.msg, "linux/arm64") != NULL, "names the platform");
	TAP_INT(fb_pull_policy_parse("always", &policy, NULL), 0, "always");
	TAP_INT(policy, FB_PULL_ALWAYS, "is that");
	TAP_INT(fb_pull_policy_parse("sometimes", &policy, &err), -EINVAL, "%s",
		err.msg);
	fixture_end(&s.f);
}

int main(void)
{
	test_resolve();
	test_tag();
	test_list();
	test_inspect();
	test_obtain();
	return tap_done();
}
