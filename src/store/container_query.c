/* SPDX-License-Identifier: Apache-2.0 */
/* Listing and finding containers, and telling what state they are in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "store/container.h"
#include "store/container_internal.h"
#include "store/internal.h"

#define COLUMNS                                                           \
	"c.id, c.name, c.image, c.manifest, c.auto_remove, c.created_ns," \
	" (SELECT i.config FROM image i WHERE i.manifest = c.manifest)"

static const char *const state_names[] = {
	[FB_CONTAINER_PREPARING] = "created",
	[FB_CONTAINER_RUNNING] = "running",
	[FB_CONTAINER_PAUSED] = "paused",
	[FB_CONTAINER_CREATED] = "created",
	[FB_CONTAINER_EXITED] = "exited",
	[FB_CONTAINER_DEAD] = "dead",
};

_Static_assert(FB_ARRAY_SIZE(state_names) == FB_CONTAINER_DEAD + 1,
	       "every state has a name");

const char *fb_container_state_name(enum fb_container_state state)
{
	return state_names[state];
}

void fb_container_entry_release(struct fb_container_entry *entry)
{
	free(entry->name);
	free(entry->image);
	*entry = (struct fb_container_entry){ 0 };
}

void fb_container_entries_release(struct fb_container_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		fb_container_entry_release(&entries->v[i]);
	free(entries->v);
	*entries = (struct fb_container_entries){ 0 };
}

static bool has_file(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_held(int dir)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	FB_FD int fd = openat(dir, FB_CONTAINER_FILE_LOCK,
			      O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	/* asked, not taken: a listing must not make an opener fail */
	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 &&
	       lock.l_type != F_UNLCK;
}

/* The lock first: the monitor writes the record, then lets go. */
static enum fb_container_state derive_state(struct fb_store *store,
					    const char *id)
{
	FB_FD int dir = openat(store->fds[FB_STORE_DIR_CONTAINERS], id,
			       O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (dir < 0)
		return FB_CONTAINER_DEAD;
	if (is_held(dir)) {
		if (!has_file(dir, FB_CONTAINER_FILE_STARTED))
			return FB_CONTAINER_PREPARING;
		return has_file(dir, FB_CONTAINER_FILE_PAUSED)
			       ? FB_CONTAINER_PAUSED
			       : FB_CONTAINER_RUNNING;
	}
	if (has_file(dir, FB_CONTAINER_FILE_EXIT))
		return FB_CONTAINER_EXITED;
	if (has_file(dir, FB_CONTAINER_FILE_READY) &&
	    !has_file(dir, FB_CONTAINER_FILE_STARTED))
		return FB_CONTAINER_CREATED;
	return FB_CONTAINER_DEAD;
}

static int read_row(struct fb_store *store, sqlite3_stmt *row,
		    struct fb_container_entry *ret)
{
	FB_CONTAINER_ENTRY struct fb_container_entry entry = { 0 };

	(void)snprintf(entry.id, sizeof(entry.id), "%s", fb_db_text(row, 0));
	entry.name = strdup(fb_db_text(row, 1));
	entry.image = strdup(fb_db_text(row, 2));
	if (!entry.name || !entry.image)
		return -ENOMEM;
	entry.manifest = fb_db_digest(row, 3);
	entry.auto_remove = sqlite3_column_int(row, 4) != 0;
	entry.created_ns = sqlite3_column_int64(row, 5);
	entry.image_id = fb_db_digest(row, 6);
	entry.state = derive_state(store, entry.id);
	*ret = entry;
	entry = (struct fb_container_entry){ 0 };
	return 0;
}

static struct fb_container_entry *add_slot(struct fb_container_entries *list)
{
	size_t count = list->count;

	/* doubled whenever the count is a power of two */
	if ((count & (count - 1)) == 0) {
		void *v = reallocarray(list->v, count ? count * 2 : 1,
				       sizeof(*list->v));

		if (!v)
			return NULL;
		list->v = v;
	}
	list->v[count] = (struct fb_container_entry){ 0 };
	return &list->v[count];
}

static int list_rows(struct fb_store *store, struct fb_container_entries *list,
		     struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT " COLUMNS
			      " FROM container c"
			      " ORDER BY c.id",
			      "");

	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		struct fb_container_entry *slot = add_slot(list);

		r = slot ? read_row(store, stmt, slot) : -ENOMEM;
		if (r < 0)
			return fb_err_set(err, r, "list containers: %s",
					  strerror(-r));
		list->count++;
	}
	return r;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct fb_container_entry *)a)->id,
		      ((const struct fb_container_entry *)b)->id);
}

static int newest_first(const void *a, const void *b)
{
	const struct fb_container_entry *x = a, *y = b;

	if (x->created_ns != y->created_ns)
		return x->created_ns > y->created_ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

static int find_row(struct fb_store *store, const char *id,
		    struct fb_container_entry *ret, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(store, &stmt, err,
			      "SELECT " COLUMNS
			      " FROM container c"
			      " WHERE c.id=?",
			      "t", id);

	if (r == 0)
		r = fb_db_step(store, stmt, err);
	if (r <= 0)
		return r;
	r = read_row(store, stmt, ret);
	return r < 0 ? r : 1;
}

/* A folder that the rows did not know: newer than they are, or left behind. */
static int list_stranger(struct fb_store *store, const char *id,
			 struct fb_container_entries *list, struct fb_err *err)
{
	struct fb_container_entry *slot = add_slot(list);
	struct stat st;
	int r = slot ? find_row(store, id, slot, err) : -ENOMEM;

	if (r < 0)
		return fb_err_set(err, r, "list containers: %s", strerror(-r));
	if (r == 0) {
		memcpy(slot->id, id, sizeof(slot->id));
		slot->name = strdup("");
		slot->image = strdup("");
		slot->state = derive_state(store, id);
		/* nobody can ask for it by name: whatever it was, it is dead */
		if (!fb_container_is_alive(slot->state))
			slot->state = FB_CONTAINER_DEAD;
		if (fstatat(store->fds[FB_STORE_DIR_CONTAINERS], id, &st,
			    AT_SYMLINK_NOFOLLOW) < 0 ||
		    !slot->name || !slot->image) {
			/* removed while we looked */
			fb_container_entry_release(slot);
			return 0;
		}
		slot->created_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 +
				   st.st_ctim.tv_nsec;
	}
	list->count++;
	return 0;
}

static int list_strangers(struct fb_store *store,
			  struct fb_container_entries *list, struct fb_err *err)
{
	FB_DIR DIR *dir = fb_store_listdir(store, FB_STORE_DIR_CONTAINERS, err);
	struct fb_container_entry key;
	size_t known = list->count;
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		if (!fb_container_id_valid(entry->d_name))
			continue;
		memcpy(key.id, entry->d_name, sizeof(key.id));
		if (!known ||
		    !bsearch(&key, list->v, known, sizeof(*list->v), by_id))
			r = list_stranger(store, entry->d_name, list, err);
	}
	return r;
}

/* Rows read before their container was removed: not dead, just gone. */
static int drop_gone(struct fb_store *store, struct fb_container_entries *list,
		     struct fb_err *err)
{
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct fb_container_entry *entry = &list->v[i];
		struct fb_container_entry again = { 0 };

		if (r >= 0 && entry->state == FB_CONTAINER_DEAD &&
		    entry->name[0]) {
			r = find_row(store, entry->id, &again, err);
			if (r == 0) {
				fb_container_entry_release(entry);
				continue;
			}
			fb_container_entry_release(&again);
		}
		if (kept != i) {
			list->v[kept] = *entry;
			*entry = (struct fb_container_entry){ 0 };
		}
		kept++;
	}
	list->count = kept;
	return r < 0 ? r : 0;
}

int fb_store_container_list(struct fb_store *store,
			    struct fb_container_entries *ret,
			    struct fb_err *err)
{
	FB_CONTAINER_ENTRIES struct fb_container_entries list = { 0 };
	int r = fb_store_dir_fd(store, FB_STORE_DIR_CONTAINERS, err);

	if (r >= 0)
		r = fb_db(store, err);
	if (r == 0)
		r = list_rows(store, &list, err);
	if (r == 0)
		r = list_strangers(store, &list, err);
	if (r == 0)
		r = drop_gone(store, &list, err);
	if (r < 0)
		return r;
	if (list.count)
		qsort(list.v, list.count, sizeof(*list.v), newest_first);
	*ret = list;
	list = (struct fb_container_entries){ 0 };
	return 0;
}

/* docker's order: the full id, a name, the start of an id */
static int find_any(struct fb_store *store, const char *text,
		    sqlite3_stmt **ret, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *by_name = NULL;
	FB_FREE char *high = NULL;
	int r = fb_db_prepare(store, &by_name, err,
			      "SELECT " COLUMNS
			      " FROM container c"
			      " WHERE c.id=?1 OR c.name=?1"
			      " ORDER BY c.id=?1 DESC LIMIT 1",
			      "t", text);

	if (r == 0)
		r = fb_db_step(store, by_name, err);
	if (r != 0) {
		*ret = FB_TAKE_PTR(by_name);
		return r;
	}
	if (!text[0] || strspn(text, "0123456789abcdef") != strlen(text))
		return 0;
	if (asprintf(&high, "%sg", text) < 0) {
		high = NULL;
		return fb_err_set(err, -ENOMEM, "find a container");
	}
	r = fb_db_prepare(store, ret, err,
			  "SELECT " COLUMNS
			  ", count(*) FROM container c"
			  " WHERE c.id >= ?1 AND c.id < ?2",
			  "tt", text, high);
	if (r == 0)
		r = fb_db_step(store, *ret, err);
	if (r <= 0)
		return r;
	if (sqlite3_column_int(*ret, 7) > 1)
		return fb_err_set(err, -ENOTUNIQ,
				  "Multiple IDs found with provided prefix: %s",
				  text);
	return sqlite3_column_int(*ret, 7);
}

int fb_store_container_find(struct fb_store *store, const char *text,
			    struct fb_container_entry *ret, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	/* docker shows names with a slash before them, and takes them so */
	const char *plain = text[0] == '/' ? text + 1 : text;
	int r = fb_store_dir_fd(store, FB_STORE_DIR_CONTAINERS, err);

	if (r >= 0)
		r = fb_db(store, err);
	if (r == 0)
		r = find_any(store, plain, &stmt, err);
	if (r == 0)
		return fb_err_set(err, -ENOENT, "No such container: %s", text);
	if (r > 0)
		r = read_row(store, stmt, ret);
	return r == -ENOMEM ? fb_err_set(err, r, "find a container") : r;
}

int fb_store_image_user(struct fb_store *store, const struct fb_digest *id,
			bool only_running, struct fb_container_entry *ret,
			struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_store_dir_fd(store, FB_STORE_DIR_CONTAINERS, err);

	if (r >= 0)
		r = fb_db_prepare(store, &stmt, err,
				  "SELECT " COLUMNS
				  " FROM container c"
				  " JOIN image m ON m.manifest = c.manifest"
				  " WHERE m.config=? ORDER BY c.created_ns",
				  "d", id);
	while (r == 0 && (r = fb_db_step(store, stmt, err)) > 0) {
		FB_CONTAINER_ENTRY struct fb_container_entry entry = { 0 };

		r = read_row(store, stmt, &entry);
		if (r < 0)
			return fb_err_set(err, r, "find a container");
		/* what a crash left will be reaped, it needs no image */
		if (entry.state == FB_CONTAINER_DEAD ||
		    (only_running && !fb_container_is_alive(entry.state)))
			continue;
		*ret = entry;
		entry = (struct fb_container_entry){ 0 };
		return 1;
	}
	return r;
}
