/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  The tree is walked twice.  First, links are counted.
 * Then folders are written in post-order (a folder's listing needs its
 * children's positions), children sorted by their bytes as SquashFS wants them; a
 * file's inode is written at its first name.  The walk keeps its own stack, a
 * frame a folder on the way, because a hostile tree is deeper than ours may be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "rootfs/image_internal.h"

#define NO_XATTR 0xffffffffu

/* a folder on the way: its living children, sorted */
struct frame {
	struct fb_tree_node *dir;
	struct fb_tree_node **children;
	size_t count;
	size_t next;
	uint32_t subdirs;
};

struct tables {
	struct fb_image *image;
	struct fb_tree *tree;
	sqfs_meta_writer_t *inodes;
	sqfs_meta_writer_t *listings;
	sqfs_dir_writer_t *dirs;
	struct fb_rootfs_result *result;
	uint32_t numbers; /* inode numbers given */
	struct frame *frames;
	size_t depth;
	size_t cap;
};

static bool is_shown(const struct fb_tree_node *node)
{
	return !node->dead && node->inode;
}

static int by_name(const void *a, const void *b)
{
	const struct fb_tree_node *x = *(struct fb_tree_node *const *)a;
	const struct fb_tree_node *y = *(struct fb_tree_node *const *)b;
	size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(x->name, y->name, len);

	return order ? order : (int)x->name_len - (int)y->name_len;
}

static int give_number(struct tables *t, struct fb_tree_inode *inode,
		       struct fb_err *err)
{
	if (t->numbers == UINT32_MAX)
		return fb_err_set(err, -E2BIG, "over 2^32 inodes");
	inode->number = ++t->numbers;
	t->result->inodes++;
	return 0;
}

/* numbers are given on the way down, so that a folder's is known to children */
static int push_frame(struct tables *t, struct fb_tree_node *dir,
		      struct fb_err *err)
{
	struct frame frame = { .dir = dir };
	struct fb_tree_node *child;
	struct frame *grown;
	int r = give_number(t, dir->inode, err);

	if (r < 0)
		return r;
	if (t->depth == t->cap) {
		grown = reallocarray(t->frames, t->cap ? t->cap * 2 : 64,
				     sizeof(*grown));
		if (!grown)
			return fb_err_set(err, -ENOMEM, "write folders: %m");
		t->cap = t->cap ? t->cap * 2 : 64;
		t->frames = grown;
	}
	for (child = dir->child; child; child = child->sibling)
		frame.count += is_shown(child);
	frame.children = calloc(frame.count ? frame.count : 1,
				sizeof(struct fb_tree_node *));
	if (!frame.children)
		return fb_err_set(err, -ENOMEM, "write folders: %m");
	frame.count = 0;
	for (child = dir->child; child; child = child->sibling)
		if (is_shown(child))
			frame.children[frame.count++] = child;
	qsort(frame.children, frame.count, sizeof(struct fb_tree_node *),
	      by_name);
	t->frames[t->depth++] = frame;
	return 0;
}

static int write_xattrs(struct tables *t, const struct fb_tree_inode *inode,
			sqfs_u32 *ret, struct fb_err *err)
{
	sqfs_xattr_writer_t *w = t->image->xattrs;
	const struct fb_tree_xattr *x;
	int r;

	*ret = NO_XATTR;
	if (!inode->xattrs)
		return 0;
	r = sqfs_xattr_writer_begin(w, 0);
	for (x = inode->xattrs; x && r == 0; x = x->next)
		r = sqfs_xattr_writer_add(w, x->name, x->value, x->value_len);
	if (r == 0)
		r = sqfs_xattr_writer_end(w, ret);
	return r ? fb_image_error(t->image, r, "write xattrs", err) : 0;
}

static int set_common(struct tables *t, sqfs_inode_generic_t *out,
		      const struct fb_tree_inode *inode, struct fb_err *err)
{
	int r = sqfs_id_table_id_to_index(t->image->ids, inode->uid,
					  &out->base.uid_idx);

	if (r == 0)
		r = sqfs_id_table_id_to_index(t->image->ids, inode->gid,
					      &out->base.gid_idx);
	if (r == SQFS_ERROR_OVERFLOW)
		return fb_err_set(err, -E2BIG,
				  "more than 65535 different user and group "
				  "ids: SquashFS holds no more");
	if (r)
		return fb_image_error(t->image, r, "write ids", err);
	out->base.mode = (sqfs_u16)inode->mode;
	out->base.mod_time = inode->mtime_s;
	out->base.inode_number = inode->number;
	return 0;
}

static int write_inode(struct tables *t, sqfs_inode_generic_t *out,
		       struct fb_tree_inode *inode, struct fb_err *err)
{
	sqfs_u64 block;
	sqfs_u32 offset;
	int r;

	sqfs_meta_writer_get_position(t->inodes, &block, &offset);
	inode->ref = block << 16 | offset;
	r = sqfs_meta_writer_write_inode(t->inodes, out);
	return r ? fb_image_error(t->image, r, "write inodes", err) : 0;
}

static sqfs_u32 device_number(const struct fb_tree_inode *inode)
{
	/* the kernel's new_encode_dev() */
	return (inode->dev_minor & 0xffu) | (inode->dev_major << 8) |
	       ((inode->dev_minor & ~0xffu) << 12);
}

/* an inode of no regular file and no folder; free with free() */
static sqfs_inode_generic_t *special_inode(const struct fb_tree_inode *inode)
{
	size_t target = S_ISLNK(inode->mode) ? strlen(inode->target) : 0;
	sqfs_inode_generic_t *out = calloc(1, sizeof(*out) + target + 1);

	if (!out)
		return NULL;
	switch (inode->mode & S_IFMT) {
	case S_IFLNK:
		out->base.type = SQFS_INODE_SLINK;
		out->data.slink.nlink = inode->links;
		out->data.slink.target_size = (sqfs_u32)target;
		out->payload_bytes_used = (sqfs_u32)target;
		out->payload_bytes_available = (sqfs_u32)target + 1;
		memcpy(out->extra, inode->target, target);
		break;
	case S_IFCHR:
	case S_IFBLK:
		out->base.type = S_ISCHR(inode->mode) ? SQFS_INODE_CDEV :
							SQFS_INODE_BDEV;
		out->data.dev.nlink = inode->links;
		out->data.dev.devno = device_number(inode);
		break;
	default:
		out->base.type = S_ISFIFO(inode->mode) ? SQFS_INODE_FIFO :
							 SQFS_INODE_SOCKET;
		out->data.ipc.nlink = inode->links;
		break;
	}
	return out;
}

static int extend_file(struct tables *t, sqfs_inode_generic_t *out,
		       const struct fb_tree_inode *inode, struct fb_err *err)
{
	int r;

	if (inode->links < 2)
		return 0;
	r = sqfs_inode_make_extended(out);
	if (r)
		return fb_image_error(t->image, r, "write inodes", err);
	out->data.file_ext.nlink = inode->links;
	return 0;
}

static int write_leaf(struct tables *t, struct fb_tree_inode *inode,
		      struct fb_err *err)
{
	FB_FREE sqfs_inode_generic_t *special = NULL;
	sqfs_inode_generic_t *out = inode->file;
	sqfs_u32 xattr;
	int r = give_number(t, inode, err);

	if (r < 0)
		return r;
	if (!S_ISREG(inode->mode))
		out = special = special_inode(inode);
	if (!out)
		return fb_err_set(err, -ENOMEM, "write inodes: %m");
	r = set_common(t, out, inode, err);
	if (r == 0 && S_ISREG(inode->mode))
		r = extend_file(t, out, inode, err);
	if (r == 0)
		r = write_xattrs(t, inode, &xattr, err);
	if (r < 0)
		return r;
	if (xattr != NO_XATTR) {
		r = sqfs_inode_set_xattr_index(out, xattr);
		if (r)
			return fb_image_error(t->image, r, "write xattrs", err);
	}
	return write_inode(t, out, inode, err);
}

static int write_listing(struct tables *t, const struct frame *f,
			 struct fb_err *err)
{
	const struct fb_tree_inode *inode;
	int r = sqfs_dir_writer_begin(t->dirs, 0);

	for (size_t i = 0; i < f->count && r == 0; i++) {
		inode = fb_tree_inode(f->children[i]);
		r = sqfs_dir_writer_add_entry(t->dirs, f->children[i]->name,
					      inode->number, inode->ref,
					      (sqfs_u16)inode->mode);
	}
	if (r == 0)
		r = sqfs_dir_writer_end(t->dirs);
	return r ? fb_image_error(t->image, r, "write folders", err) : 0;
}

static int write_folder(struct tables *t, const struct frame *f,
			struct fb_err *err)
{
	struct fb_tree_inode *inode = f->dir->inode;
	uint32_t parent = f->dir->parent ? f->dir->parent->inode->number :
					   t->numbers + 1;
	sqfs_inode_generic_t *out;
	sqfs_u32 xattr;
	int r = write_listing(t, f, err);

	if (r == 0)
		r = write_xattrs(t, inode, &xattr, err);
	if (r < 0)
		return r;
	out = sqfs_dir_writer_create_inode(t->dirs, (size_t)f->subdirs + 2,
					   xattr, parent);
	if (!out)
		return fb_err_set(err, -ENOMEM, "write folders: %m");
	r = set_common(t, out, inode, err);
	if (r == 0)
		r = write_inode(t, out, inode, err);
	sqfs_free(out);
	t->result->directories++;
	return r;
}

static int visit(struct tables *t, struct fb_tree_node *node,
		 struct fb_err *err)
{
	struct fb_tree_inode *inode = fb_tree_inode(node);

	if (S_ISDIR(inode->mode)) {
		t->frames[t->depth - 1].subdirs++;
		return push_frame(t, node, err);
	}
	return inode->number ? 0 : write_leaf(t, inode, err);
}

static int write_tree(struct tables *t, struct fb_tree_node *root,
		      struct fb_err *err)
{
	struct frame *top;
	int r = push_frame(t, root, err);

	while (r == 0 && t->depth > 0) {
		top = &t->frames[t->depth - 1];
		if (top->next < top->count) {
			r = visit(t, top->children[top->next++], err);
			continue;
		}
		r = write_folder(t, top, err);
		free(top->children);
		t->depth--;
	}
	return r;
}

static void count_links(struct fb_tree_node *root)
{
	struct fb_tree_node *n = root, *next;

	for (;;) {
		if (n->inode && !n->dead)
			fb_tree_inode(n)->links++;
		next = n->dead || !n->inode ? NULL : n->child;
		while (!next && n != root) {
			next = n->sibling;
			n = n->parent;
		}
		if (!next)
			return;
		n = next;
	}
}

static int write_rest(struct fb_image *image, const struct fb_tree_node *root,
		      struct fb_err *err)
{
	sqfs_file_t *file = &image->file.base;
	sqfs_super_t *super = &image->super;
	int r = sqfs_frag_table_write(image->frags, file, super, image->cmp);

	if (r == 0)
		r = sqfs_id_table_write(image->ids, file, super, image->cmp);
	if (r == 0)
		r = sqfs_xattr_writer_flush(image->xattrs, file, super,
					    image->cmp);
	if (r)
		return fb_image_error(image, r, "write tables", err);
	super->root_inode_ref = root->inode->ref;
	super->bytes_used = image->file.size;
	r = sqfs_super_write(super, file);
	return r ? fb_image_error(image, r, "write the superblock", err) : 0;
}

static int write_metadata(struct tables *t, struct fb_tree_node *root,
			  struct fb_err *err)
{
	struct fb_image *image = t->image;
	int r;

	image->super.inode_table_start = image->file.size;
	r = write_tree(t, root, err);
	if (r < 0)
		return r;
	r = sqfs_meta_writer_flush(t->inodes);
	if (r == 0)
		r = sqfs_meta_writer_flush(t->listings);
	image->super.inode_count = t->numbers;
	image->super.directory_table_start = image->file.size;
	if (r == 0)
		r = sqfs_meta_write_write_to_file(t->listings);
	if (r)
		return fb_image_error(image, r, "write folders", err);
	return write_rest(image, root, err);
}

static void destroy(void *object)
{
	if (object)
		((sqfs_object_t *)object)->destroy(object);
}

int fb_image_write_tables(struct fb_image *image, struct fb_tree *tree,
			  struct fb_tree_node *root,
			  struct fb_rootfs_result *ret, struct fb_err *err)
{
	struct tables t = { .image = image, .tree = tree, .result = ret };
	int r = -ENOMEM;

	t.inodes = sqfs_meta_writer_create(&image->file.base, image->cmp, 0);
	t.listings = sqfs_meta_writer_create(&image->file.base, image->cmp,
					     SQFS_META_WRITER_KEEP_IN_MEMORY);
	if (t.listings)
		t.dirs = sqfs_dir_writer_create(t.listings, 0);
	if (t.inodes && t.dirs) {
		count_links(root);
		r = write_metadata(&t, root, err);
	} else {
		fb_err_set(err, r, "write tables: %m");
	}
	while (t.depth > 0)
		free(t.frames[--t.depth].children);
	free(t.frames);
	destroy(t.dirs);
	destroy(t.listings);
	destroy(t.inodes);
	return r;
}
