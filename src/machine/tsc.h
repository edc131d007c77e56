/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rate of the host's time stamp counter.
 *
 * QEMU's software emulation gives the guest the host's counter as it is, but no
 * way to learn its rate that a busy host would not spoil: a guest kernel that
 * calibrates it against an emulated timer fails as a rule, keeps time by counting
 * ticks of 4 ms, and falls behind.  So it is told.
 */
#ifndef FB_MACHINE_TSC_H
#define FB_MACHINE_TSC_H

#include <stdint.h>

/**
 * fb_tsc_khz() - Rate of the host's counter
 * @cache_dir_fd: Folder of the file "tsc", which remembers it for this boot
 *                (borrowed), or a negative number: measure
 *
 * Measuring takes 30 ms and is right to a few millionths.
 *
 * Return: kHz; 0 where the counter's rate is not constant.
 */
uint32_t fb_tsc_khz(int cache_dir_fd);

/**
 * fb_tsc_parse() - Read the remembered rate
 * @text: "BOOT_ID KHZ\n" (borrowed), any bytes
 * @boot: This boot's id
 *
 * Return: kHz; 0 where the text is another boot's or malformed.
 */
uint32_t fb_tsc_parse(const char *text, const char *boot);

#endif
