/* SPDX-License-Identifier: Apache-2.0 */
#include "image_check.h"

#include <errno.h>
#include <sqfs/compressor.h>
#include <sqfs/data_reader.h>
#include <sqfs/dir.h>
#include <sqfs/dir_reader.h>
#include <sqfs/error.h>
#include <sqfs/id_table.h>
#include <sqfs/inode.h>
#include <sqfs/io.h>
#include <sqfs/super.h>
#include <sqfs/xattr.h>
#include <sqfs/xattr_reader.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/io.h"

struct check {
	sqfs_file_t file;
	int fd;
	sqfs_super_t super;
	sqfs_compressor_t *cmp;
	sqfs_id_table_t *ids;
	sqfs_dir_reader_t *dirs;
	sqfs_data_reader_t *data;
	sqfs_xattr_reader_t *xattrs;
	const struct model *model;
	struct fb_str *why;
	size_t seen;
	uint32_t leaves; /* different inodes of the model's leaves */
	/* for each of the model's paths the number of its inode in the image */
	uint32_t *numbers;
	uint8_t *number_used;
};

static int read_at(sqfs_file_t *file, sqfs_u64 offset, void *buf, size_t size)
{
	const struct check *c = (const struct check *)file;
	ssize_t n = fb_pread_full(c->fd, buf, size, offset);

	return n < 0		  ? SQFS_ERROR_IO
	       : (size_t)n < size ? SQFS_ERROR_OUT_OF_BOUNDS
				  : 0;
}

static sqfs_u64 get_size(const sqfs_file_t *file)
{
	struct stat st;

	return fstat(((const struct check *)file)->fd, &st) < 0
		       ? 0
		       : (sqfs_u64)st.st_size;
}

static void no_destroy(sqfs_object_t *obj)
{
	(void)obj;
}

/* shared by every reader; nothing in it is copied */
static sqfs_object_t *same_object(const sqfs_object_t *obj)
{
	return (sqfs_object_t *)(uintptr_t)obj;
}

static void destroy(void *obj)
{
	if (obj)
		((sqfs_object_t *)obj)->destroy(obj);
}

static int open_image(struct check *c)
{
	sqfs_compressor_config_t config;
	int r = sqfs_super_read(&c->super, &c->file);

	if (r == 0)
		r = sqfs_compressor_config_init(
			&config, (SQFS_COMPRESSOR)c->super.compression_id,
			c->super.block_size, SQFS_COMP_FLAG_UNCOMPRESS);
	if (r == 0)
		r = sqfs_compressor_create(&config, &c->cmp);
	if (r != 0)
		return r;
	c->ids = sqfs_id_table_create(0);
	c->xattrs = sqfs_xattr_reader_create(0);
	c->dirs = sqfs_dir_reader_create(&c->super, c->cmp, &c->file, 0);
	c->data = sqfs_data_reader_create(&c->file, c->super.block_size, c->cmp,
					  0);
	if (!c->ids || !c->xattrs || !c->dirs || !c->data)
		return SQFS_ERROR_ALLOC;
	r = sqfs_id_table_read(c->ids, &c->file, &c->super, c->cmp);
	if (r == 0)
		r = sqfs_data_reader_load_fragment_table(c->data, &c->super);
	if (r == 0)
		r = sqfs_xattr_reader_load(c->xattrs, &c->super, &c->file,
					   c->cmp);
	return r;
}

static const struct model_path *expected(const struct check *c,
					 const char *path)
{
	struct model_path key = { .path = path };
	size_t low = 0, high = c->model->count;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = strcmp(key.path, c->model->v[mid].path);

		if (order == 0)
			return &c->model->v[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

#define DIFFERS(c_, path_, what_, got_, want_)                                 \
	(fb_str_printf((c_)->why, "'%s': %s is %lld, should be %lld", (path_), \
		       (what_), (long long)(got_), (long long)(want_)),        \
	 -1)

static uint32_t clamp(int64_t t)
{
	return t < 0 ? 0 : t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
}

static unsigned int type_of(char flag)
{
	switch (flag) {
	case '2':
		return S_IFLNK;
	case '3':
		return S_IFCHR;
	case '4':
		return S_IFBLK;
	case '5':
		return S_IFDIR;
	case '6':
		return S_IFIFO;
	default:
		return S_IFREG;
	}
}

static int check_common(struct check *c, const char *path,
			const sqfs_tree_node_t *n, const struct model_path *p)
{
	const struct stack_entry *e = &p->inode->e;
	unsigned int mode =
		type_of(e->type) | (e->type == '2' ? 0777 : e->mode & 07777);
	uint32_t mtime = p->inode->implied ? 0 : clamp(e->mtime);

	if (n->inode->base.mode != mode)
		return DIFFERS(c, path, "mode", n->inode->base.mode, mode);
	if (n->uid != e->uid)
		return DIFFERS(c, path, "uid", n->uid, e->uid);
	if (n->gid != e->gid)
		return DIFFERS(c, path, "gid", n->gid, e->gid);
	if (n->inode->base.mod_time != mtime)
		return DIFFERS(c, path, "time", n->inode->base.mod_time, mtime);
	return 0;
}

static int check_file(struct check *c, const char *path,
		      const sqfs_inode_generic_t *inode,
		      const struct stack_entry *e)
{
	static uint8_t buf[1 << 16];
	sqfs_u64 size = 0;
	sqfs_s32 n;

	(void)sqfs_inode_get_file_size(inode, &size);
	if (size != e->size)
		return DIFFERS(c, path, "size", size, e->size);
	for (size_t at = 0; at < e->size; at += (size_t)n) {
		n = sqfs_data_reader_read(c->data, inode, at, buf, sizeof(buf));
		if (n <= 0)
			return DIFFERS(c, path, "result of reading", n, 1);
		if (memcmp(buf, (const char *)e->data + at, (size_t)n) != 0)
			return DIFFERS(c, path, "content from", at, 0);
	}
	return 0;
}

static uint32_t links_of(const sqfs_inode_generic_t *inode)
{
	switch (inode->base.type) {
	case SQFS_INODE_FILE:
		return 1;
	case SQFS_INODE_EXT_FILE:
		return inode->data.file_ext.nlink;
	case SQFS_INODE_DIR:
		return inode->data.dir.nlink;
	case SQFS_INODE_EXT_DIR:
		return inode->data.dir_ext.nlink;
	case SQFS_INODE_SLINK:
	case SQFS_INODE_EXT_SLINK:
		return inode->data.slink.nlink;
	case SQFS_INODE_BDEV:
	case SQFS_INODE_CDEV:
	case SQFS_INODE_EXT_BDEV:
	case SQFS_INODE_EXT_CDEV:
		return inode->data.dev.nlink;
	default:
		return inode->data.ipc.nlink;
	}
}

/* subfolders for a folder, names for the rest */
static uint32_t wanted_links(const struct check *c, const struct model_path *p)
{
	size_t len = strlen(p->path);
	uint32_t links = p->inode->e.type == '5' ? 2 : 0;

	for (size_t i = 0; i < c->model->count; i++) {
		const struct model_path *q = &c->model->v[i];
		const char *rest = q->path + len + (len > 0);

		if (p->inode->e.type != '5')
			links += q->inode == p->inode;
		else if (q->inode->e.type == '5' && strlen(q->path) > len &&
			 !strncmp(q->path, p->path, len) &&
			 (!len || q->path[len] == '/') && !strchr(rest, '/'))
			links++;
	}
	return links;
}

static int check_type(struct check *c, const char *path,
		      const sqfs_tree_node_t *n, const struct model_path *p)
{
	const struct stack_entry *e = &p->inode->e;
	sqfs_u32 dev = n->inode->data.dev.devno;
	unsigned int major = (dev & 0xfff00) >> 8;
	unsigned int minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);

	if (links_of(n->inode) != wanted_links(c, p))
		return DIFFERS(c, path, "link count", links_of(n->inode),
			       wanted_links(c, p));
	if (e->type == '0')
		return check_file(c, path, n->inode, e);
	if (e->type == '2' &&
	    (n->inode->data.slink.target_size != strlen(e->link) ||
	     memcmp(n->inode->extra, e->link, strlen(e->link)) != 0))
		return DIFFERS(c, path, "target", 0, 1);
	if ((e->type == '3' || e->type == '4') &&
	    (major != e->major || minor != e->minor))
		return DIFFERS(c, path, "device", dev, 0);
	return 0;
}

static bool is_in(const char *name, const char *space)
{
	size_t len = strlen(space);

	return !strncmp(name, space, len) && name[len];
}

/* rule 10 */
static bool wanted_xattr(const struct stack_entry *e,
			 const struct stack_xattr *x)
{
	if (is_in(x->name, "user."))
		return e->type == '0' || e->type == '5';
	return is_in(x->name, "security.") ||
	       (is_in(x->name, "trusted.") &&
		!is_in(x->name, "trusted.overlay."));
}

/* Is this one among the entry's? The last of a name counts */
static bool has_xattr(const struct stack_entry *e, const char *name,
		      const sqfs_xattr_value_t *value)
{
	for (size_t i = e->xattr_count; i-- > 0;)
		if (!strcmp(e->xattrs[i].name, name))
			return wanted_xattr(e, &e->xattrs[i]) &&
			       e->xattrs[i].len == value->size &&
			       !memcmp(e->xattrs[i].value, value->value,
				       value->size);
	return false;
}

static size_t wanted_xattrs(const struct stack_entry *e)
{
	size_t count = 0;

	for (size_t i = 0; i < e->xattr_count; i++) {
		bool again = false;

		for (size_t k = i + 1; k < e->xattr_count; k++)
			again = again ||
				!strcmp(e->xattrs[i].name, e->xattrs[k].name);
		count += !again && wanted_xattr(e, &e->xattrs[i]);
	}
	return count;
}

static int check_xattrs(struct check *c, const char *path,
			const sqfs_inode_generic_t *inode,
			const struct stack_entry *e)
{
	sqfs_xattr_id_t desc = { 0 };
	size_t want = wanted_xattrs(e);
	sqfs_u32 index = 0xffffffff;
	int r = 0;

	(void)sqfs_inode_get_xattr_index(inode, &index);
	if (index != 0xffffffff)
		r = sqfs_xattr_reader_get_desc(c->xattrs, index, &desc);
	if (r != 0 || desc.count != want)
		return DIFFERS(c, path, "number of xattrs", desc.count, want);
	if (want)
		r = sqfs_xattr_reader_seek_kv(c->xattrs, &desc);
	for (size_t i = 0; i < want && r == 0; i++) {
		sqfs_xattr_entry_t *key = NULL;
		sqfs_xattr_value_t *value = NULL;

		r = sqfs_xattr_reader_read_key(c->xattrs, &key);
		if (r == 0)
			r = sqfs_xattr_reader_read_value(c->xattrs, key,
							 &value);
		if (r == 0 && !has_xattr(e, (const char *)key->key, value))
			r = -1;
		sqfs_free(key);
		sqfs_free(value);
	}
	return r ? DIFFERS(c, path, "an xattr", r, 0) : 0;
}

/* hard links are one inode, and nothing else is */
static int check_identity(struct check *c, const char *path,
			  const sqfs_tree_node_t *n, const struct model_path *p)
{
	size_t at = (size_t)(p - c->model->v);
	uint32_t number = n->inode->base.inode_number;

	if (number < 1 || number > c->super.inode_count)
		return DIFFERS(c, path, "inode number", number,
			       c->super.inode_count);
	c->numbers[at] = number;
	for (size_t i = 0; i < c->model->count; i++)
		if (c->numbers[i] && (c->numbers[i] == number) !=
					     (c->model->v[i].inode == p->inode))
			return DIFFERS(c, path, "identity with another path",
				       number, c->numbers[i]);
	if (!c->number_used[number]) {
		c->number_used[number] = 1;
		c->leaves++;
	}
	return 0;
}

static int check_tree(struct check *c, const sqfs_tree_node_t *n,
		      const char *path)
{
	const struct model_path *p = expected(c, path);
	char child[2 * MODEL_PATH_MAX];
	int r;

	if (!p) {
		fb_str_printf(c->why, "'%s' should not be there", path);
		return -1;
	}
	c->seen++;
	r = check_common(c, path, n, p);
	if (r == 0)
		r = check_type(c, path, n, p);
	if (r == 0)
		r = check_xattrs(c, path, n->inode, &p->inode->e);
	if (r == 0)
		r = check_identity(c, path, n, p);
	for (n = n->children; n && r == 0; n = n->next) {
		(void)snprintf(child, sizeof(child), "%s%s%s", path,
			       path[0] ? "/" : "", (const char *)n->name);
		r = check_tree(c, n, child);
	}
	return r;
}

static int check_all(struct check *c)
{
	sqfs_tree_node_t *root = NULL;
	int r = sqfs_dir_reader_get_full_hierarchy(c->dirs, c->ids, NULL, 0,
						   &root);

	if (r != 0)
		return DIFFERS(c, "", "result of reading the tree", r, 0);
	c->numbers = calloc(c->model->count, sizeof(*c->numbers));
	c->number_used = calloc(c->super.inode_count + 1u, 1);
	if (!c->numbers || !c->number_used)
		abort();
	r = check_tree(c, root, "");
	sqfs_dir_tree_destroy(root);
	if (r == 0 && c->seen != c->model->count)
		for (size_t i = 0; i < c->model->count; i++)
			if (!c->numbers[i]) {
				fb_str_printf(c->why, "'%s' is missing",
					      c->model->v[i].path);
				return -1;
			}
	if (r == 0 && c->leaves != c->super.inode_count)
		return DIFFERS(c, "", "inode count", c->super.inode_count,
			       c->leaves);
	return r;
}

static void init(struct check *c)
{
	c->file.base.destroy = no_destroy;
	c->file.base.copy = same_object;
	c->file.read_at = read_at;
	c->file.get_size = get_size;
}

static void release(struct check *c)
{
	free(c->numbers);
	free(c->number_used);
	destroy(c->data);
	destroy(c->dirs);
	destroy(c->xattrs);
	destroy(c->ids);
	destroy(c->cmp);
}

int image_check(int fd, const struct model *model, struct fb_str *why)
{
	struct check c = { .fd = fd, .model = model, .why = why };
	int r;

	init(&c);
	r = open_image(&c);
	if (r != 0)
		r = DIFFERS(&c, "", "result of opening the image", r, 0);
	else
		r = check_all(&c);
	release(&c);
	return r;
}

static char type_letter(sqfs_u16 mode)
{
	return S_ISDIR(mode)	? 'd'
	       : S_ISLNK(mode)	? 'l'
	       : S_ISCHR(mode)	? 'c'
	       : S_ISBLK(mode)	? 'b'
	       : S_ISFIFO(mode) ? 'p'
				: 'f';
}

static int list_xattrs(struct check *c, const sqfs_inode_generic_t *inode,
		       struct fb_str *out)
{
	sqfs_xattr_id_t desc = { 0 };
	sqfs_u32 index = 0xffffffff;
	int r = 0;

	(void)sqfs_inode_get_xattr_index(inode, &index);
	if (index == 0xffffffff)
		return 0;
	r = sqfs_xattr_reader_get_desc(c->xattrs, index, &desc);
	if (r == 0)
		r = sqfs_xattr_reader_seek_kv(c->xattrs, &desc);
	for (sqfs_u32 i = 0; i < desc.count && r == 0; i++) {
		sqfs_xattr_entry_t *key = NULL;
		sqfs_xattr_value_t *value = NULL;

		r = sqfs_xattr_reader_read_key(c->xattrs, &key);
		if (r == 0)
			r = sqfs_xattr_reader_read_value(c->xattrs, key,
							 &value);
		if (r == 0)
			fb_str_printf(out, " [%s=%.*s]", (const char *)key->key,
				      (int)value->size,
				      (const char *)value->value);
		sqfs_free(key);
		sqfs_free(value);
	}
	return r;
}

static int list_content(struct check *c, const sqfs_inode_generic_t *inode,
			struct fb_str *out)
{
	char buf[64];
	sqfs_u64 size = 0;
	sqfs_s32 n;

	(void)sqfs_inode_get_file_size(inode, &size);
	if (size > sizeof(buf))
		return fb_str_printf(out, " size %llu",
				     (unsigned long long)size);
	n = size ? sqfs_data_reader_read(c->data, inode, 0, buf, sizeof(buf))
		 : 0;
	return n < 0 ? n : fb_str_printf(out, " =%.*s", n, buf);
}

static int list_node(struct check *c, const sqfs_tree_node_t *n,
		     const char *path, struct fb_str *out)
{
	const sqfs_inode_generic_t *inode = n->inode;
	sqfs_u16 mode = inode->base.mode;
	sqfs_u32 dev = inode->data.dev.devno;

	fb_str_printf(out, "%c %s %o %u:%u @%u", type_letter(mode),
		      path[0] ? path : "/", mode & 07777u, n->uid, n->gid,
		      inode->base.mod_time);
	if (!S_ISDIR(mode) && links_of(inode) != 1)
		fb_str_printf(out, " x%u", links_of(inode));
	if (S_ISREG(mode) && list_content(c, inode, out) < 0)
		return -1;
	if (S_ISLNK(mode))
		fb_str_printf(out, " ->%.*s",
			      (int)inode->data.slink.target_size,
			      (const char *)inode->extra);
	if (S_ISCHR(mode) || S_ISBLK(mode))
		fb_str_printf(out, " %u:%u", (dev & 0xfff00) >> 8,
			      (dev & 0xff) | ((dev >> 12) & 0xfff00));
	if (list_xattrs(c, inode, out) != 0)
		return -1;
	fb_str_putc(out, '\n');
	return 0;
}

static int list_tree(struct check *c, const sqfs_tree_node_t *n,
		     const char *path, struct fb_str *out)
{
	char child[2 * MODEL_PATH_MAX];
	int r = list_node(c, n, path, out);

	for (n = n->children; n && r == 0; n = n->next) {
		(void)snprintf(child, sizeof(child), "%s%s%s", path,
			       path[0] ? "/" : "", (const char *)n->name);
		r = list_tree(c, n, child, out);
	}
	return r;
}

int image_list(int fd, struct fb_str *out)
{
	struct check c = { .fd = fd };
	sqfs_tree_node_t *root = NULL;
	int r;

	init(&c);
	r = open_image(&c);
	if (r == 0)
		r = sqfs_dir_reader_get_full_hierarchy(c.dirs, c.ids, NULL, 0,
						       &root);
	if (r == 0) {
		r = list_tree(&c, root, "", out);
		sqfs_dir_tree_destroy(root);
	}
	release(&c);
	return r == 0 ? out->err : -1;
}
