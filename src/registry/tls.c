/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"

#define TLS_FILES_MAX 64

void fb_tls_release(struct fb_tls *tls)
{
	free(tls->ca_pem);
	free(tls->cert);
	free(tls->key);
	free(tls->folder);
	memset(tls, 0, sizeof(*tls));
}

int fb_tls_dirs(struct fb_strv *ret)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

	if (config && config[0] == '/') {
		(void)fb_strv_addf(ret, "%s/containers/certs.d", config);
		(void)fb_strv_addf(ret, "%s/docker/certs.d", config);
	} else if (home && home[0] == '/') {
		(void)fb_strv_addf(ret, "%s/.config/containers/certs.d", home);
		(void)fb_strv_addf(ret, "%s/.config/docker/certs.d", home);
	}
	(void)fb_strv_add(ret, "/etc/containers/certs.d");
	return fb_strv_add(ret, "/etc/docker/certs.d");
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s && strcmp(name + n - s, suffix) == 0;
}

static int add_ca(struct fb_str *pem, const char *path, struct fb_err *err)
{
	FB_FREE char *text = NULL;
	size_t len = 0;
	int r = fb_read_file_at(AT_FDCWD, path, FB_TLS_CA_MAX, &text, &len);

	if (r == 0) {
		(void)fb_str_append(pem, text, len);
		r = fb_str_putc(pem, '\n');
	}
	return r < 0 ? fb_err_set(err, r, "read '%s': %m", path) : 0;
}

/* The first certificate in the folder's order is the one that is shown. */
static int add_client(struct fb_tls *tls, const char *folder, const char *name,
		      struct fb_err *err)
{
	FB_FREE char *cert = fb_path_join(folder, name);
	FB_FREE char *key = cert ? strdup(cert) : NULL;

	if (!key)
		return fb_err_set(err, -ENOMEM, "certificates: %m");
	if (tls->cert)
		return 0;
	memcpy(key + strlen(key) - strlen(".cert"), ".key", sizeof(".key"));
	if (access(key, R_OK) < 0)
		return fb_err_set(err, errno == ENOENT ? -EINVAL : -errno,
				  "certificate '%s' has no readable key '%s'",
				  cert, key);
	tls->cert = FB_TAKE_PTR(cert);
	tls->key = FB_TAKE_PTR(key);
	return 0;
}

static int load_file(struct fb_tls *tls, struct fb_str *pem, const char *folder,
		     const char *name, struct fb_err *err)
{
	FB_FREE char *path = NULL;

	if (has_suffix(name, ".cert"))
		return add_client(tls, folder, name, err);
	if (!has_suffix(name, ".crt"))
		return 0;
	path = fb_path_join(folder, name);
	if (!path)
		return fb_err_set(err, -ENOMEM, "certificates: %m");
	return add_ca(pem, path, err);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int load_folder(const char *folder, struct fb_tls *tls,
		       struct fb_err *err)
{
	FB_STR struct fb_str pem = FB_STR_INIT(FB_TLS_CA_MAX);
	struct dirent **names = NULL;
	int count = scandir(folder, &names, visible, alphasort), r = 0;

	if (count < 0)
		return fb_err_set(err, -errno, "read folder '%s': %m", folder);
	if (count > TLS_FILES_MAX)
		r = fb_err_set(err, -EFBIG, "too many files in '%s'", folder);
	for (int i = 0; i < count; i++) {
		if (r == 0)
			r = load_file(tls, &pem, folder, names[i]->d_name, err);
		free(names[i]);
	}
	free(names);
	if (r < 0 || pem.len == 0)
		return r;
	tls->ca_len = pem.len;
	tls->ca_pem = fb_str_take(&pem);
	return 0;
}

int fb_tls_load(const char *const *dirs, const char *name, struct fb_tls *ret,
		struct fb_err *err)
{
	struct fb_tls tls = { .insecure = ret->insecure };
	struct stat st;
	int r;

	if (name[0] == '.' || strchr(name, '/'))
		return -ENOENT;
	for (; dirs && *dirs; dirs++) {
		FB_FREE char *folder = fb_path_join(*dirs, name);

		if (!folder)
			return fb_err_set(err, -ENOMEM, "certificates: %m");
		if (stat(folder, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		r = load_folder(folder, &tls, err);
		if (r < 0) {
			fb_tls_release(&tls);
			return r;
		}
		tls.folder = FB_TAKE_PTR(folder);
		fb_tls_release(ret);
		*ret = tls;
		return 0;
	}
	return -ENOENT;
}

int fb_tls_add_bundle(struct fb_tls *tls, const char *path, struct fb_err *err)
{
	FB_STR struct fb_str pem = FB_STR_INIT(2 * FB_TLS_CA_MAX);
	int r;

	if (access(path, F_OK) < 0)
		return 0;
	(void)fb_str_append(&pem, tls->ca_pem, tls->ca_len);
	r = add_ca(&pem, path, err);
	if (r < 0)
		return r;
	free(tls->ca_pem);
	tls->ca_len = pem.len;
	tls->ca_pem = fb_str_take(&pem);
	return 0;
}
