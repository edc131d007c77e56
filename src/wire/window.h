/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow control of one stream of one process, both ends.
 *
 * A sender has a credit, at first FB_GUEST_WINDOW bytes, which DATA uses up
 * and WINDOW_ADD gives back.  A receiver counts what it was sent and has not yet
 * given back: more than FB_GUEST_WINDOW is a broken peer.  It gives back what it
 * handed on, not what it got, and in portions, so that a WINDOW_ADD is rare.
 */
#ifndef FB_WIRE_WINDOW_H
#define FB_WIRE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "flamebox/guest_abi.h"

/* Bytes handed on that are worth a WINDOW_ADD */
#define FB_WINDOW_PORTION (FB_GUEST_WINDOW / 4)

/**
 * struct fb_send_window - The sending end
 * @credit:  Bytes that may be sent now
 * @ended:   We sent EOF
 * @refused: The peer sent CLOSE
 */
struct fb_send_window {
	uint32_t credit;
	bool ended;
	bool refused;
};

/**
 * struct fb_recv_window - The receiving end
 * @held:   Bytes received and not given back
 * @handed: Of them, handed on and not yet worth a WINDOW_ADD
 * @ended:  The peer sent EOF
 * @refused: We sent CLOSE: what still comes is dropped
 */
struct fb_recv_window {
	uint32_t held;
	uint32_t handed;
	bool ended;
	bool refused;
};

void fb_send_window_init(struct fb_send_window *w);
void fb_recv_window_init(struct fb_recv_window *w);

/** fb_send_window_room() - Bytes that may go into the next frame; 0 = wait */
uint32_t fb_send_window_room(const struct fb_send_window *w);

/** fb_send_window_use() - @len bytes, at most _room(), go out as DATA */
void fb_send_window_use(struct fb_send_window *w, uint32_t len);

/** fb_send_window_add() - A WINDOW_ADD came. Return: 0; -EPROTO over the window */
int fb_send_window_add(struct fb_send_window *w, uint32_t len);

/** fb_send_window_close() - A CLOSE came. Return: 0; -EPROTO for a second one */
int fb_send_window_close(struct fb_send_window *w);

/**
 * fb_recv_window_got() - DATA came
 *
 * Return: 0; -EPROTO over the window or after EOF.  After our CLOSE the data is
 * to be dropped (@w->refused), but is counted all the same.
 */
int fb_recv_window_got(struct fb_recv_window *w, uint32_t len);

/**
 * fb_recv_window_handed() - @len of the received bytes were handed on
 *
 * Return: bytes for a WINDOW_ADD to send now; 0 = none yet.
 */
uint32_t fb_recv_window_handed(struct fb_recv_window *w, uint32_t len);

/** fb_recv_window_end() - EOF came. Return: 0; -EPROTO for a second one */
int fb_recv_window_end(struct fb_recv_window *w);

#endif
