/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/window.h"

#include <errno.h>

void fb_send_window_init(struct fb_send_window *w)
{
	*w = (struct fb_send_window){ .credit = FB_GUEST_WINDOW };
}

void fb_recv_window_init(struct fb_recv_window *w)
{
	*w = (struct fb_recv_window){ 0 };
}

uint32_t fb_send_window_room(const struct fb_send_window *w)
{
	if (w->ended || w->refused)
		return 0;
	return w->credit < FB_GUEST_FRAME_MAX ? w->credit : FB_GUEST_FRAME_MAX;
}

void fb_send_window_use(struct fb_send_window *w, uint32_t len)
{
	w->credit -= len < w->credit ? len : w->credit;
}

int fb_send_window_add(struct fb_send_window *w, uint32_t len)
{
	if (len > FB_GUEST_WINDOW - w->credit)
		return -EPROTO;
	w->credit += len;
	return 0;
}

int fb_send_window_close(struct fb_send_window *w)
{
	if (w->refused)
		return -EPROTO;
	w->refused = true;
	return 0;
}

int fb_recv_window_got(struct fb_recv_window *w, uint32_t len)
{
	if (w->ended || len > FB_GUEST_WINDOW - w->held)
		return -EPROTO;
	w->held += len;
	return 0;
}

uint32_t fb_recv_window_handed(struct fb_recv_window *w, uint32_t len)
{
	uint32_t back;

	w->handed += len;
	/* after the end there is nobody to give it to */
	if (w->handed < FB_WINDOW_PORTION || w->ended || w->refused)
		return 0;
	back = w->handed;
	w->handed = 0;
	w->held -= back;
	return back;
}

int fb_recv_window_end(struct fb_recv_window *w)
{
	if (w->ended)
		return -EPROTO;
	w->ended = true;
	return 0;
}
