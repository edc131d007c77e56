/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

/* the layer alone */
struct upper {
	struct model m;
	const struct model *below;
	struct model hidden; /* whiteouts: paths only */
	struct model opaque; /* folders with the marker: paths only */
	struct model pseudo; /* aufs' hard links, by their last component */
};

static struct model_path *find(const struct model *m, const char *path)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->v[i].path && !strcmp(m->v[i].path, path))
			return &m->v[i];
	return NULL;
}

static struct model_path *put(struct model *m, const char *path,
			      struct model_inode *inode)
{
	struct model_path *p = find(m, path), *grown;

	if (!p) {
		if (m->count == m->cap) {
			m->cap = m->cap ? m->cap * 2 : 64;
			grown = arena_alloc(m->arena, m->cap * sizeof(*grown));
			if (m->count)
				memcpy(grown, m->v, m->count * sizeof(*grown));
			m->v = grown;
		}
		p = &m->v[m->count++];
		p->path = arena_printf(m->arena, "%s", path);
	}
	p->inode = inode;
	return p;
}

/* @path is below @dir */
static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 0)
		return path[0] != '\0';
	return !strncmp(path, dir, n) && path[n] == '/';
}

static void drop(struct model *m, size_t i)
{
	m->v[i] = m->v[--m->count];
}

static void drop_below(struct model *m, const char *dir)
{
	for (size_t i = m->count; i-- > 0;)
		if (below(m->v[i].path, dir))
			drop(m, i);
}

static bool is_dir(const struct model_path *p)
{
	return p && p->inode->e.type == '5';
}

static struct model_inode *new_inode(struct model *m,
				     const struct stack_entry *e)
{
	struct model_inode *inode = arena_alloc(m->arena, sizeof(*inode));

	if (e) {
		inode->e = *e;
	} else {
		inode->e = (struct stack_entry){ .type = '5', .mode = 0755 };
		inode->implied = true;
	}
	return inode;
}

void model_init(struct model *m, struct stack_arena *arena)
{
	*m = (struct model){ .arena = arena };
	put(m, "", new_inode(m, NULL));
}

/* rule 1 */
static void clean(const char *name, char *out)
{
	const char *end;
	char *slash;
	size_t n = 0;

	out[0] = '\0';
	for (; *name; name = end) {
		while (*name == '/')
			name++;
		end = strchrnul(name, '/');
		if (end == name || (end - name == 1 && name[0] == '.'))
			continue;
		if (end - name == 2 && !strncmp(name, "..", 2)) {
			slash = strrchr(out, '/');
			n = slash ? (size_t)(slash - out) : 0;
			out[n] = '\0';
			continue;
		}
		if (n)
			out[n++] = '/';
		memcpy(out + n, name, (size_t)(end - name));
		n += (size_t)(end - name);
		out[n] = '\0';
	}
}

static bool holds(const struct model *m, const struct model_inode *inode)
{
	for (size_t i = 0; i < m->count; i++)
		if (m->v[i].inode == inode)
			return true;
	return false;
}

/*
 * Rule 2: where the folder @dir really is, by links of this layer; what is not
 * there stays as it is written.  Return: 0; -1 a file on the way, a loop; 1 a
 * reserved name on the way
 */
static int resolve(const struct upper *u, const char *dir, char *out)
{
	char rest[4 * MODEL_PATH_MAX], next[4 * MODEL_PATH_MAX], name[300];
	int links = 0;

	(void)snprintf(rest, sizeof(rest), "%s", dir);
	out[0] = '\0';
	for (;;) {
		char *p = rest, *end, *slash, *at = out + strlen(out);
		struct model_path *there;

		while (*p == '/')
			p++;
		if (!*p)
			return 0;
		end = strchrnul(p, '/');
		(void)snprintf(name, sizeof(name), "%.*s", (int)(end - p), p);
		(void)snprintf(next, sizeof(next), "%s", end);
		memcpy(rest, next, strlen(next) + 1);
		if (!strcmp(name, "."))
			continue;
		if (!strcmp(name, "..")) {
			slash = strrchr(out, '/');
			*(slash ? slash : out) = '\0';
			continue;
		}
		if (!strncmp(name, ".wh.", 4))
			return 1;
		(void)snprintf(at, MODEL_PATH_MAX - (size_t)(at - out), "%s%s",
			       at == out ? "" : "/", name);
		there = find(&u->m, out);
		if (!there || is_dir(there))
			continue;
		/* nor a hard link to a symbolic link of a lower layer */
		if (there->inode->e.type != '2' || ++links > 255 ||
		    holds(u->below, there->inode))
			return -1;
		*at = '\0';
		if (there->inode->e.link[0] == '/')
			out[0] = '\0';
		(void)snprintf(next, sizeof(next), "%s/%s",
			       there->inode->e.link, rest);
		memcpy(rest, next, strlen(next) + 1);
	}
}

/* folders on the way to @path that the layer does not hold: rule 3 */
static void imply(struct upper *u, const char *path)
{
	char dir[MODEL_PATH_MAX];

	for (const char *s = path; (s = strchr(s, '/')); s++) {
		(void)snprintf(dir, sizeof(dir), "%.*s", (int)(s - path), path);
		if (!find(&u->m, dir))
			put(&u->m, dir, new_inode(&u->m, NULL));
	}
}

static int split(const struct upper *u, const char *name, char *dir, char *last)
{
	char path[MODEL_PATH_MAX], before[MODEL_PATH_MAX];
	char *slash;

	clean(name, path);
	slash = strrchr(path, '/');
	(void)snprintf(before, sizeof(before), "%.*s",
		       slash ? (int)(slash - path) : 0, path);
	(void)snprintf(last, 300, "%.299s", slash ? slash + 1 : path);
	return resolve(u, before, dir);
}

/* rule 6: the last component below the folder of aufs' hard links, or NULL */
static const char *pseudo_name(const char *name, char path[MODEL_PATH_MAX])
{
	clean(name, path);
	return strncmp(path, ".wh..wh.plnk/", 13) ? NULL
						  : strrchr(path, '/') + 1;
}

/* rule 8. Return: NULL an error */
static struct model_inode *target(const struct upper *u, const struct model *m,
				  const char *link)
{
	char dir[MODEL_PATH_MAX], last[300], path[2 * MODEL_PATH_MAX];
	const char *pseudo = pseudo_name(link, path);
	struct model_path *p;

	if (pseudo) {
		p = find(&u->pseudo, pseudo);
		return p ? p->inode : NULL;
	}
	if (split(u, link, dir, last) != 0 || !last[0])
		return NULL;
	(void)snprintf(path, sizeof(path), "%s%s%s", dir, dir[0] ? "/" : "",
		       last);
	p = find(&u->m, path);
	if (!p)
		p = find(m, path);
	return !p || is_dir(p) ? NULL : p->inode;
}

static int special(struct upper *u, const char *dir, const char *last)
{
	char path[2 * MODEL_PATH_MAX];

	if (!strcmp(last, ".wh..wh..opq")) {
		put(&u->opaque, dir, NULL);
		return 0;
	}
	if (!strncmp(last, ".wh..wh.", 8))
		return 0;
	(void)snprintf(path, sizeof(path), "%s%s%s", dir, dir[0] ? "/" : "",
		       last + 4);
	put(&u->hidden, path, NULL);
	return 0;
}

static int add(struct upper *u, const struct model *m,
	       const struct stack_entry *e)
{
	char dir[MODEL_PATH_MAX], last[300], path[2 * MODEL_PATH_MAX];
	struct model_inode *inode = NULL;
	struct model_path *old;
	const char *pseudo = pseudo_name(e->name, path);
	int r = split(u, e->name, dir, last);

	if (pseudo && e->type == '0')
		put(&u->pseudo, pseudo, new_inode(&u->m, e));
	if (r != 0)
		return r < 0 ? -1 : 0;
	(void)snprintf(path, sizeof(path), "%s%s%s", dir, dir[0] ? "/" : "",
		       last);
	if (!path[0]) {
		if (e->type != '5')
			return -1;
		put(&u->m, "", new_inode(&u->m, e));
		return 0;
	}
	imply(u, path);
	if (!strncmp(last, ".wh.", 4))
		return special(u, dir, last);
	if (e->type == '1') {
		inode = target(u, m, e->link);
		if (!inode)
			return -1;
	}
	old = find(&u->m, path);
	if (old && !(is_dir(old) && e->type == '5')) {
		/* what goes takes with it all below, whiteouts too */
		drop_below(&u->m, path);
		drop_below(&u->hidden, path);
		drop_below(&u->opaque, path);
		for (size_t i = u->opaque.count; i-- > 0;)
			if (!strcmp(u->opaque.v[i].path, path))
				drop(&u->opaque, i);
	}
	put(&u->m, path, inode ? inode : new_inode(&u->m, e));
	return 0;
}

/* does the layer hide this path of the layers below? */
static bool hidden(const struct upper *u, const struct model_path *p)
{
	const struct model_path *q;

	for (size_t i = 0; i < u->hidden.count; i++)
		if (!strcmp(p->path, u->hidden.v[i].path) ||
		    below(p->path, u->hidden.v[i].path))
			return true;
	for (size_t i = 0; i < u->opaque.count; i++)
		if (below(p->path, u->opaque.v[i].path))
			return true;
	for (size_t i = 0; i < u->m.count; i++) {
		q = &u->m.v[i];
		if (!is_dir(q) &&
		    (!strcmp(p->path, q->path) || below(p->path, q->path)))
			return true;
		/* a folder over something else */
		if (is_dir(q) && !is_dir(p) && !strcmp(p->path, q->path))
			return true;
	}
	return false;
}

/* Return: the first entry that is an error, or their count */
static size_t lay_out(struct upper *u, const struct model *m,
		      const struct stack_layer *layer)
{
	size_t i = 0;

	*u = (struct upper){ .below = m,
			     .hidden.arena = m->arena,
			     .opaque.arena = m->arena,
			     .pseudo.arena = m->arena };
	model_init(&u->m, m->arena);
	while (i < layer->count && add(u, m, &layer->entries[i]) == 0)
		i++;
	return i;
}

size_t model_check(const struct model *m, const struct stack_layer *layer)
{
	struct upper u;

	return lay_out(&u, m, layer);
}

int model_apply(struct model *m, const struct stack_layer *layer)
{
	struct model_path *p, *q;
	struct upper u;

	if (lay_out(&u, m, layer) < layer->count)
		return -1;
	for (size_t i = m->count; i-- > 0;)
		if (m->v[i].path[0] && hidden(&u, &m->v[i]))
			drop(m, i);
	for (size_t i = 0; i < u.m.count; i++) {
		p = &u.m.v[i];
		q = find(m, p->path);
		if (!(q && p->inode->implied)) /* rules 3 and 4 */
			put(m, p->path, p->inode);
	}
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct model_path *)a)->path,
		      ((const struct model_path *)b)->path);
}

void model_finish(struct model *m)
{
	for (size_t i = m->count; i-- > 0;) {
		const struct stack_entry *e = &m->v[i].inode->e;

		if (e->type == '3' && !e->major && !e->minor)
			drop(m, i);
	}
	qsort(m->v, m->count, sizeof(*m->v), by_path);
}
