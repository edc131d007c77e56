/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/tags.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oci/json.h"
#include "registry/fetch.h"
#include "registry/header.h"

#define PAGE_BYTES_MAX ((size_t)4 << 20)
#define PAGES_MAX 512u
#define PAGE_TIMEOUT_S 120u
#define ENDLESS "its list of tags does not end"

/**
 * struct page - One page of a list
 * @bytes: JSON
 * @next:  What its Link names, or NULL (owned)
 */
struct page {
	struct fb_str bytes;
	char *next;
};

static int page_write(void *ctx, const void *data, size_t len,
		      struct fb_err *err)
{
	struct page *page = ctx;
	int r = fb_str_append(&page->bytes, data, len);

	return r < 0 ? fb_err_set(err, r, "list of tags: %s", strerror(-r)) : 0;
}

static int page_reset(void *ctx, struct fb_err *err)
{
	struct page *page = ctx;

	(void)err;
	fb_str_truncate(&page->bytes, 0);
	return 0;
}

static int page_finish(void *ctx, const struct fb_http_reply *reply,
		       struct fb_err *err)
{
	struct page *page = ctx;

	(void)err;
	(void)fb_link_next_parse(reply->link, &page->next);
	return 0;
}

int fb_registry_next_page(struct fb_registry *reg, size_t endpoint,
			  const char *asked, const char *next, char **ret,
			  struct fb_err *err)
{
	const struct fb_endpoint *ep = &reg->endpoints[endpoint];
	FB_FREE char *base = NULL, *url = NULL;
	struct fb_origin origin;

	if (asprintf(&base, "%s%s", asked[0] == '/' ? ep->base : "", asked) <
	    0) {
		base = NULL;
		return fb_err_set(err, -ENOMEM, "next page: %s",
				  strerror(ENOMEM));
	}
	url = fb_url_resolve(base, next);
	if (!url || fb_origin_parse(url, &origin, NULL) < 0 ||
	    !fb_origin_equal(&origin, &ep->origin))
		return fb_err_set(err, -EBADMSG,
				  "a list of '%s' goes on elsewhere", ep->name);
	*ret = FB_TAKE_PTR(url);
	return 0;
}

/* Of some registries a page begins with the last tag of the one before */
static bool is_listed(const struct fb_strv *tags, size_t from, const char *tag)
{
	for (size_t i = from; i < tags->count; i++)
		if (!strcmp(tags->v[i], tag))
			return true;
	return false;
}

static int take_tags(const struct page *page, const struct fb_reference *ref,
		     size_t page_start, struct fb_strv *ret, struct fb_err *err)
{
	FB_JSON json_t *root = NULL;
	size_t last = ret->count ? ret->count - 1 : 0;
	char text[FB_REFERENCE_TEXT_MAX];
	const json_t *list;
	int r = fb_json_load(fb_str_cstr(&page->bytes), page->bytes.len,
			     "list of tags", &root, err);

	if (r < 0)
		return r;
	list = json_object_get(root, "tags");
	/* a repository that lost its last tag has null */
	if (list && !json_is_null(list) && !json_is_array(list))
		return fb_err_set(err, -EBADMSG, "it sent no list of tags");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *tag = json_string_value(json_array_get(list, i));
		struct fb_reference one;

		if (!tag || strlen(tag) > 128 ||
		    snprintf(text, sizeof(text), "%s/%s:%s", ref->domain,
			     ref->path, tag) >= (int)sizeof(text) ||
		    fb_reference_parse(text, &one, NULL) < 0 ||
		    strcmp(one.tag, tag) != 0)
			return fb_err_set(err, -EBADMSG,
					  "its list names what is no tag");
		if (i == 0 && page_start && is_listed(ret, last, tag))
			continue;
		if (ret->count >= FB_REGISTRY_TAGS_MAX)
			return fb_err_set(err, -E2BIG, "it has over %d tags",
					  FB_REGISTRY_TAGS_MAX);
		if (fb_strv_add(ret, tag) < 0)
			return fb_err_set(err, ret->err, "list of tags: %s",
					  strerror(-ret->err));
	}
	return 0;
}

/* @at: URL of the page, or NULL; replaced by the next one's */
static int fetch_page(struct fb_registry *reg, const struct fb_reference *ref,
		      char **at, struct page *page, struct fb_err *err)
{
	static const struct fb_fetch_ops ops = { .write = page_write,
						 .reset = page_reset,
						 .finish = page_finish };
	struct fb_fetch f = { .repository = ref->path,
			      .at = FB_TAKE_PTR(*at),
			      .what = "list of tags",
			      .accept = "application/json",
			      .size_bytes = UINT64_MAX,
			      .limit_bytes = PAGE_BYTES_MAX,
			      .timeout_s = PAGE_TIMEOUT_S,
			      .plain = true,
			      .ops = &ops,
			      .ctx = page };
	int r;

	if (asprintf(&f.path, "/v2/%s/tags/list", ref->path) < 0) {
		f.path = NULL;
		fb_fetch_release(&f);
		return fb_err_set(err, -ENOMEM, "list of tags: %s",
				  strerror(ENOMEM));
	}
	r = fb_fetch_run(reg, &f, 1, err);
	if (r == 0 && page->next)
		r = fb_registry_next_page(reg, f.endpoint, f.at ? f.at : f.path,
					  page->next, at, err);
	if (r == 0 && *at && f.at && strcmp(*at, f.at) == 0)
		r = fb_err_set(err, -EBADMSG, ENDLESS);
	fb_fetch_release(&f);
	return r;
}

int fb_registry_list_tags(struct fb_registry *reg,
			  const struct fb_reference *ref, struct fb_strv *ret,
			  struct fb_err *err)
{
	FB_FREE char *at = NULL;
	size_t pages = 0;
	int r;

	do {
		struct page page = { .bytes = FB_STR_INIT(PAGE_BYTES_MAX) };

		r = pages < PAGES_MAX ? fetch_page(reg, ref, &at, &page, err)
				      : fb_err_set(err, -EBADMSG, ENDLESS);
		if (r == 0)
			r = take_tags(&page, ref, pages++, ret, err);
		fb_str_release(&page.bytes);
		free(page.next);
	} while (r == 0 && at);
	return r;
}
