/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/names.h"
#include "image/input.h"
#include "image/pull.h"
#include "image/rootfs.h"

struct convert_flags {
	const char *progress;
	const char *input;
	const char *output;
	const char *compression;
	const char *platform;
	struct fb_option_number level;
	struct fb_option_number block_size;
	struct fb_option_number workers;
	struct fb_option_number max_image_size;
	bool quiet;
	bool tls_verify;
	struct fb_strv require_signature;
};

static const struct fb_option convert_options[] = {
	FB_OPTION_STRING(struct convert_flags, input, 'i', "input", "path",
			 "Convert an image archive, an OCI layout or the tar "
			 "of a root file system that is there; '-' is standard "
			 "input"),
	FB_OPTION_STRING(struct convert_flags, output, 'o', "output", "file",
			 "Where the SquashFS goes; '-' is standard output, and "
			 "the SHA-256 then goes to standard error"),
	FB_OPTION_STRING(struct convert_flags, compression, 0, "compression",
			 "kind", "lz4 (the default), zstd, gzip or none"),
	FB_OPTION_UINT(struct convert_flags, level, 0, "level", "number",
		       "Compression level"),
	FB_OPTION_BYTES(struct convert_flags, block_size, 0, "block-size",
			"Block size, 4k to 1m, a power of two"),
	FB_OPTION_UINT(struct convert_flags, workers, 0, "workers", "number",
		       "Compressing threads"),
	FB_OPTION_BYTES(struct convert_flags, max_image_size, 0,
			"max-image-size", "Largest SquashFS that is written"),
	FB_OPTION_PLATFORM(struct convert_flags),
	FB_OPTION_FLAG_ON(struct convert_flags, tls_verify, 0, "tls-verify",
			  "Verify the registry's certificate"),
	FB_OPTION_QUIET(struct convert_flags, "Don't show progress"),
	FB_OPTION_PROGRESS(struct convert_flags),
	FB_OPTION_REQUIRE_SIGNATURE(struct convert_flags),
	FB_OPTION_END,
};

static int rootfs_options(const struct convert_flags *flags,
			  struct fb_rootfs_options *ret, struct fb_err *err)
{
	struct fb_rootfs_options options = {
		.max_image_bytes = flags->max_image_size.value,
	};
	int r = 0;

	if (flags->level.value > 100 || flags->workers.value > 1024 ||
	    flags->block_size.value > UINT32_MAX)
		return fb_err_set(err, -EINVAL,
				  "convert: --level, --workers or --block-size "
				  "is out of range");
	options.level = (int)flags->level.value;
	options.workers = (unsigned int)flags->workers.value;
	options.block_bytes = (uint32_t)flags->block_size.value;
	if (flags->compression)
		r = fb_rootfs_compression_parse(flags->compression,
						&options.compression, err);
	if (r == 0)
		*ret = options;
	return r;
}

/* "-", and whatever else is standard output by another name: /dev/stdout, … */
static bool is_stdout(const char *path)
{
	struct stat named, standard;

	if (!strcmp(path, "-"))
		return true;
	return stat(path, &named) == 0 &&
	       fstat(STDOUT_FILENO, &standard) == 0 &&
	       named.st_dev == standard.st_dev &&
	       named.st_ino == standard.st_ino &&
	       (!S_ISCHR(named.st_mode) || isatty(STDOUT_FILENO));
}

static int convert_image(const struct convert_flags *flags,
			 const struct fb_image_context *ctx,
			 const struct fb_image_pull *pull,
			 struct fb_rootfs_result *ret, struct fb_err *err)
{
	FB_IMAGE_RECORD struct fb_image_record image = { 0 };
	const struct fb_image_input input = { .path = flags->input,
					      .fd = STDIN_FILENO,
					      .name = pull->reference,
					      .platform = pull->platform,
					      .trust = pull->trust };
	const struct fb_image_target target = { .path = is_stdout(flags->output)
								? "-"
								: flags->output,
						.fd = STDOUT_FILENO };
	struct fb_rootfs_options options;
	int r = rootfs_options(flags, &options, err);

	if (r == 0 && flags->input)
		return fb_image_convert_input(ctx, &input, &options, &target,
					      ret, err);
	if (r == 0)
		r = fb_image_obtain(ctx, pull, FB_PULL_MISSING, &image, NULL,
				    err);
	if (r == 0)
		r = fb_image_convert(ctx, &image, &options, &target, ret, err);
	return r;
}

static int check_words(const struct convert_flags *flags,
		       const struct fb_call *call, struct fb_err *err)
{
	const char *usage =
		"flamebox convert IMAGE -o FILE, or "
		"flamebox convert -i FILE -o FILE";

	if (!flags->output)
		return fb_err_hint(err,
				   fb_err_set(err, -EINVAL,
					      "convert: no output file"),
				   "%s", usage);
	if (!flags->input && !call->args[0])
		return fb_err_hint(
			err, fb_err_set(err, -EINVAL, "convert: no image"),
			"%s", usage);
	if (flags->input && flags->require_signature.count)
		return fb_err_set(err, -EINVAL,
				  "convert: what comes from a file has no "
				  "signatures: --require-signature refuses it");
	if (flags->input && !strcmp(flags->input, "-") && isatty(STDIN_FILENO))
		return fb_err_set(err, -EINVAL,
				  "convert: refusing to read an image from a "
				  "terminal");
	return 0;
}

static int convert_run(struct fb_cli *cli, const struct fb_call *call,
		       struct fb_err *err)
{
	const struct convert_flags *flags = call->flags;
	FB_IMAGE_PROGRESS struct fb_image_progress progress = { 0 };
	struct fb_registry_options registry =
		fb_names_registry_options(cli, flags->tls_verify);
	struct fb_image_context ctx;
	struct fb_image_pull pull = { .reference = call->args[0],
				      .registry = &registry,
				      .fetch_only = true };
	FB_TRUST struct fb_trust trust = { 0 };
	struct fb_rootfs_result result;
	struct fb_platform platform;
	char hex[FB_DIGEST_TEXT_MAX];
	bool to_stdout;
	int r;

	r = check_words(flags, call, err);
	if (r < 0)
		return r;
	to_stdout = is_stdout(flags->output);
	if (to_stdout && isatty(STDOUT_FILENO))
		return fb_err_set(err, -EINVAL,
				  "convert: refusing to write a file system "
				  "to a terminal");
	r = fb_names_platform(flags->platform, &platform, &pull.platform, err);
	if (r == 0)
		r = fb_names_trust(&flags->require_signature, &trust, err);
	if (r == 0)
		r = fb_image_progress_open(&progress, cli, &ctx,
					   flags->progress, flags->quiet, err);
	if (r < 0)
		return r;
	pull.trust = &trust;
	r = convert_image(flags, &ctx, &pull, &result, err);
	fb_image_progress_end(&progress);
	if (r == 0)
		(void)fprintf(to_stdout ? cli->err : cli->out, "%s\n",
			      fb_digest_hex(&result.digest, hex));
	return r;
}

const struct fb_command fb_cmd_convert = {
	.name = "convert",
	.usage = "[IMAGE]",
	.summary = "Write an image's root file system as one SquashFS",
	.details =
		"Prints the file's SHA-256. The same layers and options give "
		"the same bytes on any machine. An image that is not here is "
		"pulled; with -i nothing is, and IMAGE only says which one of "
		"several.",
	.options = convert_options,
	.flags_size = sizeof(struct convert_flags),
	.min_args = 0,
	.max_args = 1,
	.run = convert_run,
};
