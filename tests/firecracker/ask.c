/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask FOLDER METHOD PATH [BODY]: one request to the API in a machine's folder, by
 * FlameBox's own client.  Prints the answer's object; an error is one line, status 1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "machine/firecracker_api.h"

int main(int argc, char **argv)
{
	FB_FD int folder = -EBADF;
	struct fb_firecracker_request request = {
		.patience_ms = 6 * FB_FIRECRACKER_PATIENCE_MS,
	};
	struct fb_err err = { 0 };
	json_t *body = NULL;

	if (argc < 4 || argc > 5)
		return 2;
	folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	request.method = argv[2];
	request.path = argv[3];
	request.body = argv[4];
	if (folder < 0 ||
	    fb_firecracker_call(folder, &request, &body, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	if (body)
		(void)json_dumpf(body, stdout, JSON_COMPACT);
	json_decref(body);
	return 0;
}
