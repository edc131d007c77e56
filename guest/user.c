/* SPDX-License-Identifier: Apache-2.0 */
#include "user.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ID_MAX 2147483647u

/** struct field - A piece of a line, not terminated */
struct field {
	const char *text;
	size_t len;
};

/** struct line - A line of passwd or group: name, password, id, the rest */
struct line {
	struct field name;
	uint32_t id;
	struct field rest;
};

static bool field_is(struct field f, const char *text, size_t len)
{
	return f.len == len && memcmp(f.text, text, len) == 0;
}

/* Cut the part before @sep off the front of @rest; all of it where there is none */
static struct field cut(struct field *rest, char sep)
{
	const char *at = memchr(rest->text, sep, rest->len);
	struct field first = *rest;

	if (!at) {
		rest->text += rest->len;
		rest->len = 0;
		return first;
	}
	first.len = (size_t)(at - rest->text);
	rest->text += first.len + 1;
	rest->len -= first.len + 1;
	return first;
}

/* Decimal digits only. Return: 0; -EINVAL no number; -ERANGE over ID_MAX */
static int parse_id(struct field f, uint32_t *ret)
{
	uint64_t value = 0;

	if (f.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < f.len; i++) {
		if (f.text[i] < '0' || f.text[i] > '9')
			return -EINVAL;
		if (value <= ID_MAX)
			value = value * 10 + (uint64_t)(f.text[i] - '0');
	}
	if (value > ID_MAX)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

/* The next well-formed line; others are passed over. Return: false at the end */
static bool next_line(struct field *rest, struct line *ret)
{
	struct field text;

	while (rest->len > 0) {
		text = cut(rest, '\n');
		while (text.len &&
		       (text.text[0] == ' ' || text.text[0] == '\t')) {
			text.text++;
			text.len--;
		}
		ret->name = cut(&text, ':');
		(void)cut(&text, ':');
		if (parse_id(cut(&text, ':'), &ret->id) < 0 ||
		    ret->name.len == 0)
			continue;
		ret->rest = text;
		return true;
	}
	return false;
}

static struct field whole(const char *text)
{
	return (struct field){ text, text ? strlen(text) : 0 };
}

/** struct wanted - A name or a number as it was asked for */
struct wanted {
	struct field text;
	bool given;
	bool numeric;
	uint32_t id;
};

static int parse_wanted(struct field text, struct wanted *ret,
			struct fb_err *err)
{
	int r = parse_id(text, &ret->id);

	if (r == -ERANGE)
		return fb_err_set(err, -ERANGE,
				  "uids and gids must be in range 0-%u",
				  ID_MAX);
	ret->text = text;
	ret->given = text.len > 0;
	ret->numeric = r == 0;
	return 0;
}

static bool matches(const struct wanted *w, const struct line *line)
{
	return w->numeric ? w->id == line->id
			  : field_is(line->name, w->text.text, w->text.len);
}

static bool find(const char *file, const struct wanted *w, struct line *ret)
{
	struct field rest = whole(file);

	while (next_line(&rest, ret))
		if (matches(w, ret))
			return true;
	return false;
}

static void set_home(struct fb_user *user, const struct line *line)
{
	struct field rest = line->rest, home;

	(void)cut(&rest, ':'); /* primary group, read before */
	(void)cut(&rest, ':'); /* full name */
	home = cut(&rest, ':');
	if (home.len > 0 && home.len < sizeof(user->home))
		(void)snprintf(user->home, sizeof(user->home), "%.*s",
			       (int)home.len, home.text);
}

static void add_group(struct fb_user *user, gid_t gid)
{
	for (size_t i = 0; i < user->group_count; i++)
		if (user->groups[i] == gid)
			return;
	if (user->group_count < FB_USER_GROUPS_MAX)
		user->groups[user->group_count++] = gid;
}

static void add_memberships(struct fb_user *user, const char *file,
			    struct field name)
{
	struct field rest = whole(file);
	struct line line;

	while (next_line(&rest, &line)) {
		while (line.rest.len > 0) {
			if (!field_is(cut(&line.rest, ','), name.text,
				      name.len))
				continue;
			add_group(user, line.id);
			break;
		}
	}
}

static int resolve_group(const struct wanted *w, const char *file,
			 struct fb_user *user, struct fb_err *err)
{
	struct line line;

	if (find(file, w, &line))
		user->gid = line.id;
	else if (w->numeric)
		user->gid = w->id;
	else
		return fb_err_set(err, -ENOENT,
				  "unable to find group %.*s: no matching "
				  "entries in group file",
				  (int)w->text.len, w->text.text);
	return 0;
}

static int resolve_user(const struct wanted *w,
			const struct fb_user_files *files, struct fb_user *user,
			struct field *ret_name, struct fb_err *err)
{
	struct field gid;
	struct line line;

	if (!find(files->passwd, w, &line)) {
		if (!w->numeric)
			return fb_err_set(err, -ENOENT,
					  "unable to find user %.*s: no "
					  "matching entries in passwd file",
					  (int)w->text.len, w->text.text);
		user->uid = w->id;
		return 0;
	}
	user->uid = line.id;
	gid = line.rest;
	gid = cut(&gid, ':');
	if (parse_id(gid, &user->gid) < 0)
		user->gid = 0;
	set_home(user, &line);
	*ret_name = line.name;
	return 0;
}

int fb_user_resolve(const char *text, const struct fb_user_files *files,
		    struct fb_user *ret, struct fb_err *err)
{
	struct field rest = whole(text), name = { NULL, 0 };
	struct wanted user, group;
	int r = parse_wanted(cut(&rest, ':'), &user, err);

	if (r == 0)
		r = parse_wanted(rest, &group, err);
	if (r < 0)
		return r;
	if (!user.given) /* ":group" and nothing at all mean root */
		user = (struct wanted){ .numeric = true };
	ret->uid = 0;
	ret->gid = 0;
	ret->group_count = 0;
	(void)snprintf(ret->home, sizeof(ret->home), "/");
	r = resolve_user(&user, files, ret, &name, err);
	if (r == 0 && group.given)
		r = resolve_group(&group, files->group, ret, err);
	if (r < 0)
		return r;
	add_group(ret, ret->gid);
	if (name.len > 0 && !group.given)
		add_memberships(ret, files->group, name);
	return 0;
}
