/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client of the distribution API: manifests and blobs of one registry.
 *
 * Nothing that it hands out as whole is unverified; nothing that a registry,
 * a token service or a redirect says can make it grow, loop or wait without a
 * bound.  libcurl is loaded by the first fb_registry_open() of the process.
 *
 * Source: OCI distribution-spec 1.1; distribution's token authentication
 * ("Token Authentication Specification", "OAuth2 token").
 */
#ifndef FB_REGISTRY_CLIENT_H
#define FB_REGISTRY_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/log.h"
#include "oci/digest.h"
#include "oci/reference.h"

#define FB_REGISTRY_PARALLEL_MAX 16
#define FB_REGISTRY_BLOBS_MAX 4096

struct fb_registry; /* opaque: one registry, its connections and its tokens */

/**
 * struct fb_registry_options - How to reach a registry; zeroed = all defaults
 * @log:            Diagnostics, or NULL; never carries a secret
 * @insecure:       Accept any certificate and fall back to plain HTTP (what
 *                  --tls-verify=false asks for).  Loopback registries may speak
 *                  plain HTTP without it; their certificates are verified
 * @insecure_registries: NULL-terminated "host", "host:port", "a.b.c.d/n" that
 *                  are treated so, or NULL
 * @mirrors:        NULL-terminated base URLs tried in order before the registry
 *                  itself, or NULL: "URL" is one of Docker Hub, "DOMAIN=URL" of
 *                  another registry
 * @auth_files:     NULL-terminated paths of docker's config.json or podman's
 *                  auth.json, the first with an entry wins; NULL = the usual
 *                  places (fb_auth_files()); an empty list = no log-ins.
 *                  Their HttpHeaders go to the registry, never elsewhere
 * @username:       Log-in to use in place of the files', with @password; or NULL
 * @password:       Secret
 * @ask_identity:   Ask a token service for an identity token with them, which
 *                  fb_registry_check() hands out
 * @certs_dirs:     NULL-terminated folders that hold <host[:port]>/{*.crt,
 *                  *.cert,*.key}; NULL = docker's and podman's
 * @user_agent:     NULL = "flamebox/<version>"
 * @parallel:       Blobs at once, 0 = 4, at most FB_REGISTRY_PARALLEL_MAX
 * @connect_timeout_ms: 0 = 15 s
 * @stall_s:        A transfer under 256 bytes/s for so long is broken, 0 = 30 s
 * @retry_delay_ms: First pause between attempts, 0 = 500 ms
 * @tick:           Called at least every 250 ms while a call waits for the
 *                  network: redraw progress, look for signals.  A negative errno
 *                  ends the call with it.  NULL is fine
 * @tick_ctx:       Passed to @tick
 */
struct fb_registry_options {
	const struct fb_log *log;
	bool insecure;
	const char *const *insecure_registries;
	const char *const *mirrors;
	const char *const *auth_files;
	const char *username;
	const char *password;
	bool ask_identity;
	const char *const *certs_dirs;
	const char *user_agent;
	unsigned int parallel;
	unsigned int connect_timeout_ms;
	unsigned int stall_s;
	unsigned int retry_delay_ms;
	int (*tick)(void *ctx);
	void *tick_ctx;
};

/**
 * fb_registry_open() - Make a client of one registry
 * @domain:  As in struct fb_reference: "docker.io", "localhost:5000"
 * @options: Borrowed during the call, all but @log, @tick, @tick_ctx: those
 *           until fb_registry_close(); NULL = all defaults
 * @ret:     Client (returned); written on success only
 * @err:     Error detail, or NULL
 *
 * Contacts nobody.
 *
 * Return: 0; -ENOENT libcurl is missing (the hint says how to get it);
 * -EINVAL bad mirror or domain; -ENOMEM.
 */
int fb_registry_open(const char *domain,
		     const struct fb_registry_options *options,
		     struct fb_registry **ret, struct fb_err *err);

/** fb_registry_close() - Close connections, zero secrets, free; NULL is fine */
void fb_registry_close(struct fb_registry *reg);

static inline void fb_cleanup_registry(struct fb_registry **reg)
{
	fb_registry_close(*reg);
}

/** FB_REGISTRY - `FB_REGISTRY struct fb_registry *reg = NULL;` closes itself */
#define FB_REGISTRY __attribute__((cleanup(fb_cleanup_registry)))

/**
 * fb_registry_check() - Is it there, and does it take the log-in?
 * @ret_identity: Secret (returned): an identity token, to be kept in the place of
 *                the password; NULL where none was given.  NULL = not wanted
 *
 * What `login` asks before it keeps anything.  A registry that wants no log-in
 * takes any.
 *
 * Return: 0; as fb_registry_get_manifest(), -EACCES the log-in was refused.
 */
int fb_registry_check(struct fb_registry *reg, char **ret_identity,
		      struct fb_err *err);

/**
 * struct fb_registry_manifest - A fetched manifest or index, as it came
 * @bytes:      @len bytes and a NUL (owned)
 * @len:        At most FB_MANIFEST_SIZE_MAX
 * @media_type: Content-Type without parameters, or "" where none was sent
 * @digest:     Of @bytes: the one asked for, or SHA-256 for a tag
 */
struct fb_registry_manifest {
	char *bytes;
	size_t len;
	char media_type[256];
	struct fb_digest digest;
};

/** fb_registry_manifest_release() - Free the bytes, zero the rest */
void fb_registry_manifest_release(struct fb_registry_manifest *m);

#define FB_REGISTRY_MANIFEST \
	__attribute__((cleanup(fb_registry_manifest_release)))

/**
 * fb_registry_get_manifest() - Fetch a manifest or an index
 * @reg: Client of @ref's domain (borrowed)
 * @ref: What to fetch: by @ref->digest where set, otherwise by @ref->tag
 * @ret: Release with fb_registry_manifest_release(); written on success only
 * @err: One line with cause and hint, or NULL
 *
 * OCI index and manifest, docker's list and schema 2 are asked for.  A digest
 * asked for is verified; one that the registry states beside a tag
 * (Docker-Content-Digest) must match as well.  A manifest of an index is fetched
 * with a copy of @ref whose digest is the entry's.
 *
 * Return: 0; -ENOENT no such image or tag; -EACCES log-in missing or refused;
 * -EOPNOTSUPP the registry has docker's schema 1 only; -EFBIG over
 * FB_MANIFEST_SIZE_MAX; -EBADMSG digest mismatch or a malformed reply;
 * -EBUSY rate limit; -ECONNREFUSED, -EHOSTUNREACH, -ETIMEDOUT, -EPROTO (TLS),
 * -EIO; what @tick returned; -ENOMEM.
 */
int fb_registry_get_manifest(struct fb_registry *reg,
			     const struct fb_reference *ref,
			     struct fb_registry_manifest *ret,
			     struct fb_err *err);

/**
 * struct fb_registry_sink - Where the bytes of one blob go
 * @ctx:   Passed to each
 * @write: The next bytes, in order; a negative errno ends the whole fetch
 * @reset: Forget what was written (also what was there at the start): the
 *         transfer starts again at offset 0.  Same rule
 * @done:  All bytes were written; size and digest are verified: publish.  Same
 *         rule.  Never called for anything else
 * @read:  Read back bytes that the caller has from an earlier attempt
 *         (pread-like, count or negative errno); NULL where have_bytes is 0
 *
 * Called on the thread of fb_registry_fetch_blobs(), never after it returned.
 */
struct fb_registry_sink {
	void *ctx;
	int (*write)(void *ctx, const void *data, size_t len,
		     struct fb_err *err);
	int (*reset)(void *ctx, struct fb_err *err);
	int (*done)(void *ctx, struct fb_err *err);
	ssize_t (*read)(void *ctx, uint64_t offset, void *buf, size_t len);
};

/**
 * struct fb_registry_blob - One blob to fetch
 * @digest:     From its descriptor; set
 * @size_bytes: From its descriptor; not a byte more is accepted
 * @have_bytes: Bytes that the sink has already, at most @size_bytes.  They are
 *              read back and hashed, and the transfer continues behind them
 *              (where the registry can; otherwise @sink.reset is called)
 * @sink:       Where it goes
 */
struct fb_registry_blob {
	struct fb_digest digest;
	uint64_t size_bytes;
	uint64_t have_bytes;
	struct fb_registry_sink sink;
};

/**
 * fb_registry_fetch_blobs() - Fetch and verify blobs in parallel
 * @reg:        Client (borrowed)
 * @repository: As in struct fb_reference's path: "library/alpine"
 * @blobs:      Each digest at most once (borrowed)
 * @count:      0 … FB_REGISTRY_BLOBS_MAX
 * @err:        One line with cause and hint, or NULL
 *
 * A broken transfer continues with Range where it stopped, after a pause that
 * grows; 429 and 5xx likewise, by Retry-After where it is at most 60 s.  The
 * first permanent error ends every transfer; what the sinks of the others have
 * by then is a correct beginning that a later call may take up as @have_bytes.
 *
 * Return: 0 when every sink was told done; otherwise as
 * fb_registry_get_manifest(), or what a sink returned.
 */
int fb_registry_fetch_blobs(struct fb_registry *reg, const char *repository,
			    const struct fb_registry_blob *blobs, size_t count,
			    struct fb_err *err);

#endif
