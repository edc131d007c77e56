/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docker's config.json and podman's auth.json. Pure.
 * Source: docker's "docker login" reference; containers-auth.json(5).
 */
#ifndef FB_REGISTRY_AUTH_FILE_H
#define FB_REGISTRY_AUTH_FILE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "registry/credential.h"

#define FB_AUTH_FILE_MAX (1u << 20)
#define FB_AUTH_HEADERS_MAX 64
#define FB_AUTH_HEADER_BYTES_MAX 8192

/* the name under which docker keeps Docker Hub's log-in */
#define FB_DOCKER_HUB_KEY "https://index.docker.io/v1/"

/**
 * struct fb_auth_found - What a file says about a repository
 * @credential: From "auths"; all NULL where there is none
 * @helper:     Suffix of docker-credential-<helper> to ask first, or ""
 * @helper_key: What to ask it for
 */
struct fb_auth_found {
	struct fb_credential credential;
	char helper[64];
	char helper_key[512];
};

void fb_auth_found_release(struct fb_auth_found *found);

/**
 * fb_auth_file_lookup() - Look a repository up in a file's text
 * @json:       @len bytes (borrowed)
 * @len:        At most FB_AUTH_FILE_MAX
 * @host:       "docker.io", "host:port", lower case
 * @repository: "library/alpine"
 * @ret:        Release with fb_auth_found_release(); written on success only
 *
 * A key may be a host, a host with the beginning of the repository's path
 * (the longest wins), or a URL; Docker Hub's various names are one.
 *
 * Return: 0; -ENOENT nothing about it; -EBADMSG malformed (the text never
 * quotes a value); -ENOMEM.
 */
int fb_auth_file_lookup(const char *json, size_t len, const char *host,
			const char *repository, struct fb_auth_found *ret,
			struct fb_err *err);

/**
 * fb_auth_file_headers() - "HttpHeaders": what the user wants sent along
 * @ret: "Name: value" lines (secret, perhaps); added to.  Those that a client sets
 *       itself are left out, as docker does
 *
 * Return: 0; -EBADMSG not JSON, or one is malformed: none is added then; -E2BIG
 * over FB_AUTH_HEADERS_MAX; -ENOMEM.
 */
int fb_auth_file_headers(const char *json, size_t len, struct fb_strv *ret,
			 struct fb_err *err);

/**
 * fb_helper_reply_parse() - What docker-credential-X get printed
 * @ret: The user name "<token>" makes the secret an identity token; written on
 *       success only
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int fb_helper_reply_parse(const char *json, size_t len,
			  struct fb_credential *ret, struct fb_err *err);

/**
 * fb_auth_file_helper() - The credential helper that a file names
 * @root: The file's object (borrowed)
 * @ret:  @helper and @helper_key; "" where there is none
 *
 * Return: 0; -EBADMSG its name is malformed.
 */
int fb_auth_file_helper(const json_t *root, const char *host,
			const char *repository, struct fb_auth_found *ret,
			struct fb_err *err);

/** fb_auth_key_names_host() - A key of "auths" that stands for all of @host */
bool fb_auth_key_names_host(const char *key, const char *host);

/** fb_json_scrub() - Zero every string value before the object is released */
void fb_json_scrub(json_t *json);

static inline void fb_cleanup_secret_json(json_t **json)
{
	fb_json_scrub(*json);
	json_decref(*json);
}

#define FB_SECRET_JSON __attribute__((cleanup(fb_cleanup_secret_json)))

#endif
