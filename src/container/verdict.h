/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to a machine that ended without an exit record. */
#ifndef FB_CONTAINER_VERDICT_H
#define FB_CONTAINER_VERDICT_H

#include "container/evidence.h"
#include "container/exit_record.h"

/**
 * fb_verdict_vmm_ended() - Judge by the VMM's status and what was printed
 * @wait_status: Of the VMM, as waitpid() gives it
 * @console:     The guest's serial console (borrowed)
 * @vmm_stderr:  The VMM's own words (borrowed)
 * @record:      Class, value, text and @oom are written
 *
 * A panic on the console is believed before the status: the VMM ends in good
 * order after one.
 */
void fb_verdict_vmm_ended(int wait_status, const struct fb_evidence *console,
			  const struct fb_evidence *vmm_stderr,
			  struct fb_exit_record *record);

#endif
