/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "rootfs/tables.h"

/* the longest fixed part: an extended file's */
#define FIXED_MAX 64u

static int no_memory(struct fb_err *err)
{
	return fb_err_set(err, -ENOMEM, "write inodes: %m");
}

/* Number of a set of xattrs, the first file that has it gives it one */
static int xattr_index(struct fb_tables *t, const struct fb_xattr_set *set,
		       uint32_t *ret, struct fb_err *err)
{
	struct fb_xattr_set *mutable = (struct fb_xattr_set *)(uintptr_t)set;
	uint32_t cap = t->set_cap ? t->set_cap * 2 : 16;
	struct fb_xattr_set **grown;

	*ret = SQ_NONE32;
	if (!set)
		return 0;
	if (set->index == SQ_NONE32) {
		if (t->set_count == t->set_cap) {
			grown = reallocarray(t->sets, cap,
					     sizeof(struct fb_xattr_set *));
			if (!grown)
				return no_memory(err);
			t->sets = grown;
			t->set_cap = cap;
		}
		mutable->index = t->set_count;
		t->sets[t->set_count++] = mutable;
	}
	*ret = set->index;
	return 0;
}

static int put_common(struct fb_tables *t, uint8_t **p, unsigned int type,
		      const struct fb_tree_inode *inode, struct fb_err *err)
{
	uint16_t uid, gid;
	int r = fb_ids_index(&t->ids, inode->uid, &uid, err);

	if (r == 0)
		r = fb_ids_index(&t->ids, inode->gid, &gid, err);
	if (r < 0)
		return r;
	sq_put16(p, type);
	sq_put16(p, inode->mode & 07777u);
	sq_put16(p, uid);
	sq_put16(p, gid);
	sq_put32(p, inode->mtime_s);
	sq_put32(p, inode->number);
	return 0;
}

static uint64_t block_count(const struct fb_tables *t,
			    const struct fb_tree_inode *inode)
{
	if (inode->fragment != FB_TREE_NO_FRAGMENT || !inode->size)
		return 0;
	return (inode->size - 1) / t->block_bytes + 1;
}

/* Bytes that take no room, as stat(2) shows them */
static uint64_t hole_bytes(const struct fb_tables *t,
			   const struct fb_tree_inode *inode, uint64_t blocks)
{
	uint64_t bytes = 0;

	for (uint64_t i = 0; i < blocks; i++) {
		if (inode->blocks[i])
			continue;
		bytes += i + 1 < blocks
				 ? t->block_bytes
				 : (inode->size - 1) % t->block_bytes + 1;
	}
	return bytes;
}

static int put_blocks(struct fb_tables *t, const struct fb_tree_inode *inode,
		      uint64_t blocks, struct fb_err *err)
{
	uint8_t buf[1024], *p = buf;
	int r = 0;

	for (uint64_t i = 0; i < blocks && r == 0; i++) {
		sq_put32(&p, inode->blocks[i]);
		if (p == buf + sizeof(buf) || i + 1 == blocks) {
			r = fb_meta_write(&t->inodes, buf, (size_t)(p - buf),
					  err);
			p = buf;
		}
	}
	return r;
}

static int write_file(struct fb_tables *t, const struct fb_tree_inode *inode,
		      uint32_t xattr, struct fb_err *err)
{
	uint64_t blocks = block_count(t, inode);
	uint64_t holes = hole_bytes(t, inode, blocks);
	bool extended = inode->links > 1 || xattr != SQ_NONE32 || holes ||
			inode->size > UINT32_MAX || inode->start > UINT32_MAX;
	uint8_t buf[FIXED_MAX], *p = buf;
	int r = put_common(t, &p, SQ_FILE + (extended ? SQ_EXTENDED : 0), inode,
			   err);

	if (r < 0)
		return r;
	if (extended) {
		sq_put64(&p, inode->start);
		sq_put64(&p, inode->size);
		sq_put64(&p, holes);
		sq_put32(&p, inode->links);
		sq_put32(&p, inode->fragment);
		sq_put32(&p, inode->fragment_offset);
		sq_put32(&p, xattr);
	} else {
		sq_put32(&p, (uint32_t)inode->start);
		sq_put32(&p, inode->fragment);
		sq_put32(&p, inode->fragment_offset);
		sq_put32(&p, (uint32_t)inode->size);
	}
	r = fb_meta_write(&t->inodes, buf, (size_t)(p - buf), err);
	return r < 0 ? r : put_blocks(t, inode, blocks, err);
}

static int put_index(struct fb_tables *t, const struct fb_dir_index *index,
		     struct fb_err *err)
{
	uint8_t buf[12 + FB_TREE_NAME_MAX], *p;
	int r = 0;

	for (uint32_t i = 0; index && i < index->count && r == 0; i++) {
		const struct fb_dir_index_entry *e = &index->v[i];

		p = buf;
		sq_put32(&p, e->offset);
		sq_put32(&p, e->block);
		sq_put32(&p, e->first->name_len - 1u);
		memcpy(p, e->first->name, e->first->name_len);
		p += e->first->name_len;
		r = fb_meta_write(&t->inodes, buf, (size_t)(p - buf), err);
	}
	return r;
}

static int write_dir(struct fb_tables *t, const struct fb_tree_inode *inode,
		     uint32_t parent, uint32_t xattr, struct fb_err *err)
{
	/* SquashFS counts "." and ".." in as three bytes */
	uint64_t size = inode->size + 3;
	bool extended = inode->index || xattr != SQ_NONE32 || size > UINT16_MAX;
	uint8_t buf[FIXED_MAX], *p = buf;
	int r = put_common(t, &p, SQ_DIR + (extended ? SQ_EXTENDED : 0), inode,
			   err);

	if (r < 0)
		return r;
	if (size > UINT32_MAX)
		return fb_err_set(err, -E2BIG,
				  "a folder of over 4 GiB of names");
	if (extended) {
		sq_put32(&p, inode->links);
		sq_put32(&p, (uint32_t)size);
		sq_put32(&p, (uint32_t)(inode->start >> 16));
		sq_put32(&p, parent);
		sq_put16(&p, inode->index ? inode->index->count : 0);
		sq_put16(&p, inode->start & 0xffffu);
		sq_put32(&p, xattr);
	} else {
		sq_put32(&p, (uint32_t)(inode->start >> 16));
		sq_put32(&p, inode->links);
		sq_put16(&p, (unsigned int)size);
		sq_put16(&p, inode->start & 0xffffu);
		sq_put32(&p, parent);
	}
	r = fb_meta_write(&t->inodes, buf, (size_t)(p - buf), err);
	return r < 0 ? r : put_index(t, inode->index, err);
}

static int write_symlink(struct fb_tables *t, const struct fb_tree_inode *inode,
			 uint32_t xattr, struct fb_err *err)
{
	uint32_t len = (uint32_t)strlen(inode->target);
	bool extended = xattr != SQ_NONE32;
	uint8_t buf[FIXED_MAX], *p = buf;
	int r = put_common(t, &p, SQ_SYMLINK + (extended ? SQ_EXTENDED : 0),
			   inode, err);

	if (r < 0)
		return r;
	sq_put32(&p, inode->links);
	sq_put32(&p, len);
	r = fb_meta_write(&t->inodes, buf, (size_t)(p - buf), err);
	if (r == 0)
		r = fb_meta_write(&t->inodes, inode->target, len, err);
	if (r < 0 || !extended)
		return r;
	p = buf;
	sq_put32(&p, xattr);
	return fb_meta_write(&t->inodes, buf, (size_t)(p - buf), err);
}

/* the kernel's new_encode_dev() */
static uint32_t device_number(const struct fb_tree_inode *inode)
{
	return (inode->dev.minor & 0xffu) | inode->dev.major << 8 |
	       (inode->dev.minor & ~0xffu) << 12;
}

static int write_special(struct fb_tables *t, const struct fb_tree_inode *inode,
			 uint32_t xattr, struct fb_err *err)
{
	unsigned int type = S_ISBLK(inode->mode)   ? SQ_BLOCK_DEVICE
			    : S_ISCHR(inode->mode) ? SQ_CHAR_DEVICE
						   : SQ_FIFO;
	bool extended = xattr != SQ_NONE32;
	uint8_t buf[FIXED_MAX], *p = buf;
	int r = put_common(t, &p, type + (extended ? SQ_EXTENDED : 0), inode,
			   err);

	if (r < 0)
		return r;
	sq_put32(&p, inode->links);
	if (type != SQ_FIFO)
		sq_put32(&p, device_number(inode));
	if (extended)
		sq_put32(&p, xattr);
	return fb_meta_write(&t->inodes, buf, (size_t)(p - buf), err);
}

int fb_inode_write(struct fb_tables *t, struct fb_tree_inode *inode,
		   uint32_t parent, struct fb_err *err)
{
	uint32_t xattr;
	int r = xattr_index(t, inode->xattrs, &xattr, err);

	if (r < 0)
		return r;
	inode->ref = fb_meta_ref(&t->inodes);
	inode->written = true;
	if (S_ISREG(inode->mode))
		return write_file(t, inode, xattr, err);
	if (S_ISDIR(inode->mode))
		return write_dir(t, inode, parent, xattr, err);
	if (S_ISLNK(inode->mode))
		return write_symlink(t, inode, xattr, err);
	return write_special(t, inode, xattr, err);
}
