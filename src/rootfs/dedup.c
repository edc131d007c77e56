/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/dedup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"

#define FIRST_SLOTS 1024u
#define COMPARE_SIZE (64u << 10)
/* sums can be made to collide: no more are looked at, or kept */
#define SAME_SUM_MAX 8u

static uint32_t tag_of(uint64_t sum)
{
	return (uint32_t)(sum ^ sum >> 32);
}

void fb_dedup_release(struct fb_dedup *table)
{
	free(table->tags);
	free(table->inodes);
	*table = (struct fb_dedup){ 0 };
}

void fb_dedup_start(struct fb_dedup_search *search,
		    const struct fb_dedup *table, uint64_t sum)
{
	*search = (struct fb_dedup_search){ .table = table,
					    .tag = tag_of(sum),
					    .at = tag_of(sum) };
}

struct fb_tree_inode *fb_dedup_next(struct fb_dedup_search *search)
{
	const struct fb_dedup *t = search->table;
	struct fb_tree_inode *inode;
	size_t at;

	while (t->slot_count && search->found < SAME_SUM_MAX) {
		at = search->at++ & (t->slot_count - 1);
		inode = t->inodes[at];
		if (!inode)
			break;
		if (t->tags[at] == search->tag) {
			search->found++;
			return inode;
		}
	}
	return NULL;
}

static void put(struct fb_dedup *table, uint32_t tag,
		struct fb_tree_inode *inode)
{
	size_t mask = table->slot_count - 1, at = tag & mask;

	while (table->inodes[at])
		at = (at + 1) & mask;
	table->inodes[at] = inode;
	table->tags[at] = tag;
	table->used++;
}

static int grow(struct fb_dedup *table)
{
	size_t count = table->slot_count ? table->slot_count * 2 : FIRST_SLOTS;
	struct fb_dedup old = *table;

	if (table->slot_count && table->used < table->slot_count / 4 * 3)
		return 0;
	table->tags = calloc(count, sizeof(*table->tags));
	table->inodes = calloc(count, sizeof(struct fb_tree_inode *));
	if (!table->tags || !table->inodes) {
		fb_dedup_release(table);
		*table = old;
		return -ENOMEM;
	}
	table->slot_count = count;
	table->used = 0;
	for (size_t i = 0; i < old.slot_count; i++)
		if (old.inodes[i])
			put(table, old.tags[i], old.inodes[i]);
	fb_dedup_release(&old);
	return 0;
}

int fb_dedup_add(struct fb_dedup *table, const struct fb_dedup_search *search,
		 struct fb_tree_inode *inode)
{
	if (search->found == SAME_SUM_MAX)
		return 0;
	if (grow(table) < 0)
		return -ENOMEM;
	put(table, search->tag, inode);
	return 0;
}

/* Return: 1 the same bytes; 0 not; negative errno */
static int same_bytes(int fd, uint64_t a, uint64_t b, uint64_t len)
{
	FB_FREE uint8_t *buf = malloc((size_t)2 * COMPARE_SIZE);
	size_t n;

	if (!buf)
		return -ENOMEM;
	for (; len > 0; a += n, b += n, len -= n) {
		n = len < COMPARE_SIZE ? (size_t)len : COMPARE_SIZE;
		if (fb_pread_full(fd, buf, n, a) != (ssize_t)n ||
		    fb_pread_full(fd, buf + COMPARE_SIZE, n, b) != (ssize_t)n)
			return -EIO;
		if (memcmp(buf, buf + COMPARE_SIZE, n) != 0)
			return 0;
	}
	return 1;
}

int fb_dedup_blocks(struct fb_dedup *table, struct fb_tree_inode *inode,
		    size_t count, uint64_t sum, int fd)
{
	struct fb_dedup_search search;
	struct fb_tree_inode *other;
	uint64_t bytes = 0;
	int r;

	for (size_t i = 0; i < count; i++)
		bytes += inode->blocks[i] & (SQ_BLOCK_RAW - 1);
	fb_dedup_start(&search, table, sum);
	while ((other = fb_dedup_next(&search))) {
		if (other->size != inode->size ||
		    memcmp(other->blocks, inode->blocks,
			   count * sizeof(*inode->blocks)) != 0)
			continue;
		r = same_bytes(fd, other->start, inode->start, bytes);
		if (r < 0)
			return r;
		if (r > 0) {
			inode->start = other->start;
			return 1;
		}
	}
	return fb_dedup_add(table, &search, inode);
}
