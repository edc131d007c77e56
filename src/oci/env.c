/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/env.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

static int out_of_memory(int code, struct fb_err *err)
{
	return fb_err_set(err, code, "read environment: %m");
}

int fb_env_add(const char *text, const struct fb_env_host *host,
	       struct fb_strv *env, struct fb_err *err)
{
	const char *value;
	int r;

	if (!text[0] || text[0] == '=')
		return fb_err_set(err, -EINVAL,
				  "invalid environment variable: %.200s", text);
	value = strchr(text, '=') ? NULL : host->lookup(host->ctx, text);
	r = value ? fb_strv_addf(env, "%s=%s", text, value)
		  : fb_strv_add(env, text);
	return r < 0 ? out_of_memory(r, err) : 0;
}

/* what Go's unicode.IsSpace() takes for white space in ASCII, and NEL, NBSP */
static size_t leading_space(const char *s)
{
	size_t n = 0;

	for (;;) {
		if (s[n] && strchr("\t\n\v\f\r ", s[n]))
			n++;
		else if (!strncmp(s + n, "\xc2\x85", 2) ||
			 !strncmp(s + n, "\xc2\xa0", 2))
			n += 2;
		else
			return n;
	}
}

static int add_line(const char *line, size_t number,
		    const struct fb_env_host *host, struct fb_strv *env,
		    struct fb_err *err)
{
	size_t name = strcspn(line, "=");
	const char *value;
	int r = 0;

	if (!line[0] || line[0] == '#')
		return 0;
	if (memchr(line, ' ', name) || memchr(line, '\t', name))
		return fb_err_set(err, -EINVAL,
				  "line %zu: variable '%.*s' contains "
				  "whitespaces",
				  number, (int)(name > 200 ? 200 : name), line);
	if (!name)
		return fb_err_set(err, -EINVAL,
				  "line %zu: no variable name on line '%.200s'",
				  number, line);
	value = line[name] || !host ? NULL : host->lookup(host->ctx, line);
	if (line[name])
		r = fb_strv_add(env, line);
	else if (value)
		r = fb_strv_addf(env, "%s=%s", line, value);
	return r < 0 ? out_of_memory(r, err) : 0;
}

int fb_env_file_parse(const char *text, size_t len,
		      const struct fb_env_host *host, struct fb_strv *env,
		      struct fb_err *err)
{
	const char *end = text + len;
	size_t number = 0;
	int r = 0;

	if (len > FB_ENV_FILE_MAX)
		return fb_err_set(err, -E2BIG, "over %u bytes",
				  FB_ENV_FILE_MAX);
	if (len >= 3 && !memcmp(text, byte_order_mark, 3))
		text += 3;
	while (r == 0 && text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((eol ? eol : end) - text);
		FB_FREE char *line = NULL;

		number++;
		if (memchr(text, '\0', n))
			return fb_err_set(err, -EINVAL,
					  "line %zu: holds a NUL byte", number);
		line = strndup(text, n);
		if (!line)
			return out_of_memory(-ENOMEM, err);
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		r = add_line(line + leading_space(line), number, host, env,
			     err);
		text += n + 1;
	}
	return r;
}

/* One variable on its way: its name, where it stood, how much it counts */
struct entry {
	const char *text;
	size_t name;
	size_t place;
	unsigned int rank;
};

/* by name; the one that counts first; places of one name are all distinct */
static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	size_t shorter = x->name < y->name ? x->name : y->name;
	int order = memcmp(x->text, y->text, shorter);

	if (order)
		return order;
	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank > y->rank ? -1 : 1;
	return x->place > y->place ? -1 : 1;
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

static bool same_name(const struct entry *a, const struct entry *b)
{
	return a->name == b->name && !memcmp(a->text, b->text, a->name);
}

/* Keep the first of each name, at the lowest place of all. Return: how many */
static size_t keep_winners(struct entry *e, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept && same_name(&e[kept - 1], &e[i])) {
			if (e[i].place < e[kept - 1].place)
				e[kept - 1].place = e[i].place;
		} else {
			e[kept++] = e[i];
		}
	}
	return kept;
}

static size_t count_all(const struct fb_env_list *lists, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		for (char *const *s = lists[i].v; s && *s; s++)
			n++;
	return n;
}

int fb_env_merge(const struct fb_env_list *lists, size_t count,
		 struct fb_strv *ret)
{
	size_t total = count_all(lists, count), n = 0;
	FB_FREE struct entry *e = calloc(total ? total : 1, sizeof(*e));
	int r = 0;

	if (!e)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		for (char *const *s = lists[i].v; s && *s; s++, n++)
			e[n] = (struct entry){ *s, strcspn(*s, "="), n,
					       lists[i].rank };
	qsort(e, total, sizeof(*e), by_name);
	n = keep_winners(e, total);
	qsort(e, n, sizeof(*e), by_place);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (e[i].text[e[i].name] == '=')
			r = fb_strv_add(ret, e[i].text);
	return r;
}
