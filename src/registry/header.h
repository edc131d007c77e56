/* SPDX-License-Identifier: Apache-2.0 */
/* Values of response headers. Pure. Source: RFC 9110 */
#ifndef FB_REGISTRY_HEADER_H
#define FB_REGISTRY_HEADER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/**
 * struct fb_content_range - "bytes first-last/total"
 * @total_bytes: UINT64_MAX for '*'
 */
struct fb_content_range {
	uint64_t first;
	uint64_t last;
	uint64_t total_bytes;
};

/** fb_content_range_parse() - Return: 0; -EBADMSG malformed or first > last >= total */
int fb_content_range_parse(const char *text, struct fb_content_range *ret);

/**
 * fb_upload_range_parse() - How much of an upload a registry has
 * @text:      "0-last", also as "bytes=0-last"
 * @ret_bytes: last + 1; 0 for "0-0", which is what an empty upload has as well
 *
 * Return: 0; -EBADMSG malformed, or it does not begin at 0.
 */
int fb_upload_range_parse(const char *text, uint64_t *ret_bytes);

/**
 * fb_link_next_parse() - Where a list goes on
 * @text: Link header
 * @ret:  Target of the first link with rel=next, as it stands (returned)
 *
 * Return: 0; -ENOENT none; -EBADMSG malformed; -ENOMEM. Source: RFC 8288.
 */
int fb_link_next_parse(const char *text, char **ret);

/** fb_decimal_parse() - All of @text, digits only. Return: 0; -EBADMSG; -ERANGE */
int fb_decimal_parse(const char *text, uint64_t *ret);

/**
 * fb_retry_after_parse() - Seconds, or an IMF-fixdate
 * @text:   Header value
 * @now_s:  UNIX time, that a date is compared with
 * @ret_s:  From now; 0 for a date that is past
 *
 * Return: 0; -EBADMSG.
 */
int fb_retry_after_parse(const char *text, int64_t now_s, uint64_t *ret_s);

/**
 * fb_media_type_parse() - "type/subtype" in lower case, parameters cut off
 * @out: 256 bytes; "" where @text is no media type
 *
 * Return: @out.
 */
const char *fb_media_type_parse(const char *text, char out[256]);

#endif
