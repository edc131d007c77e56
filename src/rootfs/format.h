/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SquashFS 4.0 on disk.  Private to src/rootfs/.  Everything is little endian.
 * Source: Linux fs/squashfs/squashfs_fs.h; squashfs-tools-ng doc/format.adoc.
 */
#ifndef FB_ROOTFS_FORMAT_H
#define FB_ROOTFS_FORMAT_H

#include <stdint.h>

#define SQ_MAGIC 0x73717368u
#define SQ_SUPER_SIZE 96u
#define SQ_META_SIZE 8192u
#define SQ_META_RAW 0x8000u	/* of a metadata block's header: not packed */
#define SQ_BLOCK_RAW (1u << 24) /* of a data block's size: not packed */
#define SQ_NONE32 UINT32_MAX
#define SQ_NONE64 UINT64_MAX
#define SQ_IDS_MAX 65535u
#define SQ_PAD 4096u

enum sq_flags {
	SQ_RAW_INODES = 0x0001,
	SQ_RAW_DATA = 0x0002,
	SQ_RAW_FRAGMENTS = 0x0008,
	SQ_NO_FRAGMENTS = 0x0010,
	SQ_DUPLICATES = 0x0040,
	SQ_RAW_XATTRS = 0x0100,
	SQ_NO_XATTRS = 0x0200,
	SQ_COMPRESSOR_OPTIONS = 0x0400,
	SQ_RAW_IDS = 0x0800,
};

enum sq_compressor { SQ_GZIP = 1, SQ_LZ4 = 5, SQ_ZSTD = 6 };

/* of an inode; the extended kind is 7 more */
enum sq_inode_type {
	SQ_DIR = 1,
	SQ_FILE,
	SQ_SYMLINK,
	SQ_BLOCK_DEVICE,
	SQ_CHAR_DEVICE,
	SQ_FIFO,
	SQ_SOCKET,
	SQ_EXTENDED = 7,
};

enum sq_xattr_type { SQ_USER, SQ_TRUSTED, SQ_SECURITY };

/* Fields are written one behind the other, each call moves the pointer on */

static inline void sq_put16(uint8_t **p, unsigned int v)
{
	*(*p)++ = (uint8_t)v;
	*(*p)++ = (uint8_t)(v >> 8);
}

static inline void sq_put32(uint8_t **p, uint32_t v)
{
	sq_put16(p, v & 0xffffu);
	sq_put16(p, v >> 16);
}

static inline void sq_put64(uint8_t **p, uint64_t v)
{
	sq_put32(p, (uint32_t)v);
	sq_put32(p, (uint32_t)(v >> 32));
}

#endif
