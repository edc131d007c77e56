/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "image/assemble.h"
#include "image/image.h"

void fb_image_details_release(struct fb_image_details *details)
{
	fb_image_record_release(&details->record);
	fb_image_config_release(&details->config);
	fb_manifest_release(&details->manifest);
	free(details->config_json);
	*details = (struct fb_image_details){ 0 };
}

int fb_image_inspect(const struct fb_image_context *ctx, const char *text,
		     struct fb_image_details *ret, struct fb_err *err)
{
	FB_IMAGE_DETAILS struct fb_image_details d = { 0 };
	int r = fb_image_resolve(ctx, text, &d.record, NULL, err);

	if (r == 0)
		r = fb_image_load_manifest(ctx->store, &d.record.manifest,
					   &d.manifest, err);
	if (r == 0)
		r = fb_image_load_config(ctx->store, &d.record.config,
					 &d.config, &d.config_json,
					 &d.config_len, err);
	if (r < 0)
		return r;
	*ret = d;
	d = (struct fb_image_details){ 0 };
	return 0;
}
