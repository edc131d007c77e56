/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when a registry is first spoken to.  Linking it would cost
 * every start of every command 4 ms and 5 MB; its headers are used for their
 * types only.
 */
#ifndef FB_REGISTRY_CURL_DL_H
#define FB_REGISTRY_CURL_DL_H

#include <curl/curl.h>

#include "base/err.h"

#define FB_CURL_SONAME "libcurl.so.4"

#define FB_CURL_FUNCTIONS(X)   \
	X(global_init)         \
	X(global_cleanup)      \
	X(version_info)        \
	X(easy_init)           \
	X(easy_setopt)         \
	X(easy_getinfo)        \
	X(easy_cleanup)        \
	X(easy_strerror)       \
	X(slist_append)        \
	X(slist_free_all)      \
	X(multi_init)          \
	X(multi_setopt)        \
	X(multi_add_handle)    \
	X(multi_remove_handle) \
	X(multi_perform)       \
	X(multi_poll)          \
	X(multi_info_read)     \
	X(multi_cleanup)       \
	X(multi_strerror)

/**
 * struct fb_curl - The functions used, named without "curl_"
 * @handle:  From dlopen(); NULL while not loaded
 * @version: As LIBCURL_VERSION_NUM
 */
struct fb_curl {
	void *handle;
	unsigned int version;
#define FB_CURL_MEMBER(name) __typeof__(curl_##name) *name;
	FB_CURL_FUNCTIONS(FB_CURL_MEMBER)
#undef FB_CURL_MEMBER
};

/**
 * fb_curl_load() - Load and initialise libcurl
 * @soname: Library; FB_CURL_SONAME but in tests
 * @ret:    Written on success only; fb_curl_unload() undoes it
 *
 * Return: 0; -ENOENT missing or older than 7.85, with what to install.
 */
int fb_curl_load(const char *soname, struct fb_curl *ret, struct fb_err *err);

/** fb_curl_unload() - End its use; a zeroed one is fine */
void fb_curl_unload(struct fb_curl *curl);

#endif
