/* SPDX-License-Identifier: Apache-2.0 */
#include "container/evidence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static void keep(struct fb_evidence *e, const char *data, size_t len)
{
	size_t at, n;

	if (!e->buf)
		e->buf = malloc(FB_EVIDENCE_SIZE);
	while (e->buf && len > 0) {
		at = e->at % FB_EVIDENCE_SIZE;
		n = FB_EVIDENCE_SIZE - at < len ? FB_EVIDENCE_SIZE - at : len;
		memcpy(e->buf + at, data, n);
		e->at += n;
		data += n;
		len -= n;
	}
}

void fb_evidence_read(struct fb_evidence *e)
{
	char buf[4096];
	ssize_t n;

	/* a few reads at a time: a flooding guest must not keep us here */
	for (int i = 0; i < 16 && e->fd >= 0; i++) {
		n = read(e->fd, buf, sizeof(buf));
		if (n > 0 && e->show >= 0)
			(void)!write(e->show, buf, (size_t)n);
		if (n > 0)
			keep(e, buf, (size_t)n);
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		else
			e->fd = fb_close(e->fd);
	}
}

char *fb_evidence_text(const struct fb_evidence *e)
{
	size_t len = e->at < FB_EVIDENCE_SIZE ? e->at : FB_EVIDENCE_SIZE;
	size_t start = e->at - len, out = 0;
	char *text = malloc(len + 1), c;

	if (!text)
		return NULL;
	for (size_t i = start; i < e->at; i++) {
		c = e->buf[i % FB_EVIDENCE_SIZE];
		if (c != '\r' && c != '\0')
			text[out++] = c;
	}
	text[out] = '\0';
	return text;
}

void fb_evidence_line(const struct fb_evidence *e, const char *word, char *out,
		      size_t size)
{
	FB_FREE char *text = fb_evidence_text(e);
	char *rest = text, *line;

	out[0] = '\0';
	while (rest && (line = strsep(&rest, "\n"))) {
		if (word)
			line = strstr(line, word);
		if (!line || !line[0])
			continue;
		(void)snprintf(out, size, "%s", line);
		if (word)
			break;
	}
	for (char *c = out; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

void fb_evidence_release(struct fb_evidence *e)
{
	e->fd = fb_close(e->fd);
	e->show = fb_close(e->show);
	free(FB_TAKE_PTR(e->buf));
}
