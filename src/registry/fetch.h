/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting one thing from a registry, whatever it takes: log-in, redirects,
 * broken transfers, waiting, the next mirror.  Private to src/registry/.
 */
#ifndef FB_REGISTRY_FETCH_H
#define FB_REGISTRY_FETCH_H

#include "registry/state.h"

struct fb_fetch;

/**
 * struct fb_fetch_ops - Where it goes
 * @write:  The next bytes, in order
 * @reset:  Forget everything, what follows starts at 0
 * @finish: All is there: verify and keep.  -EBADMSG: it is not what was asked
 *          for, then it is fetched once more from the start
 *
 * @accepts: Of a fetch with a @method: a status beside 2xx that @finish is told
 * @broken:  Of a fetch with a @method: it broke off and is tried again in a while
 *
 * A negative errno (with text in @err) from @write or @reset ends all fetches.
 * Of a fetch with a @method only @finish, @accepts and @broken are called; @finish
 * may set @path, @at, @method, @body and return 1: that is asked next.
 */
struct fb_fetch_ops {
	int (*write)(void *ctx, const void *data, size_t len,
		     struct fb_err *err);
	int (*reset)(void *ctx, struct fb_err *err);
	int (*finish)(void *ctx, const struct fb_http_reply *reply,
		      struct fb_err *err);
	bool (*accepts)(void *ctx, int status);
	void (*broken)(void *ctx);
};

enum fb_fetch_state {
	FB_FETCH_READY,
	FB_FETCH_RUNNING,
	FB_FETCH_AUTH, /* waits for its endpoint's token */
	FB_FETCH_WAIT, /* until retry.until_ms */
	FB_FETCH_DONE,
	FB_FETCH_FAILED,
};

/**
 * struct fb_fetch - One thing to get
 * @repository: As in a reference's path (borrowed)
 * @path:       "/v2/…" (owned)
 * @at:         Absolute URL to ask in place of @path, or NULL (owned)
 * @method:     For changing something: "HEAD", "POST", …; NULL = get the body.
 *              @offset is then what the registry has confirmed
 * @body:       What is sent with @method, or NULL (borrowed)
 * @scope:      As in fb_auth_use(), or NULL (borrowed)
 * @what:       For messages: "manifest 'latest'", "blob 'sha256:…'"
 * @accept:     Media types, or NULL
 * @size_bytes: Exactly so many, or UINT64_MAX
 * @limit_bytes: At most so many
 * @timeout_s:  Of one attempt, or 0
 * @plain:      A Content-Encoding is an error, not just bytes
 * @offset:     Bytes written so far; may be set at the start
 * @ops, @ctx:  Where it goes
 * @result:     0 or negative errno once the state is DONE or FAILED
 */
struct fb_fetch {
	const char *repository;
	char *path;
	char *at;
	const char *method;
	const struct fb_http_body *body;
	const char *scope;
	char what[FB_DIGEST_TEXT_MAX + 32];
	const char *accept;
	uint64_t size_bytes;
	uint64_t limit_bytes;
	unsigned int timeout_s;
	bool plain;
	uint64_t offset;
	const struct fb_fetch_ops *ops;
	void *ctx;
	int result;
	struct fb_err err;
	/* private */
	enum fb_fetch_state state;
	struct fb_registry *reg;
	size_t endpoint;
	char *url;		 /* after a redirect, otherwise NULL */
	struct fb_origin origin; /* of the current attempt */
	unsigned int redirects;
	struct fb_retry retry;
	uint64_t high_water;	 /* @offset when the retry counter was reset */
	uint64_t ignored;	 /* bytes of an answer to a step */
	bool begun;		 /* this attempt's body is being taken */
	bool no_range;		 /* the server cannot be trusted with Range */
	bool repeated;		 /* was whole and wrong once already */
	bool asked;		 /* a 401 has led to a log-in since it got on */
	bool fatal;		 /* the sink failed: no other endpoint helps */
	bool restart;		 /* broken off to start again at 0 */
	unsigned int generation; /* of the log-in that was sent */
	struct fb_http_call call;
};

/**
 * fb_fetch_run() - Get them all, in parallel
 * @fetches: What is to be got; zeroed private parts
 * @count:   How many
 * @err:     The first permanent failure's text
 *
 * Return: 0; the first permanent failure, every transfer broken off; what
 * tick() returned.
 */
int fb_fetch_run(struct fb_registry *reg, struct fb_fetch *fetches,
		 size_t count, struct fb_err *err);

/** fb_fetch_release() - Break off and free */
void fb_fetch_release(struct fb_fetch *f);

/**
 * struct fb_fetch_batch - Fetches that run together
 * @fetches: @count of them, zeroed
 * @states:  As many of their owner's structs, zeroed
 * @count:   At most FB_REGISTRY_BLOBS_MAX
 */
struct fb_fetch_batch {
	struct fb_fetch *fetches;
	void *states;
	size_t count;
};

/**
 * fb_fetch_batch_init() - Room for a batch
 * @state_bytes: Of one state
 *
 * Return: 0; -E2BIG; -ENOMEM.
 */
int fb_fetch_batch_init(struct fb_fetch_batch *batch, size_t count,
			size_t state_bytes, struct fb_err *err);

/** fb_fetch_batch_release() - Break off and free, states too (not what is in them) */
void fb_fetch_batch_release(struct fb_fetch_batch *batch);

#define FB_FETCH_BATCH __attribute__((cleanup(fb_fetch_batch_release)))

/**
 * fb_fetch_accept_body() - One piece of a 2xx body, of curl's callback
 * @ctx: struct fb_fetch
 *
 * Return: 0; a negative errno breaks the transfer off, @restart or @err of the
 * fetch says why.
 */
int fb_fetch_accept_body(void *ctx, const void *data, size_t len);

/** fb_fetch_ended() - Decide what follows an attempt that has ended */
void fb_fetch_ended(struct fb_fetch *f);

/** fb_fetch_fail() - End with @f->err, or go on at the next endpoint */
void fb_fetch_fail(struct fb_fetch *f, int code);

#endif
