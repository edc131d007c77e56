/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose certificates are believed, and which one is shown: docker's and podman's
 * certs.d/<host[:port]>/{*.crt,*.cert,*.key} beside the system's store.
 */
#ifndef FB_REGISTRY_TLS_H
#define FB_REGISTRY_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define FB_TLS_CA_MAX (8u << 20)

/**
 * struct fb_tls - One peer's TLS settings; zeroed = verify by the system's store
 * @insecure: Verify nothing
 * @ca_pem:   Certificates believed beside the system's, or NULL
 * @ca_len:   Bytes of @ca_pem
 * @cert:     Path of our certificate, or NULL
 * @key:      Path of its key, NULL where @cert is NULL
 * @folder:   Where the above was found, or NULL
 */
struct fb_tls {
	bool insecure;
	char *ca_pem;
	size_t ca_len;
	char *cert;
	char *key;
	char *folder;
};

void fb_tls_release(struct fb_tls *tls);

/** fb_tls_dirs() - Append the usual certs.d folders. Return: 0; -ENOMEM */
int fb_tls_dirs(struct fb_strv *ret);

/**
 * fb_tls_load() - Read the first certs.d folder of a peer
 * @dirs: NULL-terminated certs.d folders
 * @name: "host" or "host:port"
 * @ret:  @insecure is left as it is; the rest is written on success only
 *
 * Return: 0; -ENOENT no folder has @name; -EACCES, -EFBIG, … a file there that
 * cannot be read; -EINVAL a certificate without its key, or the other way round.
 */
int fb_tls_load(const char *const *dirs, const char *name, struct fb_tls *ret,
		struct fb_err *err);

/**
 * fb_tls_add_bundle() - Believe the certificates of a file as well
 * @path: PEM bundle; a missing one is passed over
 *
 * Return: 0; -EFBIG; -ENOMEM; another negative errno.
 */
int fb_tls_add_bundle(struct fb_tls *tls, const char *path, struct fb_err *err);

#endif
