/* SPDX-License-Identifier: Apache-2.0 */
/* Ids as users see them, and what several commands share. */
#ifndef FB_CLI_NAMES_H
#define FB_CLI_NAMES_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/cli.h"
#include "image/image.h"
#include "image/trust.h"
#include "oci/digest.h"
#include "registry/client.h"

#define FB_NAMES_ID_MAX FB_DIGEST_TEXT_MAX

/** fb_names_image_id() - Twelve digits, or "sha256:…" whole. Return: @out */
const char *fb_names_image_id(const struct fb_digest *id, bool whole,
			      char out[FB_NAMES_ID_MAX]);

/** fb_names_platform() - Parse --platform where given; NULL text leaves *@ret NULL */
int fb_names_platform(const char *text, struct fb_platform *storage,
		      const struct fb_platform **ret, struct fb_err *err);

/**
 * fb_names_registry_options() - Registry options from configuration and flags
 * @cli:        Context; lists stay borrowed from its configuration
 * @tls_verify: --tls-verify
 */
struct fb_registry_options fb_names_registry_options(const struct fb_cli *cli,
						     bool tls_verify);

/**
 * fb_names_trust() - policy.json, and the keys of --require-signature
 * @keys: The flag's values
 * @ret:  Release with fb_trust_release()
 *
 * Return: as fb_trust_load().
 */
int fb_names_trust(const struct fb_strv *keys, struct fb_trust *ret,
		   struct fb_err *err);

/**
 * struct fb_image_progress - Shows an image's life on a progress line
 * @cli:      Whose messages take the line away first; NULL before the start
 * @line:     Display
 * @progress: Give this to struct fb_image_context
 */
struct fb_image_progress {
	struct fb_cli *cli;
	struct fb_progress_line line;
	struct fb_progress progress;
};

/**
 * fb_image_progress_start() - Begin a display on @cli->err
 * @p: Must not move afterwards, and end before @cli
 */
void fb_image_progress_start(struct fb_image_progress *p, struct fb_cli *cli,
			     bool quiet);

/**
 * fb_image_progress_mode() - What --progress and --quiet say together
 * @text:  --progress's value, or NULL
 * @quiet: Counts more
 * @ret:   Zeroed; written where something was said
 *
 * Return: 0; -EINVAL.
 */
int fb_image_progress_mode(const char *text, bool quiet,
			   enum fb_progress_mode *ret, struct fb_err *err);

/** fb_image_progress_begin() - fb_image_progress_start() in a mode */
void fb_image_progress_begin(struct fb_image_progress *p, struct fb_cli *cli,
			     enum fb_progress_mode mode);

/**
 * fb_image_progress_open() - What a command that takes long begins with
 * @p:     Written; must not move afterwards, and end before @cli
 * @ctx:   Written: the store, opened; the log; this display
 * @mode:  --progress's value, or NULL
 * @quiet: --quiet
 *
 * Return: 0; as fb_image_progress_mode() and fb_cli_store().
 */
int fb_image_progress_open(struct fb_image_progress *p, struct fb_cli *cli,
			   struct fb_image_context *ctx, const char *mode,
			   bool quiet, struct fb_err *err);

/* Options that several commands have, in their words */
#define FB_OPTION_QUIET(type, what) \
	FB_OPTION_FLAG(type, quiet, 'q', "quiet", what)
#define FB_OPTION_FORMAT(type)                                              \
	FB_OPTION_STRING(type, format, 0, "format", "string",               \
			 "Print with a template, as 'table', or as 'json' " \
			 "(an object a line)")
#define FB_OPTION_PLATFORM(type)                                             \
	FB_OPTION_STRING(type, platform, 0, "platform", "os/arch[/variant]", \
			 "Which image of several platforms")
#define FB_OPTION_REQUIRE_SIGNATURE(type)                               \
	FB_OPTION_LIST(                                                 \
		type, require_signature, 0, "require-signature", "key", \
		"Public key (PEM file) that must have signed the image")
#define FB_OPTION_PROGRESS(type)                                         \
	FB_OPTION_STRING(type, progress, 0, "progress", "mode",          \
			 "How progress is shown: auto, plain, json (an " \
			 "event a line, on standard error) or quiet")

/** fb_image_progress_end() - Clear the line */
void fb_image_progress_end(struct fb_image_progress *p);

#define FB_IMAGE_PROGRESS __attribute__((cleanup(fb_image_progress_end)))

#endif
