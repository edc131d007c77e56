/* SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <string.h>

#include "base/cleanup.h"

uint32_t draw_number(struct draw *d, uint32_t below)
{
	d->state = d->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((d->state >> 33) % below);
}

static bool chance(struct draw *d, uint32_t of)
{
	return draw_number(d, of) == 0;
}

static const char *draw_name(struct draw *d)
{
	static const char *const names[] = { "a", "b",	 "c",	     "d",
					     "e", "f\n", "long\xff", "g h" };
	static const char tail[] =
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";

	if (chance(d, 20))
		return arena_printf(d->arena, "x%s", tail);
	return names[draw_number(d, d->names)];
}

static const char *draw_path(struct draw *d)
{
	const char *path = draw_name(d);
	uint32_t depth = draw_number(d, 4);

	for (uint32_t i = 0; i < depth; i++)
		path = arena_printf(d->arena, "%s/%s", path, draw_name(d));
	return path;
}

/* the same name, otherwise written */
static const char *dress(struct draw *d, const char *path)
{
	switch (draw_number(d, 12)) {
	case 0:
		return arena_printf(d->arena, "./%s", path);
	case 1:
		return arena_printf(d->arena, "/%s", path);
	case 2:
		return arena_printf(d->arena, "../..//%s", path);
	case 3:
		return arena_printf(d->arena, "q/.././%s", path);
	case 4:
		return arena_printf(d->arena, "%s/", path);
	case 5:
		return arena_printf(d->arena, ".//%s/.", path);
	default:
		return path;
	}
}

static const char *draw_target(struct draw *d)
{
	const char *path = draw_path(d);

	switch (draw_number(d, 6)) {
	case 0:
		return arena_printf(d->arena, "/%s", path);
	case 1:
		return arena_printf(d->arena, "../%s", path);
	case 2:
		return arena_printf(d->arena, "./%s/../%s", draw_name(d), path);
	case 3:
		return arena_printf(d->arena, "/../%s/..", path);
	default:
		return path;
	}
}

static void draw_data(struct draw *d, struct stack_entry *e)
{
	static const size_t sizes[] = { 0,    0,    1,	  20,	 100,  300,
					4095, 4096, 4097, 12288, 9000, 30000 };
	size_t size = sizes[draw_number(d, FB_ARRAY_SIZE(sizes))];
	uint32_t kind = draw_number(d, 5), seed = draw_number(d, 6);
	char *data = arena_alloc(d->arena, size ? size : 1);

	for (size_t i = 0; i < size && kind > 0; i++) {
		if (kind == 1 && (i / 512 + seed) % 3)
			continue; /* mostly holes */
		data[i] = kind == 2 ? (char)draw_number(d, 256)
				    : (char)("content "[i % 8] + (char)seed);
	}
	e->data = data;
	e->size = size;
	e->sparse = kind < 2 && chance(d, 2);
}

static void draw_xattrs(struct draw *d, struct stack_entry *e)
{
	static const char *const names[] = {
		"user.a",
		"user.b",
		"security.capability",
		"trusted.t",
		"trusted.overlay.opaque",
		"system.posix_acl_access",
		"user.a",
		"user.",
		"security.",
	};

	e->xattr_count = draw_number(d, STACK_XATTRS_MAX + 1);
	for (size_t i = 0; i < e->xattr_count; i++) {
		struct stack_xattr *x = &e->xattrs[i];
		size_t len = chance(d, 3) ? 0 : draw_number(d, 40);
		char *value = arena_alloc(d->arena, len + 1);

		memset(value, (int)draw_number(d, 4), len);
		*x = (struct stack_xattr){
			.name = names[draw_number(d, FB_ARRAY_SIZE(names))],
			.value = value,
			.len = len,
		};
	}
}

static void draw_attributes(struct draw *d, struct stack_entry *e)
{
	static const uint32_t ids[] = { 0, 0, 1, 1000, 65534, 4294967294u };
	static const int64_t times[] = { 0,	     1700000000, -1,
					 4294967295, 4294967296, 1 };

	e->mode = draw_number(d, 010000);
	e->uid = ids[draw_number(d, FB_ARRAY_SIZE(ids))];
	e->gid = ids[draw_number(d, FB_ARRAY_SIZE(ids))];
	e->mtime = times[draw_number(d, FB_ARRAY_SIZE(times))];
	if (chance(d, 4))
		draw_xattrs(d, e);
}

static const char *parent_of(struct draw *d, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? arena_printf(d->arena, "%.*s", (int)(slash - path + 1),
				    path)
		     : "";
}

static const char *last_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* a file, mostly; what carries a reserved name may be anything */
static void draw_special(struct draw *d, struct stack_entry *e,
			 const char *path)
{
	static const char types[] = { '0', '0', '0', '1', '2', '3', '5' };

	e->type = types[draw_number(d, sizeof(types))];
	e->link = e->type == '1' || e->type == '2' ? ".wh.another" : NULL;
	switch (draw_number(d, 8)) {
	case 0:
		e->name = arena_printf(d->arena, "%s.wh..wh.plnk%s",
				       parent_of(d, path),
				       chance(d, 2) ? "/x" : "");
		break;
	case 1:
		e->name = arena_printf(d->arena, "%s.wh.%s/below",
				       parent_of(d, path), last_of(path));
		break;
	case 2:
	case 3:
		e->name = arena_printf(d->arena, "%s.wh..wh..opq",
				       parent_of(d, path));
		break;
	default:
		e->name = arena_printf(d->arena, "%s.wh.%s", parent_of(d, path),
				       last_of(path));
		break;
	}
}

/* links to what was drawn before hit more often than links to anywhere */
static const char *draw_link(struct draw *d, const struct stack_layer *layer)
{
	if (chance(d, 8))
		return ".wh..wh.plnk/x";
	if (layer->count && !chance(d, 3))
		return layer->entries[draw_number(d, (uint32_t)layer->count)]
			.name;
	return dress(d, draw_path(d));
}

static void draw_entry(struct draw *d, struct stack_layer *layer)
{
	const char *path = draw_path(d);
	struct stack_entry e = { .name = dress(d, path) };

	draw_attributes(d, &e);
	e.format = draw_number(d, 3 * 4 * 2 * 4 * 8);
	switch (draw_number(d, 20)) {
	case 0:
	case 1:
		e.type = '2';
		e.link = draw_target(d);
		break;
	case 2:
	case 3:
		e.type = '1';
		e.link = draw_link(d, layer);
		break;
	case 4:
	case 5:
	case 6:
		draw_special(d, &e, path);
		break;
	case 7:
		e.type = chance(d, 3) ? '6' : chance(d, 2) ? '3' : '4';
		e.major = e.type == '6' ? 0 : draw_number(d, 3) * 2047;
		e.minor = e.major ? draw_number(d, 1u << 20) : 0;
		break;
	case 8:
	case 9:
	case 10:
	case 11:
	case 12:
		e.type = '5';
		if (chance(d, 30))
			e.name = "./";
		break;
	default:
		e.type = '0';
		draw_data(d, &e);
		break;
	}
	stack_add(layer, d->arena, &e);
}

void draw_layer(struct draw *d, struct stack_layer *layer, size_t count)
{
	for (size_t i = 0; i < count; i++)
		draw_entry(d, layer);
}
