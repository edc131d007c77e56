/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A fetch is a state machine; one loop drives all of a
 * call's fetches over one multi handle:
 *
 *   READY ──start──▶ RUNNING ──whole, verified──▶ DONE
 *     ▲                │ │ └──permanent──▶ next endpoint (READY) or FAILED
 *     │                │ └──401──▶ AUTH ──token──▶ READY
 *     └──time is up── WAIT ◀──broken, 429, 5xx
 *
 * The loop starts what is ready, drives the endpoints' token requests, sleeps in
 * curl until something moves (at most until the next WAIT is over, or the next
 * tick), then looks at what has ended.  What an ended attempt leads to is in
 * fetch_reply.c.
 *
 * Every cycle of the machine has a bound: redirects 10; a failure counts until
 * 1 MiB of progress was made; a 401 leads to one log-in until then; one repeat
 * for a wrong digest; the list of endpoints is walked once, forwards.
 */
#include "registry/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define TICK_MS 200u
#define FALLBACK_TIMEOUT_MS 5000u

void fb_fetch_release(struct fb_fetch *f)
{
	if (f->call.http)
		fb_http_call_release(&f->call);
	free(f->url);
	f->url = NULL;
	free(f->path);
	free(f->at);
	f->path = f->at = NULL;
}

int fb_fetch_batch_init(struct fb_fetch_batch *batch, size_t count,
			size_t state_bytes, struct fb_err *err)
{
	if (count > FB_REGISTRY_BLOBS_MAX)
		return fb_err_set(err, -E2BIG, "more than %d blobs at once",
				  FB_REGISTRY_BLOBS_MAX);
	batch->fetches = calloc(count, sizeof(*batch->fetches));
	batch->states = calloc(count, state_bytes);
	if (!batch->fetches || !batch->states)
		return fb_err_set(err, -ENOMEM, "%zu blobs: %s", count,
				  strerror(ENOMEM));
	batch->count = count;
	return 0;
}

void fb_fetch_batch_release(struct fb_fetch_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		fb_fetch_release(&batch->fetches[i]);
	free(batch->fetches);
	free(batch->states);
	*batch = (struct fb_fetch_batch){ 0 };
}

static struct fb_auth_peer peer_of(const struct fb_endpoint *ep)
{
	return (struct fb_auth_peer){ .name = ep->name,
				      .origin = &ep->origin,
				      .insecure = ep->insecure };
}

static int request_for(struct fb_fetch *f, const char *url,
		       struct fb_http_request *req)
{
	struct fb_endpoint *ep = &f->reg->endpoints[f->endpoint];
	int r;

	if (fb_origin_parse(url, &f->origin, NULL) < 0)
		return fb_err_set(&f->err, -EINVAL,
				  "'%s' leads to no usable URL", ep->name);
	r = fb_endpoint_tls(f->reg, ep, &f->origin, &req->tls, &f->err);
	if (r < 0)
		return r;
	req->url = url;
	req->accept = f->accept;
	req->timeout_s = f->timeout_s;
	req->range_from = f->method ? 0 : f->offset;
	req->method = f->method;
	req->body = f->body;
	/* a plain HTTP service may sit and wait for the end of TLS' first line */
	if (!ep->answered && !ep->mirror &&
	    f->endpoint + 1 < f->reg->endpoint_count)
		req->connect_timeout_ms = FALLBACK_TIMEOUT_MS;
	/* whoever a redirect names is a stranger: no log-in for him */
	if (fb_origin_equal(&f->origin, &ep->origin)) {
		req->authorization = ep->auth.authorization;
		req->headers = (const char *const *)f->reg->headers.v;
	}
	return 0;
}

static void restart_at_zero(struct fb_fetch *f)
{
	int r;

	if (f->offset == 0)
		return;
	r = f->ops->reset(f->ctx, &f->err);
	f->offset = 0;
	if (r < 0) {
		f->fatal = true;
		fb_fetch_fail(f, r);
	}
}

static void start(struct fb_fetch *f)
{
	struct fb_endpoint *ep = &f->reg->endpoints[f->endpoint];
	struct fb_http_request req = { 0 };
	FB_FREE char *url = NULL;
	int r;

	fb_auth_use(&ep->auth, f->repository, f->scope);
	if (!f->url && fb_auth_expired(&ep->auth)) {
		f->state = FB_FETCH_AUTH;
		return;
	}
	if (f->no_range)
		restart_at_zero(f);
	if (f->state == FB_FETCH_FAILED)
		return;
	if (!f->url && !f->at &&
	    asprintf(&url, "%s%s", ep->base, f->path) < 0) {
		url = NULL;
		f->fatal = true;
		fb_fetch_fail(f, -ENOMEM);
		return;
	}
	f->begun = f->restart = false;
	f->ignored = 0;
	f->generation = ep->auth.generation;
	f->call.body_fn = fb_fetch_accept_body;
	f->call.ctx = f;
	r = request_for(f, f->url ? f->url : f->at ? f->at : url, &req);
	if (r == 0)
		r = fb_http_start(&f->reg->http, &f->call, &req, &f->err);
	if (r < 0) {
		f->fatal = true;
		fb_fetch_fail(f, r);
	} else {
		f->state = FB_FETCH_RUNNING;
	}
}

static void start_ready(struct fb_registry *reg, struct fb_fetch *fetches,
			size_t count)
{
	uint64_t now = fb_now_ms();
	unsigned int running = 0;

	for (size_t i = 0; i < count; i++) {
		struct fb_fetch *f = &fetches[i];

		if (f->state == FB_FETCH_WAIT && f->retry.until_ms <= now)
			f->state = FB_FETCH_READY;
		running += f->state == FB_FETCH_RUNNING;
	}
	for (size_t i = 0; i < count && running < reg->parallel; i++) {
		if (fetches[i].state != FB_FETCH_READY)
			continue;
		start(&fetches[i]);
		running += fetches[i].state == FB_FETCH_RUNNING;
	}
}

static bool awaits_token(const struct fb_fetch *f, size_t endpoint)
{
	return f->state == FB_FETCH_AUTH && f->endpoint == endpoint;
}

static int pump_endpoint(struct fb_registry *reg, struct fb_endpoint *ep,
			 struct fb_err *err)
{
	struct fb_auth_peer peer = peer_of(ep);
	const struct fb_tls *tls = NULL;
	struct fb_origin realm;
	int r = fb_auth_realm(&ep->auth, &peer, &realm, err);

	if (r == 0)
		r = fb_endpoint_tls(reg, ep, &realm, &tls, err);
	if (r < 0)
		return r;
	return fb_auth_pump(&ep->auth, &reg->auth, &peer, tls, err);
}

static void pump_tokens(struct fb_registry *reg, struct fb_fetch *fetches,
			size_t count)
{
	for (size_t e = 0; e < reg->endpoint_count; e++) {
		struct fb_err err = { 0 };
		bool wanted = false;
		int r;

		for (size_t i = 0; i < count; i++)
			wanted |= awaits_token(&fetches[i], e);
		if (!wanted)
			continue;
		r = pump_endpoint(reg, &reg->endpoints[e], &err);
		for (size_t i = 0; i < count && r <= 0; i++) {
			if (!awaits_token(&fetches[i], e))
				continue;
			fetches[i].state = FB_FETCH_READY;
			if (r == 0)
				continue;
			fetches[i].err = err;
			fb_fetch_fail(&fetches[i], r);
		}
	}
}

static unsigned int until_next(const struct fb_fetch *fetches, size_t count)
{
	uint64_t now = fb_now_ms(), least = TICK_MS;

	for (size_t i = 0; i < count; i++) {
		const struct fb_fetch *f = &fetches[i];
		uint64_t left =
			f->retry.until_ms > now ? f->retry.until_ms - now : 0;

		if (f->state == FB_FETCH_READY)
			return 0;
		if (f->state == FB_FETCH_WAIT && left < least)
			least = left;
	}
	return (unsigned int)least;
}

static void look_at_ended(struct fb_fetch *fetches, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct fb_fetch *f = &fetches[i];

		if (f->state != FB_FETCH_RUNNING ||
		    f->call.outcome == FB_HTTP_RUNNING)
			continue;
		fb_fetch_ended(f);
		fb_http_call_release(&f->call);
	}
}

/* Return: 1 something is left to do; 0 all done; the first failure */
static int summary(const struct fb_fetch *fetches, size_t count,
		   struct fb_err *err)
{
	bool left = false;

	for (size_t i = 0; i < count; i++) {
		if (fetches[i].state == FB_FETCH_FAILED) {
			if (err)
				*err = fetches[i].err;
			return fetches[i].result;
		}
		left |= fetches[i].state != FB_FETCH_DONE;
	}
	return left;
}

static bool full(const struct fb_registry *reg, const struct fb_fetch *fetches,
		 size_t count)
{
	unsigned int running = 0;

	for (size_t i = 0; i < count; i++)
		running += fetches[i].state == FB_FETCH_RUNNING;
	return running >= reg->parallel;
}

static int run_loop(struct fb_registry *reg, struct fb_fetch *fetches,
		    size_t count, struct fb_err *err)
{
	int r;

	while ((r = summary(fetches, count, err)) > 0) {
		start_ready(reg, fetches, count);
		pump_tokens(reg, fetches, count);
		r = reg->tick ? reg->tick(reg->tick_ctx) : 0;
		if (r < 0)
			return fb_err_set(err, r, "interrupted");
		r = fb_http_poll(&reg->http,
				 full(reg, fetches, count)
					 ? TICK_MS
					 : until_next(fetches, count),
				 err);
		if (r < 0)
			return r;
		look_at_ended(fetches, count);
	}
	return r;
}

/* What is changed is changed at the registry itself */
static size_t first_alive(const struct fb_registry *reg, bool own)
{
	for (size_t i = 0; i + 1 < reg->endpoint_count; i++)
		if (!reg->endpoints[i].dead &&
		    !(own && reg->endpoints[i].mirror))
			return i;
	return reg->endpoint_count - 1;
}

int fb_fetch_run(struct fb_registry *reg, struct fb_fetch *fetches,
		 size_t count, struct fb_err *err)
{
	int r;

	for (size_t i = 0; i < count; i++) {
		fetches[i].reg = reg;
		fetches[i].endpoint = first_alive(reg, fetches[i].method);
		fetches[i].retry.first_ms = reg->retry_delay_ms;
		fetches[i].high_water = fetches[i].offset;
	}
	r = run_loop(reg, fetches, count, err);
	for (size_t i = 0; i < count && r < 0; i++)
		if (fetches[i].call.http)
			fb_http_call_release(&fetches[i].call);
	return r;
}
