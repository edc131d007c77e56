/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A blob goes through steps; each is one exchange of the
 * machine in fetch.c, which knows of log-ins, redirects, pauses and attempts:
 *
 *   HEAD ──it is there──▶ done
 *     └▶ POST (?mount=…) ──mounted──▶ done
 *          └▶ PATCH … PATCH ▶ PUT ──▶ done       the session's URL is a new one
 *               ▲       │      │                 after each step
 *               └─ GET ◀┴broken┘
 *
 * What a registry has of a broken session is asked of it (GET, Range) and never
 * guessed; a session that it has forgotten, or whose bytes it does not like in
 * the end, is begun again, a few times.  A blob of at most CHUNK_BYTES needs no
 * PATCH.  The session's URL may lead to another host: that one gets no log-in.
 */
#include "registry/upload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registry/fetch.h"
#include "registry/header.h"

#define CHUNK_BYTES (16u << 20)
#define CHUNK_BYTES_MAX (1u << 30)
#define SESSIONS_MAX 4u
#define STEP_TIMEOUT_S 120u

enum step { STEP_HEAD, STEP_POST, STEP_STATUS, STEP_PATCH, STEP_PUT };

/**
 * struct upload - One blob on its way
 * @f:        Its exchanges
 * @what:     What
 * @step:     Being asked
 * @session:  URL of the upload (owned), or NULL
 * @chunk:    Most bytes of a PATCH
 * @sessions: Begun so far
 * @mount:    Mounting is still to be tried
 */
struct upload {
	struct fb_fetch *f;
	struct fb_registry_upload *what;
	enum step step;
	char *session;
	uint64_t chunk;
	unsigned int sessions;
	bool mount;
	struct fb_http_body body;
	char range[64];
	char digest[FB_DIGEST_TEXT_MAX];
};

static ssize_t upload_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	struct upload *u = ctx;
	ssize_t n = u->what->read(u->what->ctx, offset, buf, len);

	if (n > 0 && u->what->progress)
		u->what->progress(u->what->ctx, offset + (uint64_t)n);
	if (n <= 0) {
		n = n < 0 ? n : -EIO;
		(void)fb_err_set(&u->f->err, (int)n, "read %s: %s", u->f->what,
				 strerror((int)-n));
		u->f->fatal = true;
	}
	return n;
}

static int out_of_memory(struct fb_err *err)
{
	return fb_err_set(err, -ENOMEM, "upload: %s", strerror(ENOMEM));
}

static void set_body(struct upload *u, uint64_t size_bytes)
{
	u->body = (struct fb_http_body){
		.read = upload_read,
		.ctx = u,
		.offset = u->f->offset,
		.size_bytes = size_bytes,
		.type = "application/octet-stream",
	};
	u->f->body = &u->body;
}

/* Point the next exchange at the session. Return: 0; -ENOMEM */
static int aim_at_session(struct upload *u, bool with_digest,
			  struct fb_err *err)
{
	FB_STR struct fb_str url = FB_STR_INIT(FB_URL_MAX);

	(void)fb_str_puts(&url, u->session);
	if (with_digest)
		(void)fb_url_add_query(&url, "digest", u->digest);
	free(u->f->at);
	u->f->at = fb_str_take(&url);
	return u->f->at ? 0 : out_of_memory(err);
}

static int ask_post(struct upload *u, struct fb_err *err)
{
	FB_STR struct fb_str path = FB_STR_INIT(FB_URL_MAX);

	if (++u->sessions > SESSIONS_MAX)
		return fb_err_set(err, -EIO, "%s: begun %u times, to no avail",
				  u->f->what, SESSIONS_MAX);
	(void)fb_str_printf(&path, "/v2/%s/blobs/uploads/", u->f->repository);
	if (u->mount) {
		(void)fb_url_add_query(&path, "mount", u->digest);
		(void)fb_url_add_query(&path, "from", u->what->mount_from);
	}
	free(u->f->path);
	free(u->f->at);
	free(FB_TAKE_PTR(u->session));
	u->f->at = NULL;
	u->f->path = fb_str_take(&path);
	if (!u->f->path)
		return out_of_memory(err);
	u->step = STEP_POST;
	u->f->method = "POST";
	u->f->offset = 0;
	set_body(u, 0);
	return 1;
}

static int ask_status(struct upload *u, struct fb_err *err)
{
	int r = aim_at_session(u, false, err);

	u->step = STEP_STATUS;
	u->f->method = "GET";
	u->f->body = NULL;
	u->f->timeout_s = STEP_TIMEOUT_S;
	return r < 0 ? r : 1;
}

/* The next bytes, or the end */
static int ask_bytes(struct upload *u, struct fb_err *err)
{
	uint64_t left = u->what->size_bytes - u->f->offset;
	bool last = left <= u->chunk;
	int r = aim_at_session(u, last, err);

	if (r < 0)
		return r;
	u->step = last ? STEP_PUT : STEP_PATCH;
	u->f->method = last ? "PUT" : "PATCH";
	u->f->timeout_s = 0;
	set_body(u, last ? left : u->chunk);
	if (last && u->f->offset == 0)
		return 1;
	if (u->body.size_bytes == 0)
		return 1;
	(void)snprintf(
		u->range, sizeof(u->range), "%llu-%llu",
		(unsigned long long)u->f->offset,
		(unsigned long long)(u->f->offset + u->body.size_bytes - 1));
	u->body.range = u->range;
	return 1;
}

/* Where the upload goes on. Return: 0; -EBADMSG, -EACCES */
static int take_session(struct upload *u, const struct fb_http_reply *reply,
			struct fb_err *err)
{
	struct fb_origin origin;
	uint64_t least;

	if (!reply->location && u->session)
		return 0;
	if (!reply->location ||
	    fb_origin_parse(reply->location, &origin, NULL) < 0)
		return fb_err_set(err, -EBADMSG,
				  "%s: '%s' does not say where to send it",
				  u->f->what, u->f->origin.host);
	if (u->f->origin.https && !origin.https)
		return fb_err_set(err, -EACCES,
				  "%s: '%s' wants it sent to '%s' without "
				  "encryption: refused",
				  u->f->what, u->f->origin.host, origin.host);
	free(u->session);
	u->session = strdup(reply->location);
	if (!u->session)
		return out_of_memory(err);
	if (fb_decimal_parse(reply->chunk_min, &least) == 0 && least > u->chunk)
		u->chunk = least > CHUNK_BYTES_MAX ? UINT64_MAX : least;
	return 0;
}

static int finish_as(struct upload *u, enum fb_upload_end end)
{
	u->what->end = end;
	return 0;
}

static int after_post(struct upload *u, const struct fb_http_reply *reply,
		      struct fb_err *err)
{
	int r;

	if (reply->status == 201 && u->mount)
		return finish_as(u, FB_UPLOAD_MOUNTED);
	if (reply->status / 100 != 2) {
		u->mount = false;
		u->sessions--;
		return ask_post(u, err);
	}
	u->mount = false;
	fb_retry_reset(&u->f->retry);
	r = take_session(u, reply, err);
	return r < 0 ? r : ask_bytes(u, err);
}

static int after_patch(struct upload *u, const struct fb_http_reply *reply,
		       struct fb_err *err)
{
	uint64_t sent = u->f->offset + u->body.size_bytes, have = sent;
	int r = take_session(u, reply, err);

	if (r < 0)
		return r;
	if (reply->range[0] &&
	    (fb_upload_range_parse(reply->range, &have) < 0 || have > sent ||
	     have <= u->f->offset))
		return fb_err_set(err, -EBADMSG,
				  "%s: '%s' says that it has '%s' of %llu "
				  "bytes",
				  u->f->what, u->f->origin.host, reply->range,
				  (unsigned long long)sent);
	u->f->offset = have;
	fb_retry_reset(&u->f->retry);
	return ask_bytes(u, err);
}

static int after_status(struct upload *u, const struct fb_http_reply *reply,
			struct fb_err *err)
{
	uint64_t have;
	int r;

	if (reply->status / 100 != 2 ||
	    fb_upload_range_parse(reply->range, &have) < 0 ||
	    have > u->what->size_bytes)
		return ask_post(u, err);
	r = take_session(u, reply, err);
	u->f->offset = have;
	return r < 0 ? r : ask_bytes(u, err);
}

static int after_put(struct upload *u, const struct fb_http_reply *reply,
		     struct fb_err *err)
{
	struct fb_digest stated;

	if (fb_digest_parse(reply->content_digest, &stated, NULL) == 0 &&
	    !fb_digest_equal(&stated, &u->what->digest))
		return fb_err_set(err, -EBADMSG, "%s: '%s' calls it '%s'",
				  u->f->what, u->f->origin.host,
				  reply->content_digest);
	return finish_as(u, FB_UPLOAD_PUSHED);
}

static int upload_finish(void *ctx, const struct fb_http_reply *reply,
			 struct fb_err *err)
{
	struct upload *u = ctx;

	switch (u->step) {
	case STEP_HEAD:
		if (reply->status == 200)
			return finish_as(u, FB_UPLOAD_EXISTS);
		return ask_post(u, err);
	case STEP_POST:
		return after_post(u, reply, err);
	case STEP_STATUS:
		return after_status(u, reply, err);
	case STEP_PATCH:
		if (reply->status == 416)
			return ask_status(u, err);
		return reply->status / 100 == 2 ? after_patch(u, reply, err)
						: ask_post(u, err);
	case STEP_PUT:
		return reply->status / 100 == 2 ? after_put(u, reply, err)
						: ask_post(u, err);
	default:
		return -EINVAL;
	}
}

static bool upload_accepts(void *ctx, int status)
{
	struct upload *u = ctx;

	switch (u->step) {
	case STEP_HEAD:
		return status == 404 || status == 405;
	case STEP_POST: /* where mounting is not understood, or not allowed */
		return u->mount && (status == 400 || status == 403 ||
				    status == 404 || status == 405);
	case STEP_STATUS:
		return status / 100 == 4 && status != 401 && status != 429;
	case STEP_PATCH:
		return status == 404 || status == 416;
	case STEP_PUT: /* 400: the digest of what it has is another one */
		return status == 404 || status == 416 ||
		       (status == 400 && u->f->offset > 0);
	default:
		return false;
	}
}

/* Go on by asking what arrived; without a session the step is just repeated */
static void upload_broken(void *ctx)
{
	struct upload *u = ctx;

	if (u->step == STEP_PATCH || u->step == STEP_PUT)
		(void)ask_status(u, NULL);
}

static const struct fb_fetch_ops upload_ops = {
	.finish = upload_finish,
	.accepts = upload_accepts,
	.broken = upload_broken,
};

static int prepare(struct upload *u, struct fb_fetch *f, const char *repository,
		   struct fb_registry_upload *what, const char *scope,
		   struct fb_err *err)
{
	*u = (struct upload){ .f = f,
			      .what = what,
			      .chunk = CHUNK_BYTES,
			      .mount = what->mount_from != NULL };
	(void)fb_digest_format(&what->digest, u->digest);
	what->end = FB_UPLOAD_PENDING;
	*f = (struct fb_fetch){ .repository = repository,
				.method = "HEAD",
				.scope = scope,
				.timeout_s = STEP_TIMEOUT_S,
				.ops = &upload_ops,
				.ctx = u };
	(void)snprintf(f->what, sizeof(f->what), "blob '%s'", u->digest);
	if (asprintf(&f->path, "/v2/%s/blobs/%s", repository, u->digest) < 0) {
		f->path = NULL;
		return out_of_memory(err);
	}
	return 0;
}

static bool in_scope(const char *scope, const char *one)
{
	const char *at = strstr(scope, one);
	size_t n = strlen(one);

	return at && (at == scope || at[-1] == ' ') && (!at[n] || at[n] == ' ');
}

/* One token for all of it. What has no room is pushed instead of mounted. */
static void make_scope(const char *repository,
		       const struct fb_registry_upload *uploads, size_t count,
		       char out[FB_AUTH_SCOPE_MAX])
{
	char one[300];
	size_t n;

	(void)snprintf(out, FB_AUTH_SCOPE_MAX, "repository:%s:pull,push",
		       repository);
	for (size_t i = 0; i < count; i++) {
		if (!uploads[i].mount_from)
			continue;
		(void)snprintf(one, sizeof(one), "repository:%s:pull",
			       uploads[i].mount_from);
		n = strlen(out);
		if (!in_scope(out, one) &&
		    n + strlen(one) + 1 < FB_AUTH_SCOPE_MAX)
			(void)snprintf(out + n, FB_AUTH_SCOPE_MAX - n, " %s",
				       one);
	}
}

int fb_registry_push_blobs(struct fb_registry *reg, const char *repository,
			   struct fb_registry_upload *uploads, size_t count,
			   struct fb_err *err)
{
	FB_FETCH_BATCH struct fb_fetch_batch batch = { 0 };
	struct upload *states;
	char scope[FB_AUTH_SCOPE_MAX];
	int r;

	if (count == 0)
		return 0;
	r = fb_fetch_batch_init(&batch, count, sizeof(*states), err);
	states = batch.states;
	make_scope(repository, uploads, count, scope);
	for (size_t i = 0; i < count && r == 0; i++)
		r = prepare(&states[i], &batch.fetches[i], repository,
			    &uploads[i], scope, err);
	if (r == 0)
		r = fb_fetch_run(reg, batch.fetches, count, err);
	for (size_t i = 0; i < batch.count; i++)
		free(states[i].session);
	return r;
}

/**
 * struct put - One manifest on its way
 */
struct put {
	const struct fb_registry_manifest *manifest;
	struct fb_fetch *f;
};

static ssize_t put_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	const struct put *p = ctx;
	size_t left = p->manifest->len - (size_t)offset;

	len = len < left ? len : left;
	memcpy(buf, p->manifest->bytes + offset, len);
	return (ssize_t)len;
}

static int put_finish(void *ctx, const struct fb_http_reply *reply,
		      struct fb_err *err)
{
	const struct put *p = ctx;
	struct fb_digest stated;

	if (fb_digest_parse(reply->content_digest, &stated, NULL) == 0 &&
	    stated.kind == p->manifest->digest.kind &&
	    !fb_digest_equal(&stated, &p->manifest->digest))
		return fb_err_set(err, -EBADMSG, "%s: '%s' calls it '%s'",
				  p->f->what, p->f->origin.host,
				  reply->content_digest);
	return 0;
}

static bool put_accepts(void *ctx, int status)
{
	(void)ctx;
	(void)status;
	return false;
}

int fb_registry_put_manifest(struct fb_registry *reg,
			     const struct fb_reference *ref,
			     const struct fb_registry_manifest *manifest,
			     struct fb_err *err)
{
	static const struct fb_fetch_ops ops = { .finish = put_finish,
						 .accepts = put_accepts };
	char digest[FB_DIGEST_TEXT_MAX], scope[300];
	const char *which = ref->digest.set
				    ? fb_digest_format(&ref->digest, digest)
				    : ref->tag;
	struct put p = { .manifest = manifest };
	const struct fb_http_body body = { .read = put_read,
					   .ctx = &p,
					   .size_bytes = manifest->len,
					   .type = manifest->media_type };
	struct fb_fetch f = { .repository = ref->path,
			      .method = "PUT",
			      .body = &body,
			      .scope = scope,
			      .timeout_s = STEP_TIMEOUT_S,
			      .ops = &ops,
			      .ctx = &p };
	int r;

	p.f = &f;
	(void)snprintf(scope, sizeof(scope), "repository:%s:pull,push",
		       ref->path);
	(void)snprintf(f.what, sizeof(f.what), "%s '%s'",
		       ref->digest.set ? "manifest" : "tag", which);
	if (asprintf(&f.path, "/v2/%s/manifests/%s", ref->path, which) < 0)
		return out_of_memory(err);
	r = fb_fetch_run(reg, &f, 1, err);
	fb_fetch_release(&f);
	return r;
}
