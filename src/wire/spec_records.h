/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spec's records.  A text is its bytes and a NUL; u32, u64 little endian.
 *
 *   ARG, ENV           text, once for each, in order
 *   CWD, USER          text
 *   TERMINAL           u16 rows, u16 columns; its presence asks for a terminal
 *   STDIN              empty
 *   RLIMIT             u64 soft, u64 hard, text name; once for each
 *   ROOT               u32 fs, text device
 *   UPPER_DEVICE       text
 *   UPPER_TMPFS        u64 bytes
 *   READ_ONLY, DISPOSABLE, INIT, DEBUG  empty
 *   HOSTNAME, HOSTS, RESOLV_CONF  text
 *   TMPFS              text path, text options; once for each
 *   NET                6 bytes MAC, 2 bytes zero, u32 MTU, text interface
 *   ADDR4              u8 prefix, u8 has gateway, 4 + 4 bytes
 *   ADDR6              u8 prefix, u8 has gateway, 16 + 16 bytes
 *   CPU                u64 quota, u64 period
 *   PIDS               u64
 *   CLOCK              u64 seconds, u32 nanoseconds
 *   SEED               64 bytes
 */
#ifndef FB_WIRE_SPEC_RECORDS_H
#define FB_WIRE_SPEC_RECORDS_H

#include "wire/spec.h"

enum fb_spec_tag {
	FB_SPEC_TAG_ARG = 1,
	FB_SPEC_TAG_ENV,
	FB_SPEC_TAG_CWD,
	FB_SPEC_TAG_USER,
	FB_SPEC_TAG_TERMINAL,
	FB_SPEC_TAG_STDIN,
	FB_SPEC_TAG_RLIMIT,
	FB_SPEC_TAG_ROOT,
	FB_SPEC_TAG_UPPER_DEVICE,
	FB_SPEC_TAG_UPPER_TMPFS,
	FB_SPEC_TAG_READ_ONLY,
	FB_SPEC_TAG_INIT,
	FB_SPEC_TAG_DEBUG,
	FB_SPEC_TAG_HOSTNAME,
	FB_SPEC_TAG_HOSTS,
	FB_SPEC_TAG_RESOLV_CONF,
	FB_SPEC_TAG_TMPFS,
	FB_SPEC_TAG_NET,
	FB_SPEC_TAG_ADDR4,
	FB_SPEC_TAG_ADDR6,
	FB_SPEC_TAG_CPU,
	FB_SPEC_TAG_PIDS,
	FB_SPEC_TAG_CLOCK,
	FB_SPEC_TAG_SEED,
	FB_SPEC_TAG_DISPOSABLE,
	FB_SPEC_TAG_END
};

#define FB_SPEC_RECORD_HEAD sizeof(struct fb_guest_spec_record)
#define FB_SPEC_HEAD sizeof(struct fb_guest_spec_head)
#define FB_SPEC_RLIMIT_FIXED 16u
#define FB_SPEC_NET_FIXED 12u

/**
 * fb_spec_check() - What both ends insist on, so that neither passes on nonsense
 *
 * Return: 0; -EINVAL; -E2BIG; with the reason.
 */
int fb_spec_check(const struct fb_guest_spec *spec, struct fb_err *err);

#endif
