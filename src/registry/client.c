/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/fetch.h"

#define PARALLEL_DEFAULT 4u
#define CONNECT_TIMEOUT_DEFAULT_MS 15000u
#define STALL_DEFAULT_S 30u
#define RETRY_DELAY_DEFAULT_MS 500u
#define CHECK_BYTES_MAX (64u << 10)
#define CHECK_TIMEOUT_S 60u

static int copy_list(struct fb_strv *out, const char *const *list)
{
	for (; *list; list++)
		if (fb_strv_add(out, *list) < 0)
			return out->err;
	return 0;
}

static int set_places(struct fb_registry *reg,
		      const struct fb_registry_options *options)
{
	int r = options->auth_files
			? copy_list(&reg->auth_files, options->auth_files)
			: fb_auth_files(&reg->auth_files);

	if (r < 0)
		return r;
	return options->certs_dirs
		       ? copy_list(&reg->certs_dirs, options->certs_dirs)
		       : fb_tls_dirs(&reg->certs_dirs);
}

static void set_numbers(struct fb_registry *reg,
			const struct fb_registry_options *options)
{
	reg->parallel =
		options->parallel ? options->parallel : PARALLEL_DEFAULT;
	if (reg->parallel > FB_REGISTRY_PARALLEL_MAX)
		reg->parallel = FB_REGISTRY_PARALLEL_MAX;
	reg->retry_delay_ms = options->retry_delay_ms ? options->retry_delay_ms
						      : RETRY_DELAY_DEFAULT_MS;
	reg->http.connect_timeout_ms = options->connect_timeout_ms
					       ? options->connect_timeout_ms
					       : CONNECT_TIMEOUT_DEFAULT_MS;
	reg->http.stall_s =
		options->stall_s ? options->stall_s : STALL_DEFAULT_S;
}

static int fill(struct fb_registry *reg, const char *domain,
		const struct fb_registry_options *options, struct fb_err *err)
{
	const char *agent = options->user_agent ? options->user_agent
						: "flamebox/" FB_VERSION;
	int r;

	reg->log = options->log;
	reg->tick = options->tick;
	reg->tick_ctx = options->tick_ctx;
	set_numbers(reg, options);
	reg->domain = strdup(domain);
	reg->http.user_agent = strdup(agent);
	if (!reg->domain || !reg->http.user_agent)
		return fb_err_set(err, -ENOMEM, "registry: %m");
	r = set_places(reg, options);
	if (r < 0)
		return fb_err_set(err, r, "registry: %m");
	reg->auth = (struct fb_auth_context){
		.http = &reg->http,
		.log = reg->log,
		.files = (const char *const *)reg->auth_files.v,
		.retry_delay_ms = reg->retry_delay_ms,
	};
	if (options->username && options->password) {
		fb_secret_guard();
		reg->auth.given.username = strdup(options->username);
		reg->auth.given.password = strdup(options->password);
		reg->auth.given.ask_identity = options->ask_identity;
		if (!reg->auth.given.username || !reg->auth.given.password)
			return fb_err_set(err, -ENOMEM, "registry: %m");
	}
	r = fb_headers_find(reg->auth.files, reg->log, &reg->headers);
	if (r < 0)
		return fb_err_set(err, r, "registry: %m");
	r = fb_endpoints_build(reg, options, err);
	return r < 0 ? r : fb_http_open(&reg->http, err);
}

int fb_registry_open(const char *domain,
		     const struct fb_registry_options *options,
		     struct fb_registry **ret, struct fb_err *err)
{
	static const struct fb_registry_options defaults;
	FB_REGISTRY struct fb_registry *reg = calloc(1, sizeof(*reg));
	int r;

	if (!reg)
		return fb_err_set(err, -ENOMEM, "registry: %m");
	r = fill(reg, domain, options ? options : &defaults, err);
	if (r < 0)
		return r;
	*ret = FB_TAKE_PTR(reg);
	return 0;
}

void fb_registry_close(struct fb_registry *reg)
{
	if (!reg)
		return;
	fb_endpoints_release(reg);
	fb_http_close(&reg->http);
	fb_credential_release(&reg->auth.given);
	fb_secret_strv_release(&reg->headers);
	fb_strv_release(&reg->auth_files);
	fb_strv_release(&reg->certs_dirs);
	free(reg->domain);
	free(reg);
}

static int check_write(void *ctx, const void *data, size_t len,
		       struct fb_err *err)
{
	(void)ctx;
	(void)data;
	(void)len;
	(void)err;
	return 0;
}

static int check_reset(void *ctx, struct fb_err *err)
{
	(void)ctx;
	(void)err;
	return 0;
}

static int check_finish(void *ctx, const struct fb_http_reply *reply,
			struct fb_err *err)
{
	(void)ctx;
	(void)reply;
	(void)err;
	return 0;
}

int fb_registry_check(struct fb_registry *reg, char **ret_identity,
		      struct fb_err *err)
{
	static const struct fb_fetch_ops ops = { .write = check_write,
						 .reset = check_reset,
						 .finish = check_finish };
	struct fb_fetch f = { .repository = "",
			      .path = strdup("/v2/"),
			      .what = "API",
			      .size_bytes = UINT64_MAX,
			      .limit_bytes = CHECK_BYTES_MAX,
			      .timeout_s = CHECK_TIMEOUT_S,
			      .ops = &ops };
	int r;

	if (!f.path)
		return fb_err_set(err, -ENOMEM, "registry: %m");
	r = fb_fetch_run(reg, &f, 1, err);
	if (r == 0 && ret_identity)
		*ret_identity =
			FB_TAKE_PTR(reg->endpoints[f.endpoint].auth.identity);
	fb_fetch_release(&f);
	return r;
}
