/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers in, one SquashFS out: in one pass, without root, a mount or a file
 * unpacked.
 *
 *   layers ─▶ inflate, hash ─▶ tar ─▶ merge ─▶ compress ─▶ write
 *
 * The image is a function of the layers' uncompressed bytes and the
 * compression options alone: any worker count, day, machine and packing of the
 * layers gives the same bytes (with the same compression library).
 */
#ifndef FB_ROOTFS_CONVERT_H
#define FB_ROOTFS_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/source.h"
#include "base/err.h"
#include "base/log.h"
#include "oci/digest.h"
#include "oci/manifest.h"

/* Raised whenever the same layers would give other bytes than before */
#define FB_ROOTFS_FORMAT_VERSION 3u

/* Most layers of an image */
#define FB_ROOTFS_LAYERS_MAX FB_LAYERS_MAX

/**
 * struct fb_rootfs_known - A layer that an earlier conversion remembered
 * @recipe_fd: What it wrote to its options' @recipe_fd (borrowed)
 * @at:        Place in it, by fb_rootfs_known_find()
 * @image_fd:  The image that it made (borrowed)
 */
struct fb_rootfs_known {
	int recipe_fd;
	uint64_t at;
	int image_fd;
};

/**
 * struct fb_rootfs_layer - One layer, packed or plain
 * @source:     Its bytes (borrowed); NULL = @fd.  Read by a thread of the
 *              conversion, one call at a time; rewound where the layer must be
 *              looked at twice (a hard link onto what was hidden)
 * @fd:         File that holds it (borrowed), from @offset, @size_bytes long
 * @offset:     In @fd; 0 for a file of its own
 * @size_bytes: Its exact size; UINT64_MAX = unknown, to the end of the source
 * @digest:     Of its bytes; neither computed nor checked where it is not set
 * @diff_id:    Of its uncompressed bytes; not checked where it is not set
 * @compression: What its media type says; FB_LAYER_UNKNOWN = nothing.  The
 *              bytes decide; a contradiction is logged
 * @known:      Take it from there, if that has all that shows (borrowed); the layer
 *              itself is then not looked at.  NULL = read it
 */
struct fb_rootfs_layer {
	struct fb_source *source;
	int fd;
	uint64_t offset;
	uint64_t size_bytes;
	struct fb_digest digest;
	struct fb_digest diff_id;
	enum fb_layer_compression compression;
	const struct fb_rootfs_known *known;
};

/** enum fb_rootfs_compression - How the image is packed */
enum fb_rootfs_compression {
	FB_ROOTFS_DEFAULT, /* the measured choice, see fb_rootfs_options_resolve() */
	FB_ROOTFS_ZSTD,
	FB_ROOTFS_LZ4,
	FB_ROOTFS_GZIP,
	FB_ROOTFS_NONE,
};

/** fb_rootfs_compression_name() - "zstd", "lz4", "gzip", "none" */
const char *fb_rootfs_compression_name(enum fb_rootfs_compression kind);

/** fb_rootfs_compression_parse() - The reverse. Return: 0; -EINVAL, listing them */
int fb_rootfs_compression_parse(const char *text,
				enum fb_rootfs_compression *ret,
				struct fb_err *err);

/**
 * struct fb_rootfs_options - How to convert; zero means the default everywhere
 * @compression:  How file data and tables are packed
 * @level:        zstd 1 … 22, gzip 1 … 9, lz4 1 … 12 (over 1: HC); default 1, gzip 6
 * @block_bytes:  4096 … 1048576, a power of two; default 131072
 * @workers:      Compressing threads, 1 … 64; default one a CPU
 * @max_image_bytes:    Largest image; default 128 GiB
 * @max_unpacked_bytes: Largest sum of what the layers inflate to, and of the
 *                file sizes with holes; default 512 GiB
 * @max_ratio:    Most uncompressed bytes for a byte of a layer, once it gave
 *                more than 1 GiB; default 2000
 * @max_entries:  Most tar entries of all layers; default 64 Mi
 * @max_tree_bytes: Most memory for names, attributes and lists of blocks; default
 *                4 GiB
 * @skip_image_digest: Leave the result's digest unset (saves reading the image)
 * @recipe_fd:    Empty file where the layers are remembered for other images
 *                (borrowed); NULL = they are not
 * @log:          Sink, or NULL
 * @progress:     Called on the calling thread now and then, and at the end,
 *                with the layers' bytes consumed; a negative errno cancels;
 *                NULL = nobody cares
 * @progress_ctx: Passed to @progress
 */
struct fb_rootfs_options {
	enum fb_rootfs_compression compression;
	int level;
	uint32_t block_bytes;
	unsigned int workers;
	uint64_t max_image_bytes;
	uint64_t max_unpacked_bytes;
	uint64_t max_ratio;
	uint64_t max_entries;
	uint64_t max_tree_bytes;
	bool skip_image_digest;
	const int *recipe_fd;
	const struct fb_log *log;
	int (*progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
	void *progress_ctx;
};

/**
 * fb_rootfs_options_resolve() - Put the defaults in the place of zeroes
 * @in:  Options as given, or NULL
 * @ret: Complete ones; written on success only
 *
 * Return: 0; -EINVAL a value out of its range, the text names it.
 */
int fb_rootfs_options_resolve(const struct fb_rootfs_options *in,
			      struct fb_rootfs_options *ret,
			      struct fb_err *err);

/**
 * struct fb_rootfs_result - What came out
 * @digest:         SHA-256 of the image file
 * @image_bytes:    Its size, a multiple of 4096
 * @layer_bytes:    Read, as they are stored
 * @unpacked_bytes: The same, inflated
 * @inodes:         In the image, hard links counted once
 * @directories:    Of these
 * @hidden_files:   Files of lower layers that were never compressed
 * @dropped_acls:   Entries whose POSIX ACLs SquashFS cannot hold
 * @dropped_xattrs: xattrs that Linux does not let such an entry have or SquashFS
 *                does not hold, and overlay's
 * @dropped_devices: Character devices 0:0
 * @ignored_entries: Reserved names (".wh..wh."), vendors' types
 * @rescanned_layers: Layers that were read twice
 * @known_layers: Layers that were taken from an earlier image
 * @recipe:         Its file is complete
 */
struct fb_rootfs_result {
	struct fb_digest digest;
	uint64_t image_bytes;
	uint64_t layer_bytes;
	uint64_t unpacked_bytes;
	uint64_t inodes;
	uint64_t directories;
	uint64_t hidden_files;
	uint64_t dropped_acls;
	uint64_t dropped_xattrs;
	uint64_t dropped_devices;
	uint64_t ignored_entries;
	uint64_t rescanned_layers;
	uint64_t known_layers;
	bool recipe;
};

/**
 * fb_rootfs_convert() - Turn the layers of an image into one SquashFS
 * @layers:  Base first (borrowed)
 * @count:   0 … FB_ROOTFS_LAYERS_MAX; none gives an empty root folder
 * @out_fd:  Seekable, readable and writable, empty file (borrowed); on failure its
 *           contents mean nothing
 * @options: How (borrowed), or NULL
 * @ret:     Written on success only
 * @err:     One line: layer (counted from 1, base first) and entry
 *
 * Every digest and size that is set has been verified when this succeeds.  All
 * threads have ended when it returns.  What a stack of layers means, odd cases
 * included, is in docs/layer-semantics.md.
 *
 * Return: 0; -EBADMSG a layer is malformed or not what its digest says; -EFBIG
 * over a limit of @options; -E2BIG over a limit of SquashFS or Linux (ids,
 * name length); -EINVAL bad options; -ECANCELED or what @progress gave; -ESPIPE
 * a source had to be rewound and cannot; -ENOMEM; -EIO, -ENOSPC writing.
 */
int fb_rootfs_convert(const struct fb_rootfs_layer *layers, size_t count,
		      int out_fd, const struct fb_rootfs_options *options,
		      struct fb_rootfs_result *ret, struct fb_err *err);

/**
 * fb_rootfs_known_find() - Look for a layer in what a conversion remembered
 * @recipe_fd: Its file
 * @options:   Those of the conversion that is to be, or NULL
 * @ret:       @recipe_fd and @at are filled in
 *
 * Return: 0; -ENOENT it is not in it, or it was made with other options, another
 * build or other libraries.
 */
int fb_rootfs_known_find(int recipe_fd, const struct fb_rootfs_options *options,
			 const struct fb_digest *diff_id,
			 struct fb_rootfs_known *ret);

/**
 * fb_rootfs_key() - The name under which a converted image can be kept
 * @diff_ids: Of the layers, base first
 * @count:    Of @diff_ids
 * @options:  Only what changes the image's bytes counts; or NULL
 * @ret:      sha256; equal keys mean equal images
 *
 * Return: 0; -EINVAL bad options or a diff_id that is not set; -EIO.
 */
int fb_rootfs_key(const struct fb_digest *diff_ids, size_t count,
		  const struct fb_rootfs_options *options,
		  struct fb_digest *ret, struct fb_err *err);

#endif
