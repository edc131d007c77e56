/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "registry/auth_store.h"
#include "registry/client.h"
#include "registry/login.h"

struct login_flags {
	bool password_stdin;
	bool tls_verify;
	const char *username;
	const char *password;
};

static const struct fb_option login_options[] = {
	FB_OPTION_STRING(struct login_flags, username, 'u', "username",
			 "string", "Username"),
	FB_OPTION_STRING(struct login_flags, password, 'p', "password",
			 "string",
			 "Password; others can see it in the list of "
			 "processes"),
	FB_OPTION_FLAG(struct login_flags, password_stdin, 0, "password-stdin",
		       "Take the password from standard input"),
	FB_OPTION_FLAG_ON(
		struct login_flags, tls_verify, 0, "tls-verify",
		"Verify the registry's certificate; with =false plain "
		"HTTP is tried as well"),
	FB_OPTION_END,
};

static int check_flags(const struct login_flags *flags, struct fb_err *err)
{
	if (flags->password && flags->password_stdin)
		return fb_err_set(err, -EINVAL,
				  "--password and --password-stdin are "
				  "mutually exclusive");
	if (flags->password_stdin && !(flags->username && *flags->username))
		return fb_err_set(err, -EINVAL,
				  "Must provide --username with "
				  "--password-stdin");
	return 0;
}

static int verify(struct fb_cli *cli, const char *server, bool tls_verify,
		  struct fb_credential *credential, struct fb_err *err)
{
	FB_REGISTRY struct fb_registry *registry = NULL;
	struct fb_registry_options options =
		fb_names_registry_options(cli, tls_verify);
	int r;

	/* a log-in is for the registry, whatever serves its images */
	options.mirrors = NULL;
	if (credential) {
		options.username = credential->username;
		options.password = credential->password;
		options.ask_identity = true;
	}
	r = fb_registry_open(server, &options, &registry, err);
	return r < 0 ? r
		     : fb_registry_check(
			       registry,
			       credential ? &credential->identity_token : NULL,
			       err);
}

/* Take -p's value out of what other users' ps shows */
static int take_password(struct fb_cli *cli, const struct login_flags *flags,
			 char **ret, struct fb_err *err)
{
	if (flags->password_stdin)
		return fb_ask_stdin(ret, err);
	if (!flags->password)
		return 0;
	(void)fputs(
		"WARNING! Using --password via the CLI is insecure. Use "
		"--password-stdin.\n",
		cli->err);
	*ret = strdup(flags->password);
	explicit_bzero((void *)(uintptr_t)flags->password,
		       strlen(flags->password));
	return *ret ? 0 : fb_err_set(err, -ENOMEM, "log-in: %m");
}

static int ask_missing(struct fb_cli *cli, struct fb_credential *c,
		       struct fb_err *err)
{
	int r = 0;

	if ((!c->username || !c->password) && !fb_ask_possible())
		return fb_err_hint(err,
				   fb_err_set(err, -ENOTTY,
					      "Cannot perform an interactive "
					      "login from a non TTY device"),
				   "give --username and --password-stdin");
	if (!c->username)
		r = fb_ask(cli, "Username: ", false, &c->username, err);
	if (r == 0 && !c->password)
		r = fb_ask(cli, "Password: ", true, &c->password, err);
	if (r == 0 && !(c->username[0] && c->password[0]))
		r = fb_err_set(err, -EINVAL,
			       "user name and password must not be empty");
	return r;
}

/* Return: 1 the log-in that is there still holds; 0 there is none that does */
static int try_existing(struct fb_cli *cli, const char *server,
			const struct login_flags *flags, struct fb_err *err)
{
	FB_CREDENTIAL struct fb_credential c = { 0 };
	FB_STRV struct fb_strv files = { 0 };
	struct fb_err refused = { 0 };
	int r = fb_auth_files(&files);

	if (r == 0)
		r = fb_credential_find((const char *const *)files.v, server, "",
				       &cli->log, &c);
	if (r < 0)
		return fb_err_set(err, r, "log-ins: %s", strerror(-r));
	if (!c.username && !c.identity_token && !c.registry_token)
		return 0;
	(void)fputs("Authenticating with existing credentials...\n", cli->out);
	r = verify(cli, server, flags->tls_verify, NULL, &refused);
	if (r == 0)
		return 1;
	if (r != -EACCES || !fb_ask_possible()) {
		*err = refused;
		return r;
	}
	(void)fflush(cli->out);
	(void)fprintf(cli->err, "Login did not succeed, error: %s\n",
		      refused.msg);
	return 0;
}

static int keep(struct fb_cli *cli, const char *server,
		const struct fb_credential *c, struct fb_err *err)
{
	FB_FREE char *path = fb_login_file(err);
	bool plain = false;
	int r = path ? fb_auth_store_put(path, server, c, &plain, err)
		     : -ENOENT;

	/* the token of a token service is no password */
	if (r == 0 && plain && !c->identity_token)
		(void)fprintf(cli->err,
			      "WARNING! Your password will be stored "
			      "unencrypted in %s.\nConfigure a credential "
			      "helper to remove this warning.\n",
			      path);
	return r;
}

static int login_run(struct fb_cli *cli, const struct fb_call *call,
		     struct fb_err *err)
{
	const struct login_flags *flags = call->flags;
	FB_CREDENTIAL struct fb_credential c = { 0 };
	char server[256];
	int r = check_flags(flags, err);

	fb_secret_guard();
	if (r == 0)
		r = fb_login_server(call->args[0], server, err);
	if (r == 0)
		r = take_password(cli, flags, &c.password, err);
	if (r == 0 && flags->username) {
		c.username = strdup(flags->username);
		r = c.username ? 0 : fb_err_set(err, -ENOMEM, "log-in: %m");
	}
	if (r == 0 && !c.username && !c.password)
		r = try_existing(cli, server, flags, err);
	if (r == 0) {
		r = ask_missing(cli, &c, err);
		if (r == 0)
			r = verify(cli, server, flags->tls_verify, &c, err);
		if (r == 0)
			r = keep(cli, server, &c, err);
	}
	if (r < 0)
		return fb_err_wrap(err, r, "log in");
	(void)fputs("Login Succeeded\n", cli->out);
	return 0;
}

const struct fb_command fb_cmd_login = {
	.name = "login",
	.usage = "[SERVER]",
	.summary = "Log in to a registry",
	.details =
		"SERVER is Docker Hub where not given.  The log-in is tried "
		"before it is kept, in docker's config.json or the file that "
		"REGISTRY_AUTH_FILE names, or with the credential helper that "
		"this file asks for.",
	.options = login_options,
	.flags_size = sizeof(struct login_flags),
	.min_args = 0,
	.max_args = 1,
	.run = login_run,
};
