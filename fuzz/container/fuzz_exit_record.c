/* SPDX-License-Identifier: Apache-2.0 */
/* The exit record: whatever a file holds is refused, or read as it stands. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "container/exit_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[FB_EXIT_RECORD_MAX], again[FB_EXIT_RECORD_MAX];
	struct fb_exit_record record, back;
	struct fb_err err = { 0 };
	size_t len;
	int status;

	if (fb_exit_record_parse((const char *)data, size, &record, &err) < 0)
		return 0;
	len = fb_exit_record_format(&record, text);
	if (len >= sizeof(text) ||
	    fb_exit_record_parse(text, len, &back, &err) < 0)
		abort();
	if (fb_exit_record_format(&back, again) != len ||
	    memcmp(text, again, len) != 0)
		abort();
	status = fb_exit_record_status(&record);
	if (status < 0 || status > 255)
		abort();
	(void)fb_exit_record_error(&record, &err);
	return 0;
}
