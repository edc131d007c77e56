/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A conversion reads layers from the top, and what says
 * which they are may stand at an archive's end: so an archive has to be a file.
 * It is looked through once, from header to header; what is a layer is then read
 * from where it stands.  A tar with neither an OCI index nor docker's manifest in
 * it is a root file system, one layer that no digest describes.
 */
#include "image/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/inflate.h"
#include "archive/tar.h"
#include "base/io.h"
#include "image/input_internal.h"
#include "image/output.h"

#define LAYOUT_BYTES_MAX 4096
#define COPY_BYTES (256u << 10)

static void input_release(struct fb_input *in)
{
	for (size_t i = 0; in->layers && i < in->layer_count; i++)
		fb_source_free(in->layers[i].source);
	free(in->layers);
	fb_image_config_release(&in->config);
	fb_members_release(&in->members);
	if (in->spool.fd >= 0)
		fb_store_temp_discard(&in->spool);
	else if (in->fd != in->what->fd)
		(void)fb_close(in->fd);
	(void)fb_close(in->dirfd);
}

/* A file that is not packed is read where it is. Return: 1 that is so; 0 not */
static int is_plain_file(struct fb_input *in, struct fb_err *err)
{
	uint8_t magic[4];
	struct stat st;
	ssize_t n;
	off_t at;

	if (fstat(in->fd, &st) < 0)
		return fb_err_set(err, -errno, "%m");
	at = S_ISREG(st.st_mode) ? lseek(in->fd, 0, SEEK_CUR) : -1;
	if (at < 0)
		return 0;
	in->start = (uint64_t)at;
	n = fb_pread_full(in->fd, magic, sizeof(magic), in->start);
	if (n < 0)
		return fb_err_set(err, (int)n, "read: %m");
	return fb_compression_detect(magic, (size_t)n) == FB_COMPRESSION_PLAIN;
}

static int copy_plain(struct fb_input *in, struct fb_source *plain,
		      uint64_t max_bytes, struct fb_err *err)
{
	FB_FREE uint8_t *buf = malloc(COPY_BYTES);
	uint64_t at = 0;
	ssize_t n;
	int r;

	if (!buf)
		return fb_err_set(err, -ENOMEM, "%m");
	while ((n = fb_source_read_full(plain, buf, COPY_BYTES, err)) > 0) {
		/* said at once, and not when the disk is full of it */
		if (at == 0 && !fb_tar_is_start(buf, (size_t)n))
			return fb_err_set(err, -EBADMSG, "not a tar archive");
		r = fb_pwrite_full(in->spool.fd, buf, (size_t)n, at);
		if (r < 0)
			return fb_err_set(err, r, "keep what comes in: %s",
					  strerror(-r));
		at += (uint64_t)n;
		fb_progress(in->ctx->progress, FB_PROGRESS_LOADING,
			    in->what->path, at, 0);
		r = fb_progress_tick(in->ctx->progress);
		if (r == 0 && at > max_bytes)
			r = -EFBIG;
		if (r < 0)
			return fb_err_set(err, r, "read: %s", strerror(-r));
	}
	return (int)n;
}

static int spool(struct fb_input *in, uint64_t max_bytes, struct fb_err *err)
{
	const struct fb_inflate_options limits = {
		.ratio_max = 2000,
		.ratio_free_bytes = 1u << 30,
	};
	FB_SOURCE struct fb_source *from = NULL;
	FB_SOURCE struct fb_source *plain = NULL;
	int r = fb_store_temp_create(in->ctx->store, &in->spool, err);

	if (r == 0)
		r = fb_source_from_fd(in->fd, in->start, UINT64_MAX, &from,
				      err);
	if (r == 0)
		r = fb_inflate_new(from, &limits, &plain, err);
	if (r == 0)
		r = copy_plain(in, plain, max_bytes, err);
	if (r < 0)
		return r;
	if (in->fd != in->what->fd)
		(void)fb_close(in->fd);
	in->fd = in->spool.fd;
	in->start = 0;
	return 0;
}

static int check_trust(const struct fb_input *in, enum fb_transport transport,
		       struct fb_err *err)
{
	return fb_trust_check_file(in->what->trust, transport, in->what->path,
				   NULL, err);
}

static int root_file_system(struct fb_input *in, struct fb_err *err)
{
	struct stat st;

	/* what a pipe gives whose writer failed; an empty tar has two blocks */
	if (fstat(in->fd, &st) < 0)
		return fb_err_set(err, -errno, "%m");
	if ((uint64_t)st.st_size <= in->start)
		return fb_err_set(err, -EBADMSG, "there is nothing in it");
	if (in->what->name)
		return fb_err_set(err, -ENOENT,
				  "no image '%s': it is a root file system",
				  in->what->name);
	in->layers = calloc(1, sizeof(*in->layers));
	if (!in->layers)
		return fb_err_set(err, -ENOMEM, "convert: %m");
	in->layer_count = 1;
	in->layers[0] = (struct fb_rootfs_layer){
		.fd = -EBADF,
		.size_bytes = UINT64_MAX,
		.compression = FB_LAYER_UNKNOWN,
	};
	return fb_source_from_fd(in->fd, in->start, UINT64_MAX,
				 &in->layers[0].source, err);
}

static int open_archive(struct fb_input *in, uint64_t max_bytes,
			struct fb_err *err)
{
	FB_SOURCE struct fb_source *source = NULL;
	struct fb_members *m = &in->members;
	int r = is_plain_file(in, err);

	if (r == 0)
		r = spool(in, max_bytes, err);
	if (r >= 0)
		r = fb_source_from_fd(in->fd, in->start, UINT64_MAX, &source,
				      err);
	if (r == 0)
		r = fb_members_scan(source, m, err);
	if (r < 0)
		return r;
	if (m->layout && m->index) {
		r = fb_oci_layout_check(m->layout, strlen(m->layout), err);
		if (r == 0)
			r = check_trust(in, FB_TRANSPORT_OCI_ARCHIVE, err);
		return r < 0 ? r
			     : fb_input_oci(in, m->index, m->index_len, err);
	}
	r = check_trust(in,
			m->manifest ? FB_TRANSPORT_DOCKER_ARCHIVE
				    : FB_TRANSPORT_TARBALL,
			err);
	if (r < 0)
		return r;
	return m->manifest ? fb_input_docker(in, err)
			   : root_file_system(in, err);
}

static int open_layout(struct fb_input *in, struct fb_err *err)
{
	FB_FREE char *layout = NULL;
	FB_FREE char *index = NULL;
	size_t layout_len, index_len;
	int r = fb_read_file_at(in->dirfd, "oci-layout", LAYOUT_BYTES_MAX,
				&layout, &layout_len);

	if (r < 0)
		return fb_err_set(err, r == -ENOENT ? -EBADMSG : r,
				  "no OCI layout: 'oci-layout': %s",
				  strerror(-r));
	r = fb_oci_layout_check(layout, layout_len, err);
	if (r == 0)
		r = check_trust(in, FB_TRANSPORT_OCI, err);
	if (r < 0)
		return r;
	r = fb_read_file_at(in->dirfd, "index.json", FB_LOAD_INDEX_MAX, &index,
			    &index_len);
	if (r < 0)
		return fb_err_set(err, r == -ENOENT ? -EBADMSG : r,
				  "'index.json': %s", strerror(-r));
	return fb_input_oci(in, index, index_len, err);
}

static int open_input(struct fb_input *in, uint64_t max_bytes,
		      struct fb_err *err)
{
	const char *path = in->what->path;
	struct stat st;

	if (!strcmp(path, "-")) {
		in->fd = in->what->fd;
		return open_archive(in, max_bytes, err);
	}
	in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in->fd < 0 || fstat(in->fd, &st) < 0)
		return fb_err_set(err, -errno, "%m");
	if (!S_ISDIR(st.st_mode))
		return open_archive(in, max_bytes, err);
	in->dirfd = in->fd;
	in->fd = -EBADF;
	return open_layout(in, err);
}

static int show_progress(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	const struct fb_input *in = ctx;

	fb_progress(in->ctx->progress, FB_PROGRESS_CONVERTING,
		    in->text[0] ? in->text : in->what->path, done_bytes,
		    total_bytes);
	return fb_progress_tick(in->ctx->progress);
}

static int convert(struct fb_input *in, const struct fb_rootfs_options *options,
		   const struct fb_image_target *target,
		   struct fb_rootfs_result *ret, struct fb_err *err)
{
	FB_OUTPUT struct fb_output out = FB_OUTPUT_INIT;
	struct fb_rootfs_options o;
	int r = fb_rootfs_options_resolve(options, &o, err);

	if (r == 0)
		r = open_input(in, o.max_unpacked_bytes, err);
	if (r < 0)
		return fb_err_wrap(err, r, "convert '%s'", in->what->path);
	if (!o.log)
		o.log = in->ctx->log;
	if (!o.progress) {
		o.progress = show_progress;
		o.progress_ctx = in;
	}
	r = fb_output_open(in->ctx->store, target->path, target->fd, &out, err);
	if (r < 0)
		return r;
	r = fb_rootfs_convert(in->layers, in->layer_count, out.fd, &o, ret,
			      err);
	if (r < 0)
		return fb_err_wrap(err, r, "convert '%s'", in->what->path);
	return fb_output_commit(&out, err);
}

int fb_image_convert_input(const struct fb_image_context *ctx,
			   const struct fb_image_input *input,
			   const struct fb_rootfs_options *options,
			   const struct fb_image_target *target,
			   struct fb_rootfs_result *ret, struct fb_err *err)
{
	struct fb_input in = { .ctx = ctx,
			       .what = input,
			       .dirfd = -EBADF,
			       .fd = -EBADF,
			       .spool = FB_STORE_TEMP_INIT };
	struct fb_rootfs_result result;
	int r = convert(&in, options, target, &result, err);

	input_release(&in);
	if (r == 0)
		*ret = result;
	return r;
}
