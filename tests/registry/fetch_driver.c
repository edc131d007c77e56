/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/registry/ on a command line, for the tests: it prints what the client
 * hands out and how often it was told to start again.
 *
 *   fetch_driver [--flag=value …] manifest REF
 *   fetch_driver [--flag=value …] blobs REF FOLDER
 *   fetch_driver [--flag=value …] check REF
 *   fetch_driver [--flag=value …] push REF FILE
 *   fetch_driver [--flag=value …] signatures REF@DIGEST
 *   fetch_driver [--flag=value …] tags REF
 *
 * `blobs` fetches the manifest, then its config and layers into FOLDER/<hex>;
 * with --resume what is in FOLDER is taken up.  `push` gives FILE as a blob.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "oci/manifest.h"
#include "registry/client.h"
#include "registry/signatures.h"
#include "registry/tags.h"
#include "registry/upload.h"

struct settings {
	struct fb_registry_options options;
	struct fb_log log;
	struct fb_strv mirrors;
	struct fb_strv insecure;
	struct fb_strv auth_files;
	struct fb_strv certs_dirs;
	bool resume;
	const char *mount_from;
	unsigned int ticks_left;
};

struct file_sink {
	int fd;
	unsigned int resets;
	uint64_t bytes;
	bool done;
	char path[4096];
};

static void print_log(void *ctx, enum fb_log_level level, const char *line)
{
	(void)ctx;
	(void)level;
	(void)fprintf(stderr, "log: %s\n", line);
}

static int sink_write(void *ctx, const void *data, size_t len,
		      struct fb_err *err)
{
	struct file_sink *sink = ctx;
	int r = fb_write_full(sink->fd, data, len);

	sink->bytes += len;
	return r < 0 ? fb_err_set(err, r, "write '%s': %m", sink->path) : 0;
}

static int sink_reset(void *ctx, struct fb_err *err)
{
	struct file_sink *sink = ctx;

	sink->resets++;
	if (ftruncate(sink->fd, 0) < 0 || lseek(sink->fd, 0, SEEK_SET) < 0)
		return fb_err_set(err, -errno, "reset '%s': %m", sink->path);
	return 0;
}

static int sink_done(void *ctx, struct fb_err *err)
{
	struct file_sink *sink = ctx;

	if (sink->done)
		return fb_err_set(err, -EALREADY, "told done twice");
	sink->done = true;
	return 0;
}

static ssize_t sink_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	struct file_sink *sink = ctx;

	return fb_pread_full(sink->fd, buf, len, offset);
}

static int tick(void *ctx)
{
	struct settings *s = ctx;

	return s->ticks_left && --s->ticks_left == 0 ? -EINTR : 0;
}

static bool take(const char *arg, const char *name, const char **ret)
{
	size_t n = strlen(name);

	if (strncmp(arg, name, n) != 0 || arg[n] != '=')
		return false;
	*ret = arg + n + 1;
	return true;
}

static unsigned int number(const char *text)
{
	return (unsigned int)strtoul(text, NULL, 10);
}

static bool parse_flag(struct settings *s, const char *arg)
{
	const char *v;

	if (strcmp(arg, "--insecure") == 0)
		s->options.insecure = true;
	else if (strcmp(arg, "--resume") == 0)
		s->resume = true;
	else if (take(arg, "--mirror", &v))
		(void)fb_strv_add(&s->mirrors, v);
	else if (take(arg, "--insecure-registry", &v))
		(void)fb_strv_add(&s->insecure, v);
	else if (take(arg, "--auth-file", &v))
		(void)fb_strv_add(&s->auth_files, v);
	else if (take(arg, "--username", &v))
		s->options.username = v;
	else if (take(arg, "--password", &v))
		s->options.password = v;
	else if (take(arg, "--certs-dir", &v))
		(void)fb_strv_add(&s->certs_dirs, v);
	else if (take(arg, "--parallel", &v))
		s->options.parallel = number(v);
	else if (take(arg, "--stall-s", &v))
		s->options.stall_s = number(v);
	else if (take(arg, "--retry-ms", &v))
		s->options.retry_delay_ms = number(v);
	else if (take(arg, "--connect-ms", &v))
		s->options.connect_timeout_ms = number(v);
	else if (take(arg, "--mount-from", &v))
		s->mount_from = v;
	else if (take(arg, "--ticks", &v))
		s->ticks_left = number(v);
	else
		return false;
	return true;
}

static const char *const *list(const struct fb_strv *v, bool empty_is_none)
{
	static const char *const none[] = { NULL };

	if (v->count == 0)
		return empty_is_none ? none : NULL;
	return (const char *const *)v->v;
}

static int get_manifest(struct fb_registry *reg, const struct fb_reference *ref,
			struct fb_registry_manifest *m, struct fb_err *err)
{
	char digest[FB_DIGEST_TEXT_MAX];
	int r = fb_registry_get_manifest(reg, ref, m, err);

	if (r == 0)
		printf("manifest %s %zu %s\n",
		       fb_digest_format(&m->digest, digest), m->len,
		       m->media_type);
	return r;
}

static int open_sink(struct settings *s, const char *folder,
		     const struct fb_descriptor *d, struct file_sink *sink,
		     struct fb_registry_blob *blob)
{
	char hex[FB_DIGEST_TEXT_MAX];
	struct stat st;

	(void)snprintf(sink->path, sizeof(sink->path), "%s/%s", folder,
		       fb_digest_hex(&d->digest, hex));
	sink->fd =
		open(sink->path,
		     O_RDWR | O_CREAT | O_CLOEXEC | (s->resume ? 0 : O_TRUNC),
		     0644);
	if (sink->fd < 0 || fstat(sink->fd, &st) < 0)
		return -errno;
	if (lseek(sink->fd, 0, SEEK_END) < 0)
		return -errno;
	*blob = (struct fb_registry_blob){
		.digest = d->digest,
		.size_bytes = d->size_bytes,
		.have_bytes = (uint64_t)st.st_size,
		.sink = { .ctx = sink,
			  .write = sink_write,
			  .reset = sink_reset,
			  .done = sink_done,
			  .read = sink_read },
	};
	return 0;
}

static int fetch_all(struct settings *s, struct fb_registry *reg,
		     const char *repository, const struct fb_manifest *m,
		     const char *folder, struct fb_err *err)
{
	size_t count = m->layer_count + 1;
	FB_FREE struct file_sink *sinks = calloc(count, sizeof(*sinks));
	FB_FREE struct fb_registry_blob *blobs = calloc(count, sizeof(*blobs));
	int r = sinks && blobs ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && r == 0; i++)
		r = open_sink(s, folder,
			      i == 0 ? &m->config : &m->layers[i - 1],
			      &sinks[i], &blobs[i]);
	if (r < 0)
		return fb_err_set(err, r, "open sinks: %m");
	r = fb_registry_fetch_blobs(reg, repository, blobs, count, err);
	for (size_t i = 0; i < count; i++) {
		printf("blob %s done=%d resets=%u bytes=%llu\n",
		       strrchr(sinks[i].path, '/') + 1, sinks[i].done,
		       sinks[i].resets, (unsigned long long)sinks[i].bytes);
		(void)close(sinks[i].fd);
		if (r == 0 && !sinks[i].done)
			r = fb_err_set(err, -EPROTO, "success without done");
	}
	return r;
}

static ssize_t push_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	const int *fd = ctx;

	return fb_pread_full(*fd, buf, len, offset);
}

static int hash_file(int fd, struct fb_registry_upload *upload)
{
	FB_HASH struct fb_hash *hash = fb_hash_new(FB_HASH_SHA256);
	static char buf[65536];
	ssize_t n;

	while (hash && (n = fb_read_full(fd, buf, sizeof(buf))) > 0) {
		if (fb_hash_update(hash, buf, (size_t)n) < 0)
			return -EIO;
		upload->size_bytes += (uint64_t)n;
	}
	upload->digest =
		(struct fb_digest){ .set = true, .kind = FB_HASH_SHA256 };
	return hash ? fb_hash_final(hash, upload->digest.hash) : -ENOMEM;
}

static int push(struct settings *s, struct fb_registry *reg,
		const char *repository, const char *path, struct fb_err *err)
{
	static const char *const ends[] = { "pending", "pushed", "exists",
					    "mounted" };
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;
	struct fb_registry_upload upload = { .mount_from = s->mount_from,
					     .read = push_read,
					     .ctx = &fd };

	if (fd < 0 || hash_file(fd, &upload) < 0)
		return fb_err_set(err, -EIO, "read '%s': %m", path);
	r = fb_registry_push_blobs(reg, repository, &upload, 1, err);
	printf("end %s\n", ends[upload.end]);
	(void)close(fd);
	return r;
}

static int signatures(struct fb_registry *reg, const struct fb_reference *ref,
		      struct fb_err *err)
{
	struct fb_signatures found = { 0 };
	int r = fb_registry_get_signatures(reg, ref, &ref->digest, &found, err);

	printf("signatures %zu\n", found.count);
	for (size_t i = 0; i < found.count; i++)
		printf("signature %.*s %.*s\n", (int)found.v[i].sig_len,
		       found.v[i].sig, (int)found.v[i].payload_len,
		       found.v[i].payload);
	fb_signatures_release(&found);
	return r;
}

static int tags(struct fb_registry *reg, const struct fb_reference *ref,
		struct fb_err *err)
{
	FB_STRV struct fb_strv found = { 0 };
	int r = fb_registry_list_tags(reg, ref, &found, err);

	for (size_t i = 0; i < found.count && r == 0; i++)
		printf("tag %s\n", found.v[i]);
	return r;
}

static int run(struct settings *s, const char *verb, const char *text,
	       const char *folder, struct fb_err *err)
{
	FB_REGISTRY struct fb_registry *reg = NULL;
	FB_REGISTRY_MANIFEST struct fb_registry_manifest doc = { 0 };
	struct fb_manifest m = { 0 };
	struct fb_reference ref;
	int r = fb_reference_parse(text, &ref, err);

	if (r == 0)
		r = fb_registry_open(ref.domain, &s->options, &reg, err);
	if (r == 0 && strcmp(verb, "check") == 0)
		return fb_registry_check(reg, NULL, err);
	if (r == 0 && strcmp(verb, "signatures") == 0)
		return signatures(reg, &ref, err);
	if (r == 0 && strcmp(verb, "tags") == 0)
		return tags(reg, &ref, err);
	if (r == 0 && strcmp(verb, "push") == 0)
		return push(s, reg, ref.path, folder, err);
	if (r == 0)
		r = get_manifest(reg, &ref, &doc, err);
	if (r < 0 || strcmp(verb, "blobs") != 0)
		return r;
	r = fb_manifest_parse(doc.bytes, doc.len, &m, err);
	if (r < 0)
		return r;
	r = fetch_all(s, reg, ref.path, &m, folder, err);
	fb_manifest_release(&m);
	return r;
}

/* Not ru_maxrss: it begins with what the parent had when it forked. */
static unsigned long peak_rss_kib(void)
{
	FB_FREE char *text = NULL;
	const char *line;

	if (fb_read_file_at(AT_FDCWD, "/proc/self/status", 65536, &text, NULL) <
	    0)
		return 0;
	line = strstr(text, "VmHWM:");
	return line ? strtoul(line + 6, NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	struct settings s = { 0 };
	struct fb_err err = { 0 };
	int i = 1, r;

	while (i < argc && argv[i][0] == '-')
		if (!parse_flag(&s, argv[i++]))
			return 2;
	if (argc - i < 2 || argc - i > 3)
		return 2;
	s.log = (struct fb_log){ .level = FB_LOG_DEBUG, .emit = print_log };
	s.options.log = &s.log;
	s.options.tick = tick;
	s.options.tick_ctx = &s;
	s.options.mirrors = list(&s.mirrors, false);
	s.options.insecure_registries = list(&s.insecure, false);
	s.options.auth_files = list(&s.auth_files, true);
	s.options.certs_dirs = list(&s.certs_dirs, true);
	r = run(&s, argv[i], argv[i + 1], argc - i == 3 ? argv[i + 2] : ".",
		&err);
	fb_strv_release(&s.mirrors);
	fb_strv_release(&s.insecure);
	fb_strv_release(&s.auth_files);
	fb_strv_release(&s.certs_dirs);
#ifdef __SANITIZE_ADDRESS__
	printf("sanitized\n");
#endif
	printf("rss_kib %lu\n", peak_rss_kib());
	if (r < 0)
		printf("error %s: %s | %s\n", strerrorname_np(-r), err.msg,
		       err.hint);
	return r < 0;
}
