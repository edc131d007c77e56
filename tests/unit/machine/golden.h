/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rendered process against its golden file: what it is given, line by line.
 * A change of it is a change of what the guest may do to the host, so it is to
 * be read: UPDATE_GOLDEN=1 writes the files anew, `git diff` shows it.
 */
#ifndef FB_TEST_GOLDEN_H
#define FB_TEST_GOLDEN_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "machine/plan.h"
#include "tap.h"

#define GOLDEN_MAX (64u << 10)

/* one argument a line, then what else it gets, each line with an '@' */
static void golden_describe(const struct fb_plan_process *p, struct fb_str *out)
{
	for (size_t i = 0; i < p->argv.count; i++)
		fb_str_printf(out, "%s\n", p->argv.v[i]);
	fb_str_printf(out, "@path %s\n", p->path);
	for (size_t i = 0; i < p->fd_count; i++)
		fb_str_printf(out, "@fd %d as %d\n", p->fds[i].from,
			      p->fds[i].to);
	for (size_t i = 0; i < p->readable.count; i++)
		fb_str_printf(out, "@readable %s\n", p->readable.v[i]);
	for (size_t i = 0; i < p->writable.count; i++)
		fb_str_printf(out, "@writable %s\n", p->writable.v[i]);
	for (size_t i = 0; i < p->sockets.count; i++)
		fb_str_printf(out, "@sockets %s\n", p->sockets.v[i]);
	for (size_t i = 0; i < p->namespace_count; i++)
		fb_str_printf(out, "@namespace %d\n", p->namespaces[i]);
	if (p->network)
		fb_str_puts(out, "@network\n");
	if (p->filter)
		fb_str_puts(out, "@filter\n");
	if (p->drop_ids)
		fb_str_printf(out, "@ids %u:%u\n", p->uid, p->gid);
}

/* the first line that differs, for whoever reads the test's output */
static void golden_difference(const char *got, const char *want)
{
	size_t line = 1, n;

	while (*got && (n = strcspn(got, "\n")) == strcspn(want, "\n") &&
	       !strncmp(got, want, n)) {
		got += n + (got[n] == '\n');
		want += n + (want[n] == '\n');
		line++;
	}
	printf("# line %zu\n# got  %.*s\n# want %.*s\n", line,
	       (int)strcspn(got, "\n"), got, (int)strcspn(want, "\n"), want);
}

static void golden_compare(const char *folder, const char *name,
			   const char *got)
{
	char path[4096];
	FB_FREE char *want = NULL;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (getenv("UPDATE_GOLDEN"))
		(void)fb_write_file_at(AT_FDCWD, path, got, strlen(got), 0644);
	if (fb_read_file_at(AT_FDCWD, path, GOLDEN_MAX, &want, NULL) < 0) {
		TAP_OK(false, "golden file '%s'", path);
		return;
	}
	if (!TAP_OK(!strcmp(got, want), "%s is rendered as before", name))
		golden_difference(got, want);
}

#endif
