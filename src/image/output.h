/* SPDX-License-Identifier: Apache-2.0 */
/* A file that a user named: there as a whole at the end, or not at all. */
#ifndef FB_IMAGE_OUTPUT_H
#define FB_IMAGE_OUTPUT_H

#include "base/err.h"
#include "oci/digest.h"
#include "store/store.h"

/**
 * struct fb_output - Where a converted image goes
 * @fd:     Seekable, readable, empty; written by the caller
 * @dir:    Folder of the final name; -EBADF for a stream
 * @name:   Final name in it
 * @temp:   Name of the file for now, NULL while it has none
 * @spool:  For a stream: the file that is copied to it in the end
 * @stream: Where that goes; owned where it was opened here
 */
struct fb_output {
	int fd;
	int dir;
	char *name;
	char *temp;
	struct fb_store_temp spool;
	int stream;
	bool stream_owned;
};

#define FB_OUTPUT_INIT                                    \
	((struct fb_output){ .fd = -EBADF,                \
			     .dir = -EBADF,               \
			     .spool = FB_STORE_TEMP_INIT, \
			     .stream = -EBADF })

/**
 * fb_output_open() - Start a file
 * @store:  For a spool where @path is a stream
 * @path:   Final name, symbolic links at its end followed; "-" = @stream;
 *          something that is there and is no regular file (a pipe, a device) is
 *          written to at the end
 * @stream: Descriptor (borrowed)
 * @ret:    End it with fb_output_release()
 *
 * Return: 0; a negative errno.
 */
int fb_output_open(struct fb_store *store, const char *path, int stream,
		   struct fb_output *ret, struct fb_err *err);

/** fb_output_clear() - Empty it again. Return: 0; negative errno */
int fb_output_clear(struct fb_output *out, struct fb_err *err);

/** fb_output_commit() - Sync and give it its name, or copy it to its stream. Return: 0; negative errno */
int fb_output_commit(struct fb_output *out, struct fb_err *err);

/** fb_output_release() - Close; what was not committed is gone */
void fb_output_release(struct fb_output *out);

#define FB_OUTPUT __attribute__((cleanup(fb_output_release)))

/**
 * fb_copy_verified() - Copy a file whose digest is known
 * @from:       Read from its start
 * @to:         Empty
 * @digest:     Of all bytes
 * @size_bytes: Count
 *
 * Return: 0; -EBADMSG other bytes; a negative errno.
 */
int fb_copy_verified(int from, int to, const struct fb_digest *digest,
		     uint64_t size_bytes, struct fb_err *err);

#endif
