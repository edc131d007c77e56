/* SPDX-License-Identifier: Apache-2.0 */
/* The signals that a client takes on behalf of its container. */
#ifndef FB_CONTAINER_CLIENT_SIGNALS_H
#define FB_CONTAINER_CLIENT_SIGNALS_H

#include <stdbool.h>

/**
 * fb_client_signals_block() - From here on signals wait for the session
 *
 * All that docker's client forwards but job control's (SIGTSTP, SIGTTIN,
 * SIGTTOU): ^Z stops this client as it would any command.
 */
void fb_client_signals_block(void);

/** fb_client_signals_open() - signalfd of them. Return: descriptor (returned); negative errno */
int fb_client_signals_open(void);

/** fb_client_signal_ends() - Before the command runs, this one ends the client */
bool fb_client_signal_ends(int sig);

#endif
