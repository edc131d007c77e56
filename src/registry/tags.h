/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which tags a repository has.
 * Source: OCI distribution-spec 1.1 "Listing Tags".
 */
#ifndef FB_REGISTRY_TAGS_H
#define FB_REGISTRY_TAGS_H

#include "base/str.h"
#include "registry/client.h"

#define FB_REGISTRY_TAGS_MAX 16384

/**
 * fb_registry_list_tags() - All tags of a repository, page by page
 * @reg: Client of @ref's domain (borrowed)
 * @ref: Its repository counts
 * @ret: Added to, in the registry's order, each once
 *
 * Return: 0; -ENOENT no such repository; -EBADMSG a list that is none, that goes
 * on elsewhere or without end, or names what is no tag; -E2BIG over
 * FB_REGISTRY_TAGS_MAX; as fb_registry_get_manifest().
 */
int fb_registry_list_tags(struct fb_registry *reg,
			  const struct fb_reference *ref, struct fb_strv *ret,
			  struct fb_err *err);

/**
 * fb_registry_next_page() - Where a list goes on
 * @endpoint: That the page came from
 * @asked:    Path or URL of that page
 * @next:     What its Link names
 * @ret:      URL (returned)
 *
 * Only where the page came from: a log-in goes along.
 *
 * Return: 0; -EBADMSG.
 */
int fb_registry_next_page(struct fb_registry *reg, size_t endpoint,
			  const char *asked, const char *next, char **ret,
			  struct fb_err *err);

#endif
