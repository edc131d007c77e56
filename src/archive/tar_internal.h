/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the tar reader share. */
#ifndef FB_ARCHIVE_TAR_INTERNAL_H
#define FB_ARCHIVE_TAR_INTERNAL_H

#include "archive/tar.h"
#include "base/str.h"

#define TAR_BLOCK 512u

/* Layout of a header block; ustar's names, GNU's in the tail */
enum {
	TAR_NAME = 0,
	TAR_MODE = 100,
	TAR_UID = 108,
	TAR_GID = 116,
	TAR_SIZE = 124,
	TAR_MTIME = 136,
	TAR_CHKSUM = 148,
	TAR_TYPEFLAG = 156,
	TAR_LINKNAME = 157,
	TAR_MAGIC = 257,
	TAR_DEVMAJOR = 329,
	TAR_DEVMINOR = 337,
	TAR_PREFIX = 345,
	TAR_GNU_SPARSE = 386,
	TAR_GNU_IS_EXTENDED = 482,
	TAR_GNU_REAL_SIZE = 483,
	TAR_STAR_TRAILER = 508,
};

/** enum tar_pax_set - Which header fields a pax header overrides */
enum tar_pax_set {
	PAX_PATH = 1 << 0,
	PAX_LINK = 1 << 1,
	PAX_SIZE = 1 << 2,
	PAX_UID = 1 << 3,
	PAX_GID = 1 << 4,
	PAX_MTIME = 1 << 5,
	PAX_SPARSE_NAME = 1 << 6,
	PAX_SPARSE_SIZE = 1 << 7,
	PAX_SPARSE_MAP = 1 << 8, /* 0.0 or 0.1 */
};

/**
 * struct tar_pax - What pax records said of the next entry
 * @set:      PAX_… of what is there
 * @xattrs:   Names and values are owned
 * @xattr_slots: Where a name is in @xattrs, counted from 1, by its hash; NULL
 *            while there are none
 * @sparse_major, @sparse_minor: GNU.sparse.major/minor, -1 = not given
 */
struct tar_pax {
	unsigned int set;
	char *path;
	char *link;
	char *sparse_name;
	uint64_t size;
	uint64_t uid;
	uint64_t gid;
	int64_t mtime_s;
	uint64_t sparse_size;
	int sparse_major;
	int sparse_minor;
	bool acl;
	struct fb_tar_xattr *xattrs;
	size_t xattr_count;
	uint16_t *xattr_slots;
	struct fb_tar_extent *extents;
	size_t extent_count;
	uint64_t
		pending_offset; /* GNU.sparse.offset waiting for its numbytes */
	bool has_pending;
};

struct fb_tar {
	struct fb_source *source;
	struct tar_pax pax;
	struct fb_tar_entry entry;
	uint64_t pos;	    /* bytes taken from the source */
	uint64_t body_left; /* of the current body, stored bytes unread */
	uint32_t padding;   /* after the body */
	uint64_t entry_count;
	size_t extent_next;  /* sparse: extent that is read next */
	uint64_t file_pos;   /* position in the file that is handed out */
	uint64_t extent_pos; /* bytes of the current extent handed out */
	bool ended;
	bool extended;	/* headers of an entry that has not come yet */
	char *gnu_name; /* 'L' and 'K': they override pax */
	char *gnu_link;
	char *name; /* owned by the reader, of the current entry */
	char *link;
	struct fb_tar_extent *extents;
	size_t extent_count;
	uint8_t block[TAR_BLOCK];
	uint8_t buf[65536];
};

/** tar_read_exact() - Take @len bytes. Return: 0; -EBADMSG cut short */
int tar_read_exact(struct fb_tar *tar, void *buf, size_t len,
		   struct fb_err *err);

/** tar_number() - Octal or base-256 field. Return: 0; -EBADMSG */
int tar_number(const uint8_t *field, size_t len, int64_t *ret);

/** tar_decimal() - All of @text as a decimal, no sign. Return: 0; -EBADMSG */
int tar_decimal(const char *text, size_t len, uint64_t *ret);

/** tar_checksum_ok() - The header's sum, signed or unsigned */
bool tar_checksum_ok(const uint8_t *block);

/** tar_pax_release() - Forget everything, ready for the next entry */
void tar_pax_release(struct tar_pax *pax);

/** tar_pax_parse() - The body of an 'x' header. Return: 0; -EBADMSG; -E2BIG; -ENOMEM */
int tar_pax_parse(struct tar_pax *pax, const char *data, size_t len,
		  struct fb_err *err);

/** tar_sparse_add() - Append an extent. Return: 0; -E2BIG; -ENOMEM */
int tar_sparse_add(struct fb_tar_extent **list, size_t *count, uint64_t offset,
		   uint64_t len);

/** tar_sparse_gnu() - Old GNU map in the header and the blocks behind it */
int tar_sparse_gnu(struct fb_tar *tar, struct fb_err *err);

/** tar_sparse_pax1() - GNU.sparse 1.0: the map stands in front of the data */
int tar_sparse_pax1(struct fb_tar *tar, struct fb_err *err);

/** tar_sparse_check() - Extents ascend, fit the file, and add up to the body */
int tar_sparse_check(struct fb_tar *tar, struct fb_err *err);

#endif
