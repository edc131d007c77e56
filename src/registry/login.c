/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oci/reference.h"
#include "registry/auth_file.h"
#include "registry/credential.h"

#define HUB "docker.io"

int fb_login_server(const char *text, char ret[256], struct fb_err *err)
{
	const char *host = text ? text : HUB;
	char name[sizeof(((struct fb_reference *)0)->domain) + 4];
	struct fb_reference ref;
	size_t n;

	if (strncasecmp(host, "https://", 8) == 0)
		host += 8;
	else if (strncasecmp(host, "http://", 7) == 0)
		host += 7;
	n = strcspn(host, "/");
	/* what pulling from it would look for: a name's first part */
	if (n == 0 || n >= sizeof(ref.domain) ||
	    snprintf(name, sizeof(name), "%.*s/x", (int)n, host) < 0 ||
	    fb_reference_parse(name, &ref, NULL) < 0 ||
	    (strcmp(ref.domain, HUB) == 0 && !memchr(host, '.', n)))
		return fb_err_hint(err,
				   fb_err_set(err, -EINVAL,
					      "not the host of a registry: "
					      "'%s'",
					      text),
				   "give it as host, or as host:port");
	if (strcmp(ref.domain, "registry-1.docker.io") == 0)
		(void)snprintf(ref.domain, sizeof(ref.domain), HUB);
	memcpy(ret, ref.domain, sizeof(ref.domain));
	return 0;
}

const char *fb_login_shown(const char *server)
{
	return strcmp(server, HUB) == 0 ? FB_DOCKER_HUB_KEY : server;
}

char *fb_login_file(struct fb_err *err)
{
	FB_STRV struct fb_strv files = { 0 };
	char *path;

	if (fb_auth_files(&files) < 0) {
		(void)fb_err_set(err, -ENOMEM, "log-ins: %m");
		return NULL;
	}
	path = files.count ? strdup(files.v[0]) : NULL;
	if (!path)
		(void)fb_err_set(err, -ENOENT, "no place for log-ins");
	return path;
}
