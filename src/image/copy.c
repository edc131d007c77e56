/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation: a copy is a pull or a load that nobody gets to see, and
 * then a push or a save of it.  The store is the place in between: what is there
 * already is not fetched, what breaks off is continued the next time, and nothing
 * goes on that was not verified.  In the end the blobs are collected, but for
 * those that an image of the store needs.
 */
#include "image/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image/copy_internal.h"
#include "store/blob.h"

static const struct {
	const char *prefix;
	enum fb_copy_kind kind;
} transports[] = {
	{ "docker://", FB_COPY_REGISTRY },
	{ "oci:", FB_COPY_OCI_DIR },
	{ "oci-archive:", FB_COPY_OCI_ARCHIVE },
	{ "docker-archive:", FB_COPY_DOCKER_ARCHIVE },
};

void fb_copy_place_release(struct fb_copy_place *place)
{
	free(place->path);
	free(place->name);
	*place = (struct fb_copy_place){ 0 };
}

/* Other tools' places; as names of repositories they would be looked for at
 * Docker Hub */
static bool is_foreign(const char *text)
{
	static const char *const names[] = { "containers-storage:",
					     "dir:",
					     "docker-daemon:",
					     "ostree:",
					     "sif:",
					     "tarball:" };

	for (size_t i = 0; i < FB_ARRAY_SIZE(names); i++)
		if (!strncmp(text, names[i], strlen(names[i])))
			return true;
	return false;
}

/* "PATH[:NAME]"; like other tools, a path with a colon is out of reach */
static int parse_path(const char *text, const char *rest,
		      struct fb_copy_place *place, struct fb_err *err)
{
	size_t n = strcspn(rest, ":");
	struct fb_reference ref;

	place->path = strndup(rest, n);
	place->name = strdup(rest[n] ? rest + n + 1 : "");
	if (!place->path || !place->name)
		return fb_err_set(err, -ENOMEM, "copy: %m");
	if (n == 0 || (rest[n] && !rest[n + 1]))
		return fb_err_set(err, -EINVAL, "'%s': %s is missing", text,
				  n == 0 ? "the path" : "the name");
	if (place->kind == FB_COPY_DOCKER_ARCHIVE && place->name[0] &&
	    fb_reference_parse(place->name, &ref, err) < 0)
		return fb_err_wrap(err, -EINVAL, "'%s'", text);
	return 0;
}

int fb_copy_place_parse(const char *text, struct fb_copy_place *ret,
			struct fb_err *err)
{
	struct fb_copy_place place = { .kind = FB_COPY_REGISTRY };
	const char *rest = text;
	int r;

	for (size_t i = 0; i < FB_ARRAY_SIZE(transports); i++) {
		size_t n = strlen(transports[i].prefix);

		if (strncmp(text, transports[i].prefix, n) != 0)
			continue;
		place.kind = transports[i].kind;
		rest = text + n;
	}
	if (is_foreign(text))
		r = fb_err_set(err, -EINVAL,
			       "'%s': copies go not through there", text);
	else if (place.kind == FB_COPY_REGISTRY)
		r = fb_reference_parse(rest, &place.ref, err);
	else
		r = parse_path(text, rest, &place, err);
	if (r < 0) {
		fb_copy_place_release(&place);
		return fb_err_hint(err, r,
				   "places are [docker://]REFERENCE, "
				   "oci:DIR[:TAG], oci-archive:FILE[:TAG] and "
				   "docker-archive:FILE[:REFERENCE]");
	}
	*ret = place;
	return 0;
}

static int check(const struct fb_copy *c, struct fb_err *err)
{
	if (!c->what->all)
		return 0;
	if (c->what->platform)
		return fb_err_set(err, -EINVAL,
				  "--all and --platform are mutually "
				  "exclusive");
	if (c->from.kind == FB_COPY_DOCKER_ARCHIVE ||
	    c->to.kind == FB_COPY_DOCKER_ARCHIVE)
		return fb_err_set(err, -EOPNOTSUPP,
				  "a docker-archive holds no index: leave "
				  "--all away");
	return 0;
}

/* What passed by is not kept, but for what images of the store are made of */
static void let_go(struct fb_copy *c)
{
	size_t count = c->doc_count + c->blob_count;
	FB_FREE struct fb_digest *all = calloc(count ? count : 1, sizeof(*all));

	fb_store_lease_close(c->lease);
	fb_loader_release(&c->loader);
	for (size_t i = 0; all && i < c->doc_count; i++)
		all[i] = c->docs[i].digest;
	for (size_t i = 0; all && i < c->blob_count; i++)
		all[c->doc_count + i] = c->blobs[i].digest;
	if (count && (!all || fb_store_collect_blobs(c->ctx->store, all, count,
						     NULL) < 0))
		fb_log(c->ctx->log, FB_LOG_INFO,
		       "blobs that are not needed are left for the next prune");
	free(c->docs);
	free(c->blobs);
	fb_copy_place_release(&c->from);
	fb_copy_place_release(&c->to);
}

int fb_image_copy(const struct fb_image_context *ctx,
		  const struct fb_image_copy *copy,
		  struct fb_digest *ret_digest, struct fb_err *err)
{
	struct fb_copy c = { .ctx = ctx,
			     .what = copy,
			     .loader = { .dirfd = -EBADF } };
	int r = fb_copy_place_parse(copy->from, &c.from, err);

	if (r == 0)
		r = fb_copy_place_parse(copy->to, &c.to, err);
	if (r == 0)
		r = check(&c, err);
	if (r == 0)
		r = fb_store_lease_open(ctx->store, &c.lease, err);
	if (r == 0) {
		r = fb_copy_gather(&c, err);
		if (r < 0)
			(void)fb_err_wrap(err, r, "from '%s'", copy->from);
	}
	if (r == 0) {
		r = fb_copy_deliver(&c, err);
		if (r < 0)
			(void)fb_err_wrap(err, r, "to '%s'", copy->to);
	}
	if (r == 0)
		*ret_digest = fb_copy_top(&c)->digest;
	let_go(&c);
	return r < 0 ? fb_err_wrap(err, r, "copy") : 0;
}
