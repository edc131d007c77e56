/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 at random moments, and many processes at once: whatever is visible
 * afterwards is whole, and the next command cleans up the rest.
 */
#include <jansson.h>
#include <signal.h>
#include <time.h>

#include "store_fixture.h"

#define KILLS 60
#define WORKERS 6
#define ROUNDS 15

static void child_store(struct fixture *f)
{
	fb_store_close(f->store);
	f->sink.emit = NULL;
	fixture_open(f);
}

/* Enters images with random layers, moves one tag from one to the next. */
static void publish_for_ever(struct fixture *f, unsigned int seed)
{
	static const char *const names[] = { "docker.io/library/x:latest",
					     NULL };
	char text[64];

	child_store(f);
	for (unsigned int i = 0;; i++) {
		(void)snprintf(text, sizeof(text), "%u-%u", seed, i);
		(void)fixture_image(f, text, text, text, names);
	}
}

static int check_blob(void *ctx, const struct fb_digest *digest,
		      uint64_t size_bytes)
{
	struct fixture *f = ctx;
	FB_FREE char *data = NULL;
	size_t len;

	(void)size_bytes;
	return fb_store_blob_load(f->store, digest, 1000, &data, &len, NULL);
}

/* Return: images; -1 where one lacks a blob */
static int check_images(struct fixture *f)
{
	FB_IMAGE_RECORDS struct fb_image_records list = { 0 };

	if (fb_store_image_list(f->store, &list, NULL) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		if (!fb_store_blob_has(f->store, &list.v[i].manifest,
				       UINT64_MAX) ||
		    !fb_store_blob_has(f->store, &list.v[i].config, UINT64_MAX))
			return -1;
	}
	return (int)list.count;
}

/* Entries of index.json: one an image (with its one name or none) */
static int count_index(struct fixture *f)
{
	FB_FREE char *path = fb_path_join(f->dir, "oci/index.json");
	json_t *root = json_load_file(path, 0, NULL);
	int count =
		root ? (int)json_array_size(json_object_get(root, "manifests"))
		     : -1;

	json_decref(root);
	return count;
}

static void test_kill_publisher(void)
{
	struct fixture f;
	struct fb_image_removal gone = { 0 };
	int bad_blobs = 0, bad_images = 0, bad_index = 0, images = 0;

	fixture_start(&f);
	srand(1);
	for (int i = 0; i < KILLS; i++) {
		struct timespec pause = { .tv_nsec = rand() % 30000000 };
		pid_t pid = fork();

		if (pid == 0)
			publish_for_ever(&f, (unsigned int)i);
		(void)nanosleep(&pause, NULL);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, &(int){ 0 }, 0);
		f.log[0] = '\0';
		fixture_reopen(&f);
		images = check_images(&f);
		bad_images += images < 0;
		bad_index += count_index(&f) != images;
		bad_blobs +=
			fb_store_blob_list(f.store, check_blob, &f, NULL) < 0;
		if (fixture_count(&f, "tmp") || fixture_count(&f, "leases"))
			bad_blobs++;
	}
	TAP_OK(images > 0, "%d images entered by %d killed processes", images,
	       KILLS);
	TAP_INT(bad_images, 0, "every image has its blobs");
	TAP_INT(bad_blobs, 0, "every blob is whole, nothing else is left");
	TAP_INT(bad_index, 0, "index.json lists what the catalogue lists");
	TAP_INT(fb_store_collect(f.store, &gone, NULL), 0, "collect");
	TAP_INT(check_images(&f), images, "takes nothing that is needed");
	fb_image_removal_release(&gone);
	fixture_end(&f);
}

/* Publishers that share a layer, removers and a collector, all at once. */
static int work(struct fixture *f, int worker)
{
	char name[64], seed[64];
	const char *names[] = { name, NULL };
	int r = 0;

	child_store(f);
	for (int i = 0; i < ROUNDS; i++) {
		FB_IMAGE_RECORD struct fb_image_record record = { 0 };
		struct fb_image_removal gone = { 0 };
		struct fb_err err = { 0 };

		(void)snprintf(name, sizeof(name), "docker.io/library/w%d:1",
			       worker);
		(void)snprintf(seed, sizeof(seed), "%d-%d", worker, i);
		(void)fixture_image(f, seed, seed, "shared", names);
		if (worker % 3 == 0)
			r |= fb_store_collect(f->store, &gone, &err);
		if (worker % 3 == 1 && i % 2)
			r |= fb_store_image_remove(f->store, name, NULL, false,
						   &gone, &err);
		if (fb_store_image_by_name(f->store, name, &record, NULL) == 0)
			r |= !fb_store_blob_has(f->store, &record.config,
						UINT64_MAX);
		if (r)
			printf("# worker %d: %s\n", worker, err.msg);
		fb_image_removal_release(&gone);
	}
	(void)fflush(stdout);
	return r != 0;
}

static void test_many_at_once(void)
{
	struct fixture f;
	int failed = 0;
	int images;

	fixture_start(&f);
	for (int i = 0; i < WORKERS; i++) {
		if (fork() == 0)
			_exit(work(&f, i));
	}
	for (int i = 0; i < WORKERS; i++) {
		int status = 0;

		(void)wait(&status);
		failed += status != 0;
	}
	TAP_INT(failed, 0, "%d processes publish, remove and collect", WORKERS);
	fixture_reopen(&f);
	images = check_images(&f);
	TAP_OK(images > 0, "%d images, all whole", images);
	TAP_INT(count_index(&f), images, "index.json lists them");
	TAP_INT(fb_store_blob_list(f.store, check_blob, &f, NULL), 0,
		"every blob is what its name says");
	fixture_end(&f);
}

static void containers_for_ever(struct fixture *f)
{
	child_store(f);
	for (;;) {
		struct fb_container_handle h = FB_CONTAINER_HANDLE_INIT;
		struct fb_container_new what = { .image = "x" };

		if (fb_store_container_create(f->store, &what, &h, NULL, NULL) <
		    0)
			_exit(1);
		if (fb_store_container_remove(f->store, &h, NULL) < 0)
			_exit(1);
	}
}

/* Return: containers that are neither held nor dead; -1 failure */
static int reap_dead(struct fixture *f)
{
	FB_CONTAINER_ENTRIES struct fb_container_entries list = { 0 };
	int odd = 0;

	if (fb_store_container_list(f->store, &list, NULL) < 0)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		FB_CONTAINER_HANDLE struct fb_container_handle h =
			FB_CONTAINER_HANDLE_INIT;

		if (list.v[i].state != FB_CONTAINER_DEAD) {
			odd++;
			continue;
		}
		if (fb_store_container_open(f->store, list.v[i].id, true, &h,
					    NULL) < 0 ||
		    fb_store_container_remove(f->store, &h, NULL) < 0)
			return -1;
	}
	return odd;
}

static void test_kill_container_maker(void)
{
	struct fixture f;
	FB_CONTAINER_ENTRIES struct fb_container_entries list = { 0 };
	int odd = 0;

	fixture_start(&f);
	for (int i = 0; i < KILLS / 2; i++) {
		struct timespec pause = { .tv_nsec = rand() % 20000000 };
		pid_t pid = fork();

		if (pid == 0)
			containers_for_ever(&f);
		(void)nanosleep(&pause, NULL);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, &(int){ 0 }, 0);
		odd += reap_dead(&f);
	}
	TAP_INT(odd, 0, "whoever was killed left dead containers only");
	(void)fb_store_container_list(f.store, &list, NULL);
	TAP_INT(list.count, 0, "and all of them could be reaped");
	fixture_end(&f);
}

int main(void)
{
	test_kill_publisher();
	test_many_at_once();
	test_kill_container_maker();
	return tap_done();
}
