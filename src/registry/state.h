/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is made of; private to src/registry/. */
#ifndef FB_REGISTRY_STATE_H
#define FB_REGISTRY_STATE_H

#include "registry/auth.h"
#include "registry/client.h"
#include "registry/http.h"

#define FB_ENDPOINTS_MAX 20
#define FB_PEERS_MAX 256

/**
 * struct fb_endpoint - One place that a registry's content may come from
 * @base:     URL without a slash at its end; "/v2/…" follows
 * @origin:   Of @base
 * @name:     Key of log-ins: "docker.io", "host:port"
 * @insecure: Its certificate is not verified
 * @mirror:   Not the registry itself: whatever it lacks the next one may have
 * @answered: It has replied once: from then on a failure to connect will pass
 * @dead:     Passed over: it did not answer and the next one did
 * @auth:     Log-in
 */
struct fb_endpoint {
	char *base;
	struct fb_origin origin;
	char *name;
	bool insecure;
	bool mirror;
	bool answered;
	bool dead;
	struct fb_auth auth;
};

/** struct fb_peer - TLS settings of a host that was spoken to */
struct fb_peer {
	char host[FB_URL_HOST_MAX];
	uint16_t port;
	bool insecure;
	struct fb_tls tls;
};

struct fb_registry {
	char *domain;
	struct fb_http http;
	struct fb_auth_context auth;
	const struct fb_log *log;
	int (*tick)(void *ctx);
	void *tick_ctx;
	unsigned int parallel;
	unsigned int retry_delay_ms;
	struct fb_strv auth_files;
	struct fb_strv headers; /* secret */
	struct fb_strv certs_dirs;
	struct fb_endpoint endpoints[FB_ENDPOINTS_MAX];
	size_t endpoint_count;
	struct fb_peer *peers[FB_PEERS_MAX];
	size_t peer_count;
};

/**
 * fb_endpoints_build() - The places to ask for a domain, in order
 * @reg:     @domain is set; @endpoints are filled
 * @options: Mirrors and insecure registries
 *
 * The registry's mirrors, then itself: registry-1.docker.io for Docker Hub; for
 * others HTTPS, and plain HTTP behind it for loopback and insecure registries.
 *
 * Return: 0; -EINVAL a mirror or the domain is malformed; -E2BIG; -ENOMEM.
 */
int fb_endpoints_build(struct fb_registry *reg,
		       const struct fb_registry_options *options,
		       struct fb_err *err);

/** fb_endpoints_release() - Free endpoints and peers */
void fb_endpoints_release(struct fb_registry *reg);

/**
 * fb_endpoint_tls() - TLS settings for whom an endpoint speaks of
 * @endpoint: Its own are returned where @origin is its own host
 * @origin:   A token service, a redirect's target, or the endpoint itself
 * @ret:      Borrowed until the client is closed
 *
 * A host without a certs.d folder of its own is verified by the system's store
 * and the CA of the client's registry (as docker does), and never shown the
 * registry's client certificate.
 *
 * Return: 0; as fb_tls_load(); -E2BIG too many hosts.
 */
int fb_endpoint_tls(struct fb_registry *reg, const struct fb_endpoint *endpoint,
		    const struct fb_origin *origin, const struct fb_tls **ret,
		    struct fb_err *err);

#endif
