/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static struct fb_container_handle create(struct fixture *f, const char *name)
{
	struct fb_container_handle h = FB_CONTAINER_HANDLE_INIT;
	struct fb_container_new what = { .name = name, .image = "img" };
	struct fb_err err = { 0 };
	int r = fb_store_container_create(f->store, &what, &h, NULL, &err);

	TAP_INT(r, 0, "create '%s' %s", name ? name : "-", err.msg);
	return h;
}

static void touch(const struct fb_container_handle *h, const char *file)
{
	(void)fb_close(
		openat(h->dir_fd, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* State as listed; -1 where it is not */
static int state_of(struct fixture *f, const char *id)
{
	FB_CONTAINER_ENTRIES struct fb_container_entries list = { 0 };

	if (fb_store_container_list(f->store, &list, NULL) < 0)
		return -2;
	for (size_t i = 0; i < list.count; i++) {
		if (!strcmp(list.v[i].id, id))
			return (int)list.v[i].state;
	}
	return -1;
}

static void test_names(void)
{
	struct fixture f;
	struct fb_container_handle h = FB_CONTAINER_HANDLE_INIT, web;
	struct fb_container_new what = { .image = "" };
	struct fb_err err = { 0 };
	FB_FREE char *want = NULL;
	FB_FREE char *name = NULL;
	const char *bad[] = { "",  "a", "-a", "a b", "a/b", "\xc3\xa9t\xc3\xa9",
			      ".x" };

	fixture_start(&f);
	web = create(&f, "web");
	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++) {
		what.name = bad[i];
		TAP_INT(fb_store_container_create(f.store, &what, &h, NULL,
						  &err),
			-EINVAL, "%s", err.msg);
	}
	what.name = "web";
	TAP_INT(fb_store_container_create(f.store, &what, &h, NULL, &err),
		-EEXIST, "a name is taken once");
	if (asprintf(&want,
		     "Conflict. The container name \"/web\" is already in use "
		     "by container \"%s\". You have to remove (or rename) that "
		     "container to be able to reuse that name.",
		     web.id) < 0)
		abort();
	TAP_STR(err.msg, want, "with docker's words");
	TAP_INT(fixture_count(&f, "containers"), 1, "nothing is left of it");
	what.name = NULL;
	TAP_INT(fb_store_container_create(f.store, &what, &h, &name, NULL), 0,
		"make a name up");
	TAP_OK(name && strchr(name, '_') && strlen(name) > 4, "'%s'", name);
	TAP_INT(strlen(h.id), 64, "an id of 64 digits");
	fb_container_handle_release(&h);
	what.manifest = (struct fb_digest){ .set = true };
	TAP_INT(fb_store_container_create(f.store, &what, &h, NULL, &err),
		-ENOENT, "%s", err.msg);
	fb_container_handle_release(&web);
	fixture_end(&f);
}

static void test_states(void)
{
	struct fixture f;
	struct fb_container_handle h;
	char id[FB_CONTAINER_ID_LEN + 1];

	fixture_start(&f);
	h = create(&f, "c1");
	memcpy(id, h.id, sizeof(id));
	TAP_INT(state_of(&f, id), FB_CONTAINER_PREPARING, "held: preparing");
	touch(&h, FB_CONTAINER_FILE_READY);
	TAP_INT(state_of(&f, id), FB_CONTAINER_PREPARING, "ready, still held");
	h.lock_fd = fb_close(h.lock_fd);
	TAP_INT(state_of(&f, id), FB_CONTAINER_CREATED, "let go: created");
	touch(&h, FB_CONTAINER_FILE_STARTED);
	TAP_INT(state_of(&f, id), FB_CONTAINER_DEAD,
		"started and let go without a record: dead");
	touch(&h, FB_CONTAINER_FILE_EXIT);
	TAP_INT(state_of(&f, id), FB_CONTAINER_EXITED, "with one: exited");
	fb_container_handle_release(&h);
	TAP_INT(fb_store_container_open(f.store, id, true, &h, NULL), 0,
		"take it up again");
	TAP_INT(state_of(&f, id), FB_CONTAINER_RUNNING, "held: running");
	TAP_STR(fb_container_state_name(FB_CONTAINER_RUNNING), "running",
		"by name");
	touch(&h, FB_CONTAINER_FILE_PAUSED);
	TAP_INT(state_of(&f, id), FB_CONTAINER_PAUSED, "stopped: paused");
	TAP_STR(fb_container_state_name(FB_CONTAINER_PAUSED), "paused",
		"by name");
	TAP_OK(fb_container_is_up(FB_CONTAINER_PAUSED) &&
		       fb_container_is_alive(FB_CONTAINER_PAUSED) &&
		       !fb_container_is_up(FB_CONTAINER_PREPARING),
	       "which counts as running");
	fb_container_handle_release(&h);
	h = create(&f, "c2");
	h.lock_fd = fb_close(h.lock_fd);
	TAP_INT(state_of(&f, h.id), FB_CONTAINER_DEAD,
		"a client that died while it prepared");
	fb_container_handle_release(&h);
	fixture_end(&f);
}

/* The lock lives in the open file description, whoever holds that. */
static void test_lock_is_inherited(void)
{
	struct fixture f;
	struct fb_container_handle h, other = FB_CONTAINER_HANDLE_INIT;
	struct fb_err err = { 0 };
	int pipefd[2];
	pid_t pid;

	fixture_start(&f);
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		abort();
	h = create(&f, "c1");
	pid = fork();
	if (pid == 0) {
		char byte;

		(void)close(pipefd[1]);
		_exit(read(pipefd[0], &byte, 1) != 0);
	}
	(void)close(pipefd[0]);
	h.lock_fd = fb_close(h.lock_fd);
	TAP_INT(fb_store_container_open(f.store, h.id, true, &other, &err),
		-EBUSY, "%s", err.msg);
	TAP_INT(state_of(&f, h.id), FB_CONTAINER_PREPARING,
		"the child holds it although we let go");
	TAP_INT(fb_store_container_open(f.store, h.id, false, &other, NULL), 0,
		"the folder can be opened without the lock");
	fb_container_handle_release(&other);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &(int){ 0 }, 0);
	TAP_INT(state_of(&f, h.id), FB_CONTAINER_DEAD,
		"it dies with the child");
	TAP_INT(fb_store_container_open(f.store, h.id, true, &other, NULL), 0,
		"now it can be taken");
	(void)close(pipefd[1]);
	fb_container_handle_release(&h);
	fb_container_handle_release(&other);
	fixture_end(&f);
}

static void test_remove(void)
{
	struct fixture f;
	struct fb_container_handle h;
	char id[FB_CONTAINER_ID_LEN + 1];
	FB_FREE char *socket = NULL;
	FB_FREE char *path = NULL;
	int run;

	fixture_start(&f);
	h = create(&f, "c1");
	memcpy(id, h.id, sizeof(id));
	touch(&h, FB_CONTAINER_FILE_UPPER);
	run = fb_store_dir_fd(f.store, FB_STORE_DIR_RUN_CONTAINERS, NULL);
	socket = fb_store_container_socket_path(f.store, id);
	(void)fb_close(open(socket, O_CREAT | O_CLOEXEC, 0600));
	TAP_OK(faccessat(run, strrchr(socket, '/') + 1, F_OK, 0) == 0,
	       "socket path and folder agree");
	path = fb_store_container_path(f.store, id, FB_CONTAINER_FILE_UPPER);
	TAP_OK(access(path, F_OK) == 0, "so do path and handle");
	TAP_INT(fb_store_container_remove(f.store, &h, NULL), 0, "remove");
	TAP_INT(h.lock_fd, -EBADF, "the handle is released");
	TAP_INT(fixture_count(&f, "containers"), 0, "the folder is gone");
	TAP_OK(access(socket, F_OK) < 0, "and its socket");
	TAP_INT(state_of(&f, id), -1, "and its row");
	h = create(&f, "c1");
	fb_container_handle_release(&h);
	fixture_end(&f);
}

/* A removal, or a creation, that was killed half way. */
/* what it has elsewhere goes first; where that can't go, nothing is forgotten */
static void test_outside(void)
{
	char text[128], dir[] = "/tmp/fb-outside-XXXXXX", inner[64];
	struct fb_err err = { 0 };
	struct fixture f;
	struct fb_container_handle h;

	if (!mkdtemp(dir))
		abort();
	(void)snprintf(inner, sizeof(inner), "%s/group", dir);
	(void)snprintf(text, sizeof(text), "%s/gone\n%s\n", dir, inner);
	fixture_start(&f);
	h = create(&f, "c1");
	if (mkdir(inner, 0700) < 0 ||
	    fb_replace_file_at(h.dir_fd, FB_CONTAINER_FILE_OUTSIDE, text,
			       strlen(text), 0600) < 0)
		abort();
	(void)snprintf(text, sizeof(text), "%s/full", inner);
	(void)fb_close(open(text, O_CREAT | O_CLOEXEC, 0600));
	TAP_INT(fb_store_container_remove(f.store, &h, &err), -ENOTEMPTY, "%s",
		err.msg);
	TAP_OK(h.lock_fd >= 0, "the container stays");
	(void)unlink(text);
	TAP_INT(fb_store_container_remove(f.store, &h, NULL), 0, "remove");
	TAP_OK(access(inner, F_OK) < 0, "and what was outside");
	TAP_INT(rmdir(dir), 0, "but not the folder above it");
	fixture_end(&f);
}

static void test_leftovers(void)
{
	struct fixture f;
	struct fb_container_handle h, again = FB_CONTAINER_HANDLE_INIT;
	FB_CONTAINER_ENTRIES struct fb_container_entries list = { 0 };
	char id[FB_CONTAINER_ID_LEN + 1];
	FB_FREE char *stray = NULL;
	FB_FREE char *lock = NULL;
	FB_FREE char *unborn = NULL;
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	fixture_start(&f);
	h = create(&f, "c1");
	memcpy(id, h.id, sizeof(id));
	fb_container_handle_release(&h);
	stray = fb_store_container_path(f.store, id, NULL);
	(void)fb_rmtree_at(AT_FDCWD, stray);
	TAP_INT(state_of(&f, id), FB_CONTAINER_DEAD, "a row without a folder");
	id[0] = id[0] == 'a' ? 'b' : 'a';
	free(stray);
	stray = fb_store_container_path(f.store, id, NULL);
	lock = fb_path_join(stray, "lock");
	(void)mkdir(stray, 0700);
	TAP_INT(state_of(&f, id), FB_CONTAINER_DEAD,
		"a folder without row and lock");
	TAP_INT(fb_store_container_open(f.store, id, true, &again, NULL), 0,
		"can be taken");
	TAP_INT(state_of(&f, id), FB_CONTAINER_PREPARING,
		"is somebody's while it is");
	TAP_INT(fb_store_container_list(f.store, &list, NULL), 0, "list");
	for (size_t i = 0; i < list.count; i++) {
		if (!strcmp(list.v[i].id, id))
			TAP_STR(list.v[i].name, "", "it has no name");
	}
	TAP_INT(fb_store_container_remove(f.store, &again, NULL), 0,
		"and removed");
	unborn = fb_path_join(f.dir, "containers/.0123");
	(void)mkdir(unborn, 0700);
	fixture_reopen(&f);
	TAP_INT(fixture_count(&f, "containers"), 1, "an unborn one may live");
	(void)utimensat(AT_FDCWD, unborn, old, 0);
	fixture_reopen(&f);
	TAP_INT(fixture_count(&f, "containers"), 0, "but not for ever");
	fixture_end(&f);
}

static void test_find(void)
{
	struct fixture f;
	struct fb_container_handle h;
	struct fb_container_entry got = { 0 };
	struct fb_err err = { 0 };
	char prefix[2] = { 0 };
	int several = 0;

	fixture_start(&f);
	h = create(&f, "web");
	TAP_INT(fb_store_container_find(f.store, "web", &got, NULL), 0, "name");
	TAP_STR(got.id, h.id, "the right one");
	TAP_STR(got.image, "img", "with its image");
	TAP_INT(got.state, FB_CONTAINER_PREPARING, "and state");
	fb_container_entry_release(&got);
	TAP_INT(fb_store_container_find(f.store, "/web", &got, NULL), 0,
		"docker's spelling");
	fb_container_entry_release(&got);
	TAP_INT(fb_store_container_find(f.store, h.id, &got, NULL), 0, "id");
	fb_container_entry_release(&got);
	h.id[5] = '\0';
	TAP_INT(fb_store_container_find(f.store, h.id, &got, NULL), 0,
		"start of an id");
	TAP_STR(got.name, "web", "with its name");
	fb_container_entry_release(&got);
	TAP_INT(fb_store_container_find(f.store, "nope", &got, &err), -ENOENT,
		"%s", err.msg);
	TAP_INT(fb_store_container_find(f.store, "", &got, &err), -ENOENT,
		"an empty one is nobody's");
	TAP_INT(fb_store_container_find(f.store, "a%' OR 1", &got, &err),
		-ENOENT, "%s", err.msg);
	fb_container_handle_release(&h);
	/* 17 ids: two begin with the same digit */
	for (int i = 0; i < 16; i++) {
		h = create(&f, NULL);
		fb_container_handle_release(&h);
	}
	for (int i = 0; i < 16; i++) {
		prefix[0] = "0123456789abcdef"[i];
		several += fb_store_container_find(f.store, prefix, &got,
						   &err) == -ENOTUNIQ;
		fb_container_entry_release(&got);
	}
	TAP_OK(several > 0, "%s", err.msg);
	fixture_end(&f);
}

int main(void)
{
	test_names();
	test_states();
	test_lock_is_inherited();
	test_remove();
	test_outside();
	test_leftovers();
	test_find();
	return tap_done();
}
