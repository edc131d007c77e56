/* SPDX-License-Identifier: Apache-2.0 */
/* A whole archive through load: tar, oci-layout, index.json, manifests. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "image/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* one store for all inputs: an input must leave no trace of itself */
static char dir[] = "/tmp/fb-fuzz-load-XXXXXX";
static struct fb_store *store;

static void remove_store(void)
{
	fb_store_close(store);
	(void)fb_rmtree_at(AT_FDCWD, dir);
}

static void make_store(void)
{
	FB_STORE_ROOTS struct fb_store_roots roots = { 0 };

	if (!mkdtemp(dir) || fb_store_roots_resolve(dir, &roots, NULL) < 0 ||
	    fb_store_open(&roots, NULL, &store, NULL) < 0 ||
	    atexit(remove_store) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FB_STRV struct fb_strv loaded = { 0 };
	struct fb_err err = { 0 };
	FB_FD int fd = memfd_create("archive", MFD_CLOEXEC);
	struct fb_image_context ctx = { 0 };
	struct fb_image_load load = { .path = "-", .fd = fd };
	int r;

	if (!store)
		make_store();
	if (fd < 0 || fb_pwrite_full(fd, data, size, 0) < 0)
		abort();
	ctx.store = store;
	r = fb_image_load(&ctx, &load, &loaded, &err);
	if (r < 0 && (!err.msg[0] || loaded.count))
		abort();
	if (r == 0 && loaded.count == 0)
		abort();
	return 0;
}
