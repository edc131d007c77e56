/* SPDX-License-Identifier: Apache-2.0 */
/* The last bytes of what a guest or a VMM printed; bounded, whatever it prints. */
#ifndef FB_CONTAINER_EVIDENCE_H
#define FB_CONTAINER_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>

#define FB_EVIDENCE_SIZE 65536u

/**
 * struct fb_evidence - A tail
 * @fd:   Where it comes from (owned), non-blocking; -EBADF at its end
 * @show: Where it goes as well (owned), non-blocking: what does not fit is left out;
 *        -EBADF nowhere
 * @buf:  Ring, allocated with the first byte
 * @at:   Bytes seen in all
 */
struct fb_evidence {
	int fd;
	int show;
	char *buf;
	size_t at;
};

/** fb_evidence_read() - Read what is there; closes @fd at its end */
void fb_evidence_read(struct fb_evidence *e);

/** fb_evidence_text() - The tail in order, NUL-terminated. Return: malloc'ed, or NULL */
char *fb_evidence_text(const struct fb_evidence *e);

/**
 * fb_evidence_line() - One line of the tail that tells most
 * @word: The first line that has it, from it on; NULL = the last line that is
 *        not empty
 * @out:  "" where there is none; control characters made visible; cut at @size
 */
void fb_evidence_line(const struct fb_evidence *e, const char *word, char *out,
		      size_t size);

void fb_evidence_release(struct fb_evidence *e);

#endif
