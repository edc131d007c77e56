/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/curl_dl.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* CURLOPT_PROTOCOLS_STR; NO_PROXY understands CIDR from 7.86 on */
#define CURL_VERSION_MIN 0x075500u

static const char *const curl_names[] = {
#define FB_CURL_NAME(name) "curl_" #name,
	FB_CURL_FUNCTIONS(FB_CURL_NAME)
#undef FB_CURL_NAME
};

/* A function pointer travels through memory: ISO C knows no cast from void *. */
static int load_symbol(void *handle, const char *name, void *slot)
{
	void *symbol = dlsym(handle, name);

	memcpy(slot, &symbol, sizeof(symbol));
	return symbol ? 0 : -ENOENT;
}

static int load_symbols(struct fb_curl *curl, const char **ret_missing)
{
	void *const slots[] = {
#define FB_CURL_SLOT(name) &curl->name,
		FB_CURL_FUNCTIONS(FB_CURL_SLOT)
#undef FB_CURL_SLOT
	};

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		*ret_missing = curl_names[i];
		if (load_symbol(curl->handle, curl_names[i], slots[i]) < 0)
			return -ENOENT;
	}
	return 0;
}

static int check_library(struct fb_curl *curl, const char *soname,
			 struct fb_err *err)
{
	const curl_version_info_data *info;
	const char *missing;

	if (load_symbols(curl, &missing) < 0)
		return fb_err_set(err, -ENOENT, "load '%s': it has no '%s'",
				  soname, missing);
	info = curl->version_info(CURLVERSION_NOW);
	curl->version = info->version_num;
	if (curl->version < CURL_VERSION_MIN)
		return fb_err_set(err, -ENOENT,
				  "load '%s': version %s is too old, 7.85 or "
				  "newer is needed",
				  soname, info->version);
	if (!(info->features & CURL_VERSION_SSL))
		return fb_err_set(err, -ENOENT,
				  "load '%s': it was built without TLS",
				  soname);
	if (curl->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return fb_err_set(err, -ENOENT, "initialise '%s'", soname);
	return 0;
}

int fb_curl_load(const char *soname, struct fb_curl *ret, struct fb_err *err)
{
	struct fb_curl curl = { 0 };
	int r;

	/* its TLS library registers exit handlers: it must stay mapped */
	curl.handle = dlopen(soname, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (!curl.handle) {
		r = fb_err_set(err, -ENOENT,
			       "registries need libcurl, which cannot be "
			       "loaded: %s",
			       dlerror());
	} else {
		r = check_library(&curl, soname, err);
		if (r < 0)
			(void)dlclose(curl.handle);
	}
	if (r < 0)
		return fb_err_hint(err, r, "apt install libcurl4");
	*ret = curl;
	return 0;
}

void fb_curl_unload(struct fb_curl *curl)
{
	if (!curl->handle)
		return;
	curl->global_cleanup();
	(void)dlclose(curl->handle);
	memset(curl, 0, sizeof(*curl));
}
