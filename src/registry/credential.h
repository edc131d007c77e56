/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log-in for a registry, from where docker and podman keep theirs.  What is
 * secret is zeroed before its memory is given back, and never in a message.
 */
#ifndef FB_REGISTRY_CREDENTIAL_H
#define FB_REGISTRY_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

/**
 * struct fb_credential - A log-in; all NULL = none
 * @username:       With @password
 * @password:       Secret
 * @identity_token: Secret: refresh token of the token service's OAuth2 flow
 * @registry_token: Secret: bearer token, sent as it is
 * @ask_identity:   A token service is asked for an identity token as well
 */
struct fb_credential {
	char *username;
	char *password;
	char *identity_token;
	char *registry_token;
	bool ask_identity;
};

/** fb_credential_release() - Zero and free */
void fb_credential_release(struct fb_credential *c);

/** FB_CREDENTIAL - Zeroed and freed at the end of its scope */
#define FB_CREDENTIAL __attribute__((cleanup(fb_credential_release)))

/** fb_secret_free() - Zero a C string and free it; NULL is fine */
void fb_secret_free(char *text);

static inline void fb_cleanup_secret(char **text)
{
	fb_secret_free(*text);
}

/** FB_SECRET - `FB_SECRET char *s = NULL;` is zeroed and freed */
#define FB_SECRET __attribute__((cleanup(fb_cleanup_secret)))

/** fb_secret_str_release() - Zero a growing string and free it */
void fb_secret_str_release(struct fb_str *s);

#define FB_SECRET_STR __attribute__((cleanup(fb_secret_str_release)))

/**
 * fb_secret_guard() - Leave no core dump from now on
 *
 * Called by whatever first has a secret in memory.  It also keeps other processes
 * of the same user from looking into this one; programs that it starts are as
 * they always are.
 */
void fb_secret_guard(void);

/** fb_secret_strv_release() - Zero and free all strings */
void fb_secret_strv_release(struct fb_strv *v);

/**
 * fb_headers_find() - "HttpHeaders" of the first log-in file that has any
 * @ret: As fb_auth_file_headers(); of a broken file @log is told
 *
 * Return: 0; -ENOMEM.
 */
int fb_headers_find(const char *const *files, const struct fb_log *log,
		    struct fb_strv *ret);

/**
 * fb_auth_files() - The files where a log-in may be, in the order of looking
 * @ret: Appended to: $REGISTRY_AUTH_FILE alone where set; otherwise docker's
 *       ($DOCKER_CONFIG or ~/.docker)/config.json, then podman's
 *       $XDG_RUNTIME_DIR/containers/auth.json, /run/containers/<uid>/auth.json,
 *       ($XDG_CONFIG_HOME or ~/.config)/containers/auth.json
 *
 * Return: 0; -ENOMEM.
 */
int fb_auth_files(struct fb_strv *ret);

/**
 * fb_credential_find() - The log-in for a repository
 * @files:      NULL-terminated paths; missing files are passed over
 * @host:       "docker.io", "host:port"
 * @repository: "library/alpine"
 * @log:        What could not be used (a broken file, a helper that fails)
 * @ret:        All NULL where there is none; written on success only
 *
 * In each file: the credential helper for the host, the credential store, the
 * file itself; the most exact entry wins.  A source that does not work is a
 * warning, not the end: the image may be public.
 *
 * Return: 0; -ENOMEM.
 */
int fb_credential_find(const char *const *files, const char *host,
		       const char *repository, const struct fb_log *log,
		       struct fb_credential *ret);

#endif
