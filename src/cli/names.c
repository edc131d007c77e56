/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/names.h"

#include <stdio.h>
#include <string.h>

const char *fb_names_image_id(const struct fb_digest *id, bool whole,
			      char out[FB_NAMES_ID_MAX])
{
	if (whole)
		return fb_digest_format(id, out);
	fb_digest_hex(id, out);
	out[12] = '\0';
	return out;
}

int fb_names_platform(const char *text, struct fb_platform *storage,
		      const struct fb_platform **ret, struct fb_err *err)
{
	int r = text ? fb_platform_parse(text, storage, err) : 0;

	if (r == 0)
		*ret = text ? storage : NULL;
	return r;
}

struct fb_registry_options fb_names_registry_options(const struct fb_cli *cli,
						     bool tls_verify)
{
	return (struct fb_registry_options){
		.log = &cli->log,
		.insecure = !tls_verify,
		.insecure_registries =
			(const char *const *)cli->config.insecure_registries,
		.mirrors = (const char *const *)cli->config.registry_mirrors,
	};
}

int fb_names_trust(const struct fb_strv *keys, struct fb_trust *ret,
		   struct fb_err *err)
{
	return fb_trust_load((const char *const *)keys->v, ret, err);
}

static const char *const phase_words[] = {
	[FB_PROGRESS_RESOLVING] = "resolving",
	[FB_PROGRESS_WAITING] = "waiting",
	[FB_PROGRESS_DOWNLOADING] = "downloading",
	[FB_PROGRESS_UPLOADING] = "uploading",
	[FB_PROGRESS_LOADING] = "loading",
	[FB_PROGRESS_EXISTS] = "exists",
	[FB_PROGRESS_COMPLETE] = "complete",
	[FB_PROGRESS_CONVERTING] = "converting",
	[FB_PROGRESS_VERIFYING] = "verifying",
	[FB_PROGRESS_SAVING] = "saving",
	[FB_PROGRESS_DONE] = "done",
};

static bool ends(const struct fb_progress_event *event)
{
	switch (event->phase) {
	case FB_PROGRESS_EXISTS:
	case FB_PROGRESS_COMPLETE:
	case FB_PROGRESS_DONE:
		return true;
	case FB_PROGRESS_LOADING:
	case FB_PROGRESS_SAVING:
		return event->done_bytes >= event->total_bytes;
	/* verified, or written out, after the last byte */
	case FB_PROGRESS_RESOLVING:
	case FB_PROGRESS_WAITING:
	case FB_PROGRESS_DOWNLOADING:
	case FB_PROGRESS_UPLOADING:
	case FB_PROGRESS_CONVERTING:
	case FB_PROGRESS_VERIFYING:
		break;
	}
	return false;
}

static void show_event(void *ctx, const struct fb_progress_event *event)
{
	struct fb_image_progress *p = ctx;
	const struct fb_progress_step step = {
		.event = phase_words[event->phase],
		.id = event->id ? event->id : "",
		.done_bytes = event->done_bytes,
		.total_bytes = event->total_bytes,
		.ends = ends(event),
		.passing = event->phase == FB_PROGRESS_RESOLVING ||
			   event->phase == FB_PROGRESS_VERIFYING,
	};

	/* the bars go away then */
	if (event->phase != FB_PROGRESS_DONE || !p->line.terminal)
		fb_progress_show(&p->line, &step);
}

static int redraw(void *ctx)
{
	struct fb_image_progress *p = ctx;

	fb_progress_redraw(&p->line);
	return 0;
}

int fb_image_progress_mode(const char *text, bool quiet,
			   enum fb_progress_mode *ret, struct fb_err *err)
{
	int r = text ? fb_progress_mode_parse(text, ret, err) : 0;

	if (r == 0 && quiet)
		*ret = FB_PROGRESS_MODE_QUIET;
	return r;
}

void fb_image_progress_begin(struct fb_image_progress *p, struct fb_cli *cli,
			     enum fb_progress_mode mode)
{
	fb_progress_start(&p->line, cli->err, mode);
	p->progress = (struct fb_progress){ .event = show_event,
					    .tick = redraw,
					    .ctx = p };
	p->cli = cli;
	cli->progress = &p->line;
	cli->json_events = mode == FB_PROGRESS_MODE_JSON;
}

int fb_image_progress_open(struct fb_image_progress *p, struct fb_cli *cli,
			   struct fb_image_context *ctx, const char *mode,
			   bool quiet, struct fb_err *err)
{
	enum fb_progress_mode parsed = FB_PROGRESS_MODE_AUTO;
	struct fb_store *store;
	int r = fb_image_progress_mode(mode, quiet, &parsed, err);

	if (r == 0)
		r = fb_cli_store(cli, &store, err);
	if (r < 0)
		return r;
	fb_image_progress_begin(p, cli, parsed);
	*ctx = (struct fb_image_context){ .store = store,
					  .log = &cli->log,
					  .progress = &p->progress };
	return 0;
}

void fb_image_progress_start(struct fb_image_progress *p, struct fb_cli *cli,
			     bool quiet)
{
	fb_image_progress_begin(
		p, cli, quiet ? FB_PROGRESS_MODE_QUIET : FB_PROGRESS_MODE_AUTO);
}

void fb_image_progress_end(struct fb_image_progress *p)
{
	fb_progress_clear(&p->line);
	if (p->cli)
		p->cli->progress = NULL;
	p->cli = NULL;
}
