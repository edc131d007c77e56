/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzzer over the files of a corpus folder, one TAP line a file: every
 * input that ever mattered is a regression test of the ordinary run.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int by_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **names = NULL;
	int count =
		argc == 2 ? scandir(argv[1], &names, by_name, alphasort) : -1;
	int failed = 0;

	if (count <= 0) {
		printf("1..1\nnot ok 1 - no corpus in %s\n",
		       argc == 2 ? argv[1] : "(no folder given)");
		return 1;
	}
	printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		char path[4096];
		char *data = NULL;
		size_t len = 0;

		(void)snprintf(path, sizeof(path), "%s/%s", argv[1],
			       names[i]->d_name);
		if (fb_read_file_at(-100, path, 64u << 20, &data, &len) < 0) {
			printf("not ok %d - %s\n", i + 1, names[i]->d_name);
			failed = 1;
		} else {
			/* a copy of the exact size, so that ASan sees overruns */
			uint8_t *exact = malloc(len ? len : 1);

			if (!exact)
				abort();
			memcpy(exact, data, len);
			(void)LLVMFuzzerTestOneInput(exact, len);
			free(exact);
			printf("ok %d - %s\n", i + 1, names[i]->d_name);
			(void)fflush(stdout);
		}
		free(data);
		free(names[i]);
	}
	free(names);
	return failed;
}
