/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cli.h"
#include "registry/auth_store.h"
#include "registry/login.h"

/* A log-in that somebody else wrote still counts: say where it is */
static void tell_others(struct fb_cli *cli, const char *server,
			const char *path)
{
	FB_STRV struct fb_strv files = { 0 };

	if (fb_auth_files(&files) < 0)
		return;
	for (size_t i = 0; i < files.count; i++) {
		FB_CREDENTIAL struct fb_credential c = { 0 };
		const char *one[] = { files.v[i], NULL };

		if (strcmp(files.v[i], path) == 0 ||
		    fb_credential_find(one, server, "", NULL, &c) < 0)
			continue;
		if (c.username || c.identity_token || c.registry_token)
			fb_log(&cli->log, FB_LOG_WARN,
			       "'%s' has a log-in for '%s' as well, which stays",
			       files.v[i], server);
	}
}

static int logout_run(struct fb_cli *cli, const struct fb_call *call,
		      struct fb_err *err)
{
	FB_FREE char *path = NULL;
	bool removed = false;
	char server[256];
	int r = fb_login_server(call->args[0], server, err);

	if (r < 0)
		return fb_err_wrap(err, r, "log out");
	path = fb_login_file(err);
	if (!path)
		return fb_err_wrap(err, err->code, "log out");
	r = fb_auth_store_remove(path, server, &removed, err);
	if (r < 0)
		return fb_err_wrap(err, r, "log out");
	(void)fprintf(cli->out,
		      removed ? "Removing login credentials for %s\n"
			      : "Not logged in to %s\n",
		      fb_login_shown(server));
	tell_others(cli, server, path);
	return 0;
}

const struct fb_command fb_cmd_logout = {
	.name = "logout",
	.usage = "[SERVER]",
	.summary = "Log out from a registry",
	.details = "SERVER is Docker Hub where not given.",
	.min_args = 0,
	.max_args = 1,
	.run = logout_run,
};
