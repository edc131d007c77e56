/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A listing is a row of runs: a header, then up to 256
 * names whose inodes stand in the same metadata block and whose numbers are near
 * one another.  A listing of more than one metadata block gets an index with one
 * entry a block, so that the kernel finds a name without reading them all.
 */
#include <errno.h>
#include <string.h>

#include "rootfs/tables.h"

#define RUN_MAX 256u
#define HEADER_SIZE 12u
#define INDEX_MAX 65535u

static unsigned int basic_type(uint16_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return SQ_DIR;
	case S_IFLNK:
		return SQ_SYMLINK;
	case S_IFBLK:
		return SQ_BLOCK_DEVICE;
	case S_IFCHR:
		return SQ_CHAR_DEVICE;
	case S_IFIFO:
		return SQ_FIFO;
	default:
		return SQ_FILE;
	}
}

/* How many of the children share a header */
static size_t run_len(struct fb_tree_node *const *children, size_t count)
{
	const struct fb_tree_inode *first = fb_tree_inode(children[0]);
	const struct fb_tree_inode *inode;
	int64_t delta;
	size_t n = 1;

	for (; n < count && n < RUN_MAX; n++) {
		inode = fb_tree_inode(children[n]);
		delta = (int64_t)inode->number - first->number;
		if (inode->ref >> 16 != first->ref >> 16 || delta > INT16_MAX ||
		    delta < INT16_MIN)
			break;
	}
	return n;
}

static int put_run(struct fb_tables *t, struct fb_tree_node *const *children,
		   size_t count, struct fb_err *err)
{
	const struct fb_tree_inode *first = fb_tree_inode(children[0]), *inode;
	uint8_t buf[8 + FB_TREE_NAME_MAX], *p = buf;
	int r;

	sq_put32(&p, (uint32_t)count - 1);
	sq_put32(&p, (uint32_t)(first->ref >> 16));
	sq_put32(&p, first->number);
	r = fb_meta_write(&t->listings, buf, HEADER_SIZE, err);
	for (size_t i = 0; i < count && r == 0; i++) {
		inode = fb_tree_inode(children[i]);
		p = buf;
		sq_put16(&p, inode->ref & 0xffffu);
		sq_put16(&p, (inode->number - first->number) & 0xffffu);
		sq_put16(&p, basic_type(inode->mode));
		sq_put16(&p, children[i]->name_len - 1u);
		memcpy(p, children[i]->name, children[i]->name_len);
		r = fb_meta_write(&t->listings, buf, 8u + children[i]->name_len,
				  err);
	}
	return r;
}

static size_t run_bytes(struct fb_tree_node *const *children, size_t count)
{
	size_t bytes = HEADER_SIZE;

	for (size_t i = 0; i < count; i++)
		bytes += 8u + children[i]->name_len;
	return bytes;
}

static int add_index(struct fb_tables *t, struct fb_dir_index **index,
		     const struct fb_dir_index_entry *entry)
{
	uint32_t cap = *index ? (*index)->cap : 0, more = cap ? cap * 2 : 16;
	struct fb_dir_index *grown = *index;

	if (!grown || grown->count == cap) {
		grown = fb_tree_alloc(t->tree,
				      sizeof(*grown) + more * sizeof(*entry));
		if (!grown)
			return -ENOMEM;
		if (*index)
			memcpy(grown, *index,
			       sizeof(*grown) + cap * sizeof(*entry));
		grown->cap = more;
		*index = grown;
	}
	if (grown->count < INDEX_MAX)
		grown->v[grown->count++] = *entry;
	return 0;
}

int fb_listing_write(struct fb_tables *t, struct fb_tree_node *const *children,
		     size_t count, struct fb_tree_inode *dir,
		     struct fb_err *err)
{
	uint64_t start = fb_meta_ref(&t->listings), size = 0;
	uint64_t block = t->listings.bytes;
	struct fb_dir_index *index = NULL;
	size_t n;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i += n) {
		n = run_len(children + i, count - i);
		/* the first run that begins in another block than the last */
		if (t->listings.bytes != block) {
			const struct fb_dir_index_entry entry = {
				(uint32_t)size, (uint32_t)t->listings.bytes,
				children[i]
			};

			block = t->listings.bytes;
			if (add_index(t, &index, &entry) < 0)
				return fb_err_set(err, -ENOMEM,
						  "write folders: %m");
		}
		if (t->listings.bytes > UINT32_MAX)
			return fb_err_set(err, -E2BIG,
					  "folders of over 4 GiB in all");
		size += run_bytes(children + i, n);
		r = put_run(t, children + i, n, err);
	}
	dir->start = start;
	dir->size = size;
	dir->index = index;
	return r;
}
