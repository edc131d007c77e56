/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading tar archives: v7, ustar, pax, GNU; one entry after the other.
 *
 *   while ((r = fb_tar_next(tar, &entry, err)) > 0)
 *           while ((r = fb_tar_piece(tar, &piece, err)) > 0)
 *                   use(piece.data, piece.len);
 *
 * Long names, pax records, sparse maps and base-256 numbers are resolved here;
 * what the entries mean together (whiteouts, links, duplicates) is not known
 * here.  Where formats and tools disagree, an archive is read as Go's
 * archive/tar reads it, because containerd, docker and umoci do: entries that
 * are not files have no body whatever their size says; a missing end marker is
 * accepted at the end of an entry; pax global headers are ignored.
 * Source: POSIX.1-2001 pax; GNU tar manual "Tar Internals"; star(5).
 */
#ifndef FB_ARCHIVE_TAR_H
#define FB_ARCHIVE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/source.h"
#include "base/err.h"

/* Most bytes: of a name or link target as it stands in the archive, … */
#define FB_TAR_NAME_MAX 16384u
/* … of one entry's pax records or long names, … */
#define FB_TAR_RECORDS_MAX (8u << 20)
/* … of one xattr's value, and of a name with its prefix (Linux' limits), … */
#define FB_TAR_XATTR_VALUE_MAX 65536u
#define FB_TAR_XATTR_NAME_MAX 255u
/* … most xattrs of an entry, and pieces of a sparse file */
#define FB_TAR_XATTRS_MAX 1024u
#define FB_TAR_EXTENTS_MAX (1u << 20)

enum fb_tar_type {
	FB_TAR_FILE,
	FB_TAR_LINK, /* hard link to @link */
	FB_TAR_SYMLINK,
	FB_TAR_CHAR,
	FB_TAR_BLOCK,
	FB_TAR_DIR,
	FB_TAR_FIFO,
	FB_TAR_SKIPPED, /* a vendor's own type: its body is skipped */
};

/**
 * struct fb_tar_xattr - One extended attribute
 * @name:      "user.x", NUL-terminated, without NUL inside
 * @value:     Bytes, any
 * @value_len: Count, 0 for an empty value
 */
struct fb_tar_xattr {
	const char *name;
	const uint8_t *value;
	size_t value_len;
};

/** struct fb_tar_extent - Bytes of a sparse file that are not a hole */
struct fb_tar_extent {
	uint64_t offset;
	uint64_t len;
};

/**
 * struct fb_tar_entry - One entry; what it points to lives until the next one
 * @type:        What it is
 * @typeflag:    The byte in the header
 * @name:        As it stands in the archive, NUL-terminated
 * @name_len:    Bytes, 0 … FB_TAR_NAME_MAX; no NUL inside
 * @link:        Target of a hard or symbolic link; "" for others
 * @link_len:    Likewise
 * @mode:        Permissions with setuid, setgid, sticky: 0 … 07777
 * @uid:         0 … 2^32−2
 * @gid:         0 … 2^32−2
 * @mtime_s:     Seconds since 1970, fractions cut off; may be negative
 * @dev_major:   Of a device
 * @dev_minor:   Of a device
 * @size_bytes:  Of a file with its holes; 0 for others
 * @stored_bytes: Of its body in the archive, without padding
 * @body_offset: Where the body starts in the stream
 * @xattrs:      In the order of the archive; a later duplicate has replaced
 *               the earlier
 * @extents:     Of a sparse file, ascending, not overlapping
 * @sparse:      There are holes; @extents counts
 * @acl:         Has POSIX ACLs in pax records of star's
 */
struct fb_tar_entry {
	enum fb_tar_type type;
	char typeflag;
	const char *name;
	size_t name_len;
	const char *link;
	size_t link_len;
	uint32_t mode;
	uint32_t uid;
	uint32_t gid;
	int64_t mtime_s;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint64_t size_bytes;
	uint64_t stored_bytes;
	uint64_t body_offset;
	const struct fb_tar_xattr *xattrs;
	size_t xattr_count;
	const struct fb_tar_extent *extents;
	size_t extent_count;
	bool sparse;
	bool acl;
};

struct fb_tar; /* opaque */

/**
 * fb_tar_open() - Start reading
 * @source: Plain tar bytes (borrowed, must outlive the reader)
 * @ret:    Reader (returned)
 *
 * Return: 0; -ENOMEM.
 */
int fb_tar_open(struct fb_source *source, struct fb_tar **ret,
		struct fb_err *err);

/**
 * fb_tar_next() - Go to the next entry
 * @tar:   Reader (borrowed)
 * @ret:   Entry; written when the value is 1
 *
 * What was not read of the last body is skipped.  At the end marker, or the
 * end of the stream between two entries, there are no more; what follows the
 * marker is left unread: see fb_tar_drain().  Errors name the entry.
 *
 * Return: 1 an entry; 0 no more; -EBADMSG malformed or cut short; -E2BIG over
 * a limit; -ENOMEM; what the source gives.
 */
int fb_tar_next(struct fb_tar *tar, struct fb_tar_entry *ret,
		struct fb_err *err);

/**
 * struct fb_tar_piece - Some bytes of a file
 * @data: Bytes (borrowed until the next call), or NULL: zeroes, a hole
 * @len:  Count; a hole may be longer than memory
 */
struct fb_tar_piece {
	const uint8_t *data;
	uint64_t len;
};

/**
 * fb_tar_piece() - The next bytes of the current file, holes as holes
 * @tar: Reader (borrowed)
 * @ret: Written when the value is 1; @len >= 1
 *
 * The pieces of a file add up to its size_bytes.
 *
 * Return: 1 a piece; 0 no more; -EBADMSG cut short; what the source gives.
 */
int fb_tar_piece(struct fb_tar *tar, struct fb_tar_piece *ret,
		 struct fb_err *err);

/**
 * fb_tar_read() - Bytes of the current file into a buffer, holes as zeroes
 *
 * Return: bytes, less than @len only at the file's end; negative errno.
 */
ssize_t fb_tar_read(struct fb_tar *tar, void *buf, size_t len,
		    struct fb_err *err);

/** fb_tar_drain() - Read the stream to its end. Return: 0; what the source gives */
int fb_tar_drain(struct fb_tar *tar, struct fb_err *err);

/**
 * fb_tar_is_start() - May an archive begin so?
 * @data: Its first bytes
 * @len:  Count; too few may be anything
 *
 * Return: false where reading it would fail at the first header.
 */
bool fb_tar_is_start(const uint8_t *data, size_t len);

/** fb_tar_entry_count() - Headers of entries read so far */
uint64_t fb_tar_entry_count(const struct fb_tar *tar);

/** fb_tar_free() - Free, the source stays; NULL is fine */
void fb_tar_free(struct fb_tar *tar);

static inline void fb_cleanup_tar(struct fb_tar **tar)
{
	fb_tar_free(*tar);
}

/** FB_TAR - `FB_TAR struct fb_tar *t = NULL;` frees itself */
#define FB_TAR __attribute__((cleanup(fb_cleanup_tar)))

#endif
