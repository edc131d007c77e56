/* SPDX-License-Identifier: Apache-2.0 */
#include "container/verdict.h"

#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"

/* the kernel's ways to say that no memory was left and nobody could be killed */
static const char *const oom_panics[] = {
	"deadlocked on memory",
	"Out of memory",
	"out of memory",
};

/* Firecracker's log: its first error is the reason, those behind it follow from it */
#define ERROR_MARK ":ERROR] "

/* what it puts before a reason, layer by layer; it says nothing of the reason */
static const char *const wrappers[] = {
	"RunWithApiError error: ",
	"Failed to build MicroVM from Json: ",
	"Could not Start MicroVM from one single json: ",
	"Configuration for VMM from one single json failed: ",
};

/* Return: where the reason begins */
static const char *unwrap(const char *text)
{
	size_t i = 0;

	while (i < FB_ARRAY_SIZE(wrappers)) {
		if (strncmp(text, wrappers[i], strlen(wrappers[i]))) {
			i++;
			continue;
		}
		text += strlen(wrappers[i]);
		i = 0;
	}
	return text;
}

static void vmm_words(const struct fb_evidence *said, char *out, size_t size)
{
	const char *reason;

	fb_evidence_line(said, ERROR_MARK, out, size);
	if (!out[0]) {
		fb_evidence_line(said, NULL, out, size);
		return;
	}
	reason = unwrap(out + strlen(ERROR_MARK));
	memmove(out, reason, strlen(reason) + 1);
}

void fb_verdict_vmm_ended(int wait_status, const struct fb_evidence *console,
			  const struct fb_evidence *vmm_stderr,
			  struct fb_exit_record *record)
{
	fb_evidence_line(console, "Kernel panic", record->text,
			 sizeof(record->text));
	record->value = 0;
	if (record->text[0]) {
		record->class_ = FB_EXIT_PANIC;
		for (size_t i = 0; i < FB_ARRAY_SIZE(oom_panics); i++)
			if (strstr(record->text, oom_panics[i]))
				record->oom = true;
		return;
	}
	vmm_words(vmm_stderr, record->text, sizeof(record->text));
	if (WIFSIGNALED(wait_status)) {
		record->class_ = FB_EXIT_VMM_KILLED;
		record->value = (uint32_t)WTERMSIG(wait_status);
	} else {
		record->class_ = FB_EXIT_VMM_EXITED;
		record->value = (uint32_t)WEXITSTATUS(wait_status);
	}
}
