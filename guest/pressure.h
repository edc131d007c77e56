/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FB_GUEST_PRESSURE_H
#define FB_GUEST_PRESSURE_H

/**
 * fb_pressure_watch() - Be told when the machine does nothing but fetch memory
 *
 * Return: descriptor, POLLPRI is the event (once a window at most), POLLERR its
 *         end; -1 where the kernel can't tell.
 */
int fb_pressure_watch(void);

/** fb_pressure_relieve() - Have the kernel kill what takes most memory */
void fb_pressure_relieve(void);

#endif
