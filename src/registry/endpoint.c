/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registry/state.h"

#define HUB_DOMAIN "docker.io"
#define HUB_HOST "registry-1.docker.io"

static bool is_insecure(const struct fb_registry_options *options,
			const struct fb_origin *origin)
{
	const char *const *rule = options->insecure_registries;

	if (options->insecure)
		return true;
	for (; rule && *rule; rule++)
		if (fb_host_matches(*rule, origin->host, origin->port))
			return true;
	return false;
}

/* The name that log-in files use: without the scheme's own port */
static int set_name(struct fb_endpoint *ep, const char *name)
{
	bool usual = ep->origin.port == (ep->origin.https ? 443 : 80);
	int n;

	if (name) {
		ep->name = strdup(name);
		return ep->name ? 0 : -ENOMEM;
	}
	n = usual ? asprintf(&ep->name, "%s", ep->origin.host)
		  : asprintf(&ep->name, "%s:%u", ep->origin.host,
			     (unsigned int)ep->origin.port);
	if (n < 0)
		ep->name = NULL;
	return n < 0 ? -ENOMEM : 0;
}

static int add_endpoint(struct fb_registry *reg, const char *base,
			const char *name,
			const struct fb_registry_options *options,
			struct fb_err *err)
{
	struct fb_endpoint *ep = &reg->endpoints[reg->endpoint_count];
	const char *path;
	size_t n = strlen(base);

	if (reg->endpoint_count == FB_ENDPOINTS_MAX)
		return fb_err_set(err, -E2BIG, "more than %d mirrors",
				  FB_ENDPOINTS_MAX - 2);
	if (fb_origin_parse(base, &ep->origin, &path) < 0 ||
	    strpbrk(path, "?#"))
		return fb_err_set(err, -EINVAL, "not a registry's URL: '%s'",
				  base);
	while (n > 0 && base[n - 1] == '/')
		n--;
	ep->base = strndup(base, n);
	if (!ep->base || set_name(ep, name) < 0) {
		free(ep->base);
		ep->base = NULL;
		return fb_err_set(err, -ENOMEM, "endpoints: %m");
	}
	ep->insecure = is_insecure(options, &ep->origin);
	reg->endpoint_count++;
	return 0;
}

/* "DOMAIN=URL", or "URL" of Docker Hub. Return: URL; NULL it is another's */
static const char *mirror_of(const char *mirror, const char *domain)
{
	size_t n = strcspn(mirror, "=/");
	const char *of = mirror[n] == '=' ? mirror : HUB_DOMAIN;

	if (mirror[n] != '=')
		n = strlen(HUB_DOMAIN);
	if (strlen(domain) != n || strncmp(of, domain, n) != 0)
		return NULL;
	return of == mirror ? mirror + n + 1 : mirror;
}

static int add_mirrors(struct fb_registry *reg,
		       const struct fb_registry_options *options,
		       struct fb_err *err)
{
	const char *const *mirror = options->mirrors;
	const char *url;
	int r;

	for (; mirror && *mirror; mirror++) {
		url = mirror_of(*mirror, reg->domain);
		if (!url)
			continue;
		r = add_endpoint(reg, url, NULL, options, err);
		if (r < 0)
			return r;
		reg->endpoints[reg->endpoint_count - 1].mirror = true;
	}
	return 0;
}

int fb_endpoints_build(struct fb_registry *reg,
		       const struct fb_registry_options *options,
		       struct fb_err *err)
{
	char url[FB_URL_HOST_MAX + 16];
	struct fb_endpoint *ep;
	int r;

	r = add_mirrors(reg, options, err);
	if (r < 0)
		return r;
	if (strcmp(reg->domain, HUB_DOMAIN) == 0)
		return add_endpoint(reg, "https://" HUB_HOST, HUB_DOMAIN,
				    options, err);
	(void)snprintf(url, sizeof(url), "https://%s", reg->domain);
	r = add_endpoint(reg, url, reg->domain, options, err);
	if (r < 0)
		return r;
	ep = &reg->endpoints[reg->endpoint_count - 1];
	if (!ep->insecure && !fb_host_is_loopback(ep->origin.host))
		return 0;
	(void)snprintf(url, sizeof(url), "http://%s", reg->domain);
	return add_endpoint(reg, url, reg->domain, options, err);
}

void fb_endpoints_release(struct fb_registry *reg)
{
	for (size_t i = 0; i < reg->endpoint_count; i++) {
		fb_auth_release(&reg->endpoints[i].auth);
		free(reg->endpoints[i].base);
		free(reg->endpoints[i].name);
	}
	reg->endpoint_count = 0;
	for (size_t i = 0; i < reg->peer_count; i++) {
		fb_tls_release(&reg->peers[i]->tls);
		free(reg->peers[i]);
	}
	reg->peer_count = 0;
}

/*
 * libcurl takes a CA of ours in the place of its bundle file; a folder of
 * certificates stays.  Where there is none, the bundle is added to ours.
 */
static int add_system(struct fb_registry *reg, struct fb_tls *tls,
		      struct fb_err *err)
{
	const curl_version_info_data *info =
		reg->http.curl.version_info(CURLVERSION_NOW);
	const char *file = getenv("SSL_CERT_FILE");

	if (!tls->ca_pem)
		return 0;
	if (file && *file)
		return fb_tls_add_bundle(tls, file, err);
	if (info->age >= CURLVERSION_SEVENTH && !info->capath && info->cainfo)
		return fb_tls_add_bundle(tls, info->cainfo, err);
	return 0;
}

/* docker looks for "host:port" as typed, podman likewise; 443 may be left out */
static int load_own(struct fb_registry *reg, struct fb_peer *peer,
		    const char *name, struct fb_err *err)
{
	const char *const *dirs = (const char *const *)reg->certs_dirs.v;
	char text[FB_URL_HOST_MAX + 8];
	int r;

	(void)snprintf(text, sizeof(text), "%s:%u", peer->host,
		       (unsigned int)peer->port);
	r = fb_tls_load(dirs, text, &peer->tls, err);
	if (r == -ENOENT && peer->port == 443)
		r = fb_tls_load(dirs, peer->host, &peer->tls, err);
	if (r == -ENOENT && name)
		r = fb_tls_load(dirs, name, &peer->tls, err);
	if (r < 0)
		return r;
	fb_log(reg->log, FB_LOG_INFO, "certificates for '%s' from '%s'", text,
	       peer->tls.folder);
	return add_system(reg, &peer->tls, err);
}

static int borrow_ca(struct fb_registry *reg,
		     const struct fb_endpoint *endpoint, struct fb_peer *peer,
		     struct fb_err *err)
{
	const struct fb_tls *own = NULL;
	int r = fb_endpoint_tls(reg, endpoint, &endpoint->origin, &own, err);

	if (r < 0 || !own->ca_pem)
		return r;
	peer->tls.ca_pem = malloc(own->ca_len);
	if (!peer->tls.ca_pem)
		return fb_err_set(err, -ENOMEM, "certificates: %m");
	memcpy(peer->tls.ca_pem, own->ca_pem, own->ca_len);
	peer->tls.ca_len = own->ca_len;
	return 0;
}

static int load_peer(struct fb_registry *reg,
		     const struct fb_endpoint *endpoint, struct fb_peer *peer,
		     struct fb_err *err)
{
	bool own = strcmp(peer->host, endpoint->origin.host) == 0 &&
		   peer->port == endpoint->origin.port;
	int r = load_own(reg, peer, own ? endpoint->name : NULL, err);

	if (r == -ENOENT)
		r = own ? 0 : borrow_ca(reg, endpoint, peer, err);
	return r;
}

int fb_endpoint_tls(struct fb_registry *reg, const struct fb_endpoint *endpoint,
		    const struct fb_origin *origin, const struct fb_tls **ret,
		    struct fb_err *err)
{
	struct fb_peer *peer;
	int r;

	for (size_t i = 0; i < reg->peer_count; i++) {
		peer = reg->peers[i];
		if (peer->port == origin->port &&
		    peer->insecure == endpoint->insecure &&
		    strcmp(peer->host, origin->host) == 0) {
			*ret = &peer->tls;
			return 0;
		}
	}
	if (reg->peer_count == FB_PEERS_MAX)
		return fb_err_set(err, -E2BIG,
				  "it leads to more than %d other hosts",
				  FB_PEERS_MAX);
	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return fb_err_set(err, -ENOMEM, "certificates: %m");
	memcpy(peer->host, origin->host, sizeof(peer->host));
	peer->port = origin->port;
	peer->insecure = peer->tls.insecure = endpoint->insecure;
	r = load_peer(reg, endpoint, peer, err);
	if (r < 0) {
		fb_tls_release(&peer->tls);
		free(peer);
		return r;
	}
	reg->peers[reg->peer_count++] = peer;
	*ret = &peer->tls;
	return 0;
}
