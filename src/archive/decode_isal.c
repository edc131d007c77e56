/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <stdlib.h>

#include "archive/decoder.h"

/* The library reads the header and checks CRC and length itself with
 * ISAL_GZIP; a header's name and comment are skipped where they are unset. */
static void *isal_open(void)
{
	struct inflate_state *s = calloc(1, sizeof(*s));

	if (s) {
		isal_inflate_init(s);
		s->crc_flag = ISAL_GZIP;
	}
	return s;
}

static int isal_begin(void *state)
{
	struct inflate_state *s = state;

	isal_inflate_reset(s);
	s->crc_flag = ISAL_GZIP;
	return 0;
}

static int isal_step(void *state, struct fb_decoder_io *io)
{
	struct inflate_state *s = state;
	uint32_t in = (uint32_t)(io->in_len > INT_MAX ? INT_MAX : io->in_len);
	uint32_t out =
		(uint32_t)(io->out_len > INT_MAX ? INT_MAX : io->out_len);
	int r;

	s->next_in = (uint8_t *)(uintptr_t)io->in;
	s->avail_in = in;
	s->next_out = io->out;
	s->avail_out = out;
	r = isal_inflate(s);
	io->in += in - s->avail_in;
	io->in_len -= in - s->avail_in;
	io->out += out - s->avail_out;
	io->out_len -= out - s->avail_out;
	io->ended = s->block_state == ISAL_BLOCK_FINISH;
	return r == ISAL_DECOMP_OK || r == ISAL_END_INPUT ||
			       r == ISAL_OUT_OVERFLOW
		       ? 0
		       : -EBADMSG;
}

static void isal_close(void *state)
{
	free(state);
}

const struct fb_decoder_ops fb_decoder_gzip_isal = {
	.open = isal_open,
	.begin = isal_begin,
	.step = isal_step,
	.close = isal_close,
};
