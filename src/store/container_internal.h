/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about containers share; nobody else includes this. */
#ifndef FB_STORE_CONTAINER_INTERNAL_H
#define FB_STORE_CONTAINER_INTERNAL_H

#include <stdbool.h>

/** fb_container_id_valid() - 64 lower-case hex digits */
bool fb_container_id_valid(const char *id);

/**
 * fb_container_random_name() - Make up "adjective_surname"
 * @attempt: Over 9, a digit is put behind it, over 39, four
 *
 * Return: malloc'ed (returned); NULL out of memory.
 */
char *fb_container_random_name(unsigned int attempt);

#endif
