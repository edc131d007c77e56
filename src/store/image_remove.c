/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing names and images, by docker's rules.
 *
 * By name: the name goes; with the last tag of a repository its digest names go
 * too; with the last name, the image.  An image's only name is kept while any
 * container uses it, unless forced.  By id: only an image with at most one tag,
 * unless forced; never one that a running container uses.
 *
 * The gate is held exclusively from before the transaction until the files are
 * gone, so that nobody publishes what is being deleted.
 */
#include <errno.h>
#include <string.h>

#include "oci/reference.h"
#include "store/container.h"
#include "store/internal.h"

/* docker shows twelve digits */
#define SHORT_ID 12

/* The image id at work, and the names that lead to it (of all its manifests) */
struct removal {
	struct fb_store *store;
	struct fb_digest id;
	char id_hex[FB_DIGEST_TEXT_MAX];
	struct fb_strv names;
	bool force;
	struct fb_image_removal *ret;
};

void fb_image_removal_release(struct fb_image_removal *removal)
{
	fb_strv_release(&removal->untagged);
	fb_strv_release(&removal->deleted);
	*removal = (struct fb_image_removal){ 0 };
}

static bool is_digest_name(const char *name)
{
	return strchr(name, '@') != NULL;
}

/* Bytes of a canonical name before its tag or digest; a port has a '/' after it */
static size_t repository_len(const char *name)
{
	const char *at = strchr(name, '@');
	size_t len = at ? (size_t)(at - name) : strlen(name);

	if (at)
		return len;
	for (size_t i = len; i > 0 && name[i - 1] != '/'; i--) {
		if (name[i - 1] == ':')
			return i - 1;
	}
	return len;
}

static bool same_repository(const char *a, const char *b)
{
	size_t len = repository_len(a);

	return len == repository_len(b) && memcmp(a, b, len) == 0;
}

/* At most one tag, and all digest names in its repository */
static bool is_single_reference(const struct fb_strv *names)
{
	const char *tag = NULL;

	if (names->count <= 1)
		return true;
	for (size_t i = 0; i < names->count; i++) {
		if (is_digest_name(names->v[i]))
			continue;
		if (tag)
			return false;
		tag = names->v[i];
	}
	for (size_t i = 0; tag && i < names->count; i++) {
		if (!same_repository(tag, names->v[i]))
			return false;
	}
	return tag != NULL;
}

static int load_names(struct removal *rm, struct fb_err *err)
{
	fb_strv_release(&rm->names);
	return fb_db_list(rm->store, &rm->names, err,
			  "SELECT n.name FROM name n"
			  " JOIN image i ON i.seq = n.image WHERE i.config=?"
			  " ORDER BY n.is_digest, n.name",
			  "d", &rm->id);
}

static int drop_name(struct removal *rm, const char *name, struct fb_err *err)
{
	int r = fb_db_run(rm->store, err, "DELETE FROM name WHERE name=?", "t",
			  name);

	return r < 0 ? r : fb_strv_add(&rm->ret->untagged, name);
}

static int drop_all_names(struct removal *rm, struct fb_err *err)
{
	int r = load_names(rm, err);

	for (size_t i = 0; r == 0 && i < rm->names.count; i++)
		r = drop_name(rm, rm->names.v[i], err);
	if (r == 0)
		fb_strv_release(&rm->names);
	return r;
}

static int refuse_name(struct removal *rm, const char *name,
		       const struct fb_container_entry *user,
		       struct fb_err *err)
{
	char text[FB_REFERENCE_TEXT_MAX];
	struct fb_reference ref;

	/* the user's form of it, where it has one */
	if (fb_reference_parse(name, &ref, NULL) == 0)
		name = fb_reference_familiar(&ref, text);
	return fb_err_hint(
		err,
		fb_err_set(err, -EBUSY,
			   "conflict: unable to remove repository reference "
			   "\"%s\" (must force) - container %.*s is using its "
			   "referenced image %.*s",
			   name, SHORT_ID, user->id, SHORT_ID, rm->id_hex),
		"remove the container '%s' first, or use --force", user->name);
}

static int refuse_id(struct removal *rm, bool hard, const char *why,
		     const struct fb_container_entry *user, struct fb_err *err)
{
	int r = fb_err_set(err, -EBUSY,
			   "conflict: unable to delete %.*s (%s be forced) - %s"
			   "%.*s",
			   SHORT_ID, rm->id_hex, hard ? "cannot" : "must", why,
			   SHORT_ID, user ? user->id : "");

	if (user)
		return fb_err_hint(err, r, "remove the container '%s' first",
				   user->name);
	return fb_err_hint(err, r,
			   "remove its names one by one, or use "
			   "--force");
}

/* Return: 0 it may go; -EBUSY with docker's reason */
static int check_conflicts(struct removal *rm, bool soft, bool names,
			   struct fb_err *err)
{
	FB_CONTAINER_ENTRY struct fb_container_entry user = { 0 };
	int r = fb_store_image_user(rm->store, &rm->id, true, &user, err);

	if (r > 0)
		return refuse_id(rm, true,
				 "image is being used by running container ",
				 &user, err);
	if (r < 0 || !soft)
		return r;
	if (names && rm->names.count)
		return refuse_id(rm, false,
				 "image is referenced in multiple repositories",
				 NULL, err);
	r = fb_store_image_user(rm->store, &rm->id, false, &user, err);
	if (r > 0)
		return refuse_id(rm, false,
				 "image is being used by stopped container ",
				 &user, err);
	return r;
}

/* Return: 1 the image has no name left and may go; 0 it stays; negative errno */
static int remove_by_name(struct removal *rm, const char *name,
			  struct fb_err *err)
{
	FB_CONTAINER_ENTRY struct fb_container_entry user = { 0 };
	bool tag_left = false;
	int r = load_names(rm, err);

	if (r == 0 && !rm->force && is_single_reference(&rm->names)) {
		r = fb_store_image_user(rm->store, &rm->id, false, &user, err);
		if (r > 0)
			return refuse_name(rm, name, &user, err);
	}
	if (r == 0)
		r = drop_name(rm, name, err);
	if (r == 0)
		r = load_names(rm, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < rm->names.count; i++)
		tag_left |= !is_digest_name(rm->names.v[i]) &&
			    same_repository(name, rm->names.v[i]);
	for (size_t i = 0; !tag_left && !is_digest_name(name) && r == 0 &&
			   i < rm->names.count;
	     i++) {
		if (same_repository(name, rm->names.v[i]))
			r = drop_name(rm, rm->names.v[i], err);
	}
	if (r == 0)
		r = load_names(rm, err);
	if (r < 0)
		return r;
	if (rm->names.count)
		return 0;
	/* without a name left it goes, unless someone still runs it */
	r = check_conflicts(rm, !rm->force, false, NULL);
	return r == 0 ? 1 : r == -EBUSY ? 0 : r;
}

static int remove_by_id(struct removal *rm, struct fb_err *err)
{
	int r = load_names(rm, err);

	if (r == 0)
		r = check_conflicts(rm, !rm->force,
				    !is_single_reference(&rm->names), err);
	if (r == 0)
		r = drop_all_names(rm, err);
	return r < 0 ? r : 1;
}

/* The blobs that only this image needs, before its rows go */
static int own_blobs(struct removal *rm, struct fb_digest_set *set,
		     struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	int r = fb_db_prepare(
		rm->store, &stmt, err,
		"SELECT DISTINCT b.digest FROM image_blob b"
		" JOIN image i ON i.seq = b.image WHERE i.config=?1"
		" AND NOT EXISTS (SELECT 1 FROM image_blob o"
		"  JOIN image j ON j.seq = o.image"
		"  WHERE o.digest = b.digest AND j.config <> ?1)",
		"d", &rm->id);

	while (r == 0 && (r = fb_db_step(rm->store, stmt, err)) > 0) {
		struct fb_digest digest = fb_db_digest(stmt, 0);

		r = digest.set ? fb_digest_set_add(set, &digest) : 0;
	}
	return r;
}

static int drop_image(struct removal *rm, struct fb_digest_set *blobs,
		      struct fb_err *err)
{
	int r = own_blobs(rm, blobs, err);

	if (r == 0)
		r = fb_db_run(rm->store, err,
			      "DELETE FROM image WHERE config=?", "d", &rm->id);
	return r < 0 ? r : 0;
}

static int find_id(struct removal *rm, const char *name,
		   const struct fb_digest *id, struct fb_err *err)
{
	FB_STMT sqlite3_stmt *stmt = NULL;
	char text[FB_DIGEST_TEXT_MAX];
	int r;

	r = name ? fb_db_prepare(rm->store, &stmt, err,
				 "SELECT i.config FROM image i JOIN name n"
				 " ON n.image = i.seq WHERE n.name=?",
				 "t", name)
		 : fb_db_prepare(rm->store, &stmt, err,
				 "SELECT config FROM image WHERE config=?", "d",
				 id);
	if (r == 0)
		r = fb_db_step(rm->store, stmt, err);
	if (r == 0)
		r = fb_err_set(err, -ENOENT, "no image '%s'",
			       name ? name : fb_digest_format(id, text));
	if (r < 0)
		return r;
	rm->id = fb_db_digest(stmt, 0);
	(void)fb_digest_hex(&rm->id, rm->id_hex);
	return 0;
}

static int remove_rows(struct removal *rm, const char *name,
		       const struct fb_digest *id, struct fb_digest_set *blobs,
		       struct fb_err *err)
{
	FB_DB_TX struct fb_db_tx tx = { 0 };
	int r = fb_db_begin(rm->store, true, &tx, err);

	if (r == 0)
		r = find_id(rm, name, id, err);
	if (r == 0)
		r = name ? remove_by_name(rm, name, err)
			 : remove_by_id(rm, err);
	if (r > 0)
		r = drop_image(rm, blobs, err);
	if (r == 0)
		r = fb_store_index_bump(rm->store, err);
	return r < 0 ? r : fb_db_commit(&tx, err);
}

/* Rows only; what was noted of them is taken back where it comes to nothing. */
static int try_remove_rows(struct removal *rm, const char *name,
			   const struct fb_digest *id,
			   struct fb_digest_set *blobs, struct fb_err *err)
{
	struct fb_strv *untagged = &rm->ret->untagged;
	size_t before = untagged->count;
	int r = remove_rows(rm, name, id, blobs, err);

	fb_strv_release(&rm->names);
	while (r < 0 && untagged->count > before) {
		untagged->count--;
		free(untagged->v[untagged->count]);
		untagged->v[untagged->count] = NULL;
	}
	if (r < 0)
		blobs->count = 0;
	return r;
}

int fb_store_image_remove(struct fb_store *store, const char *name,
			  const struct fb_digest *id, bool force,
			  struct fb_image_removal *ret, struct fb_err *err)
{
	FB_DIGEST_SET struct fb_digest_set blobs = { 0 };
	FB_FD int gate = fb_store_gate_collect(store, err);
	struct removal rm = { .store = store, .force = force, .ret = ret };
	struct fb_err first = { 0 };
	int r = 0;

	if (gate < 0)
		return gate;
	r = try_remove_rows(&rm, name, id, &blobs, &first);
	if (r == -ENOSPC && fb_store_reserve_release(store)) {
		first = (struct fb_err){ 0 };
		r = try_remove_rows(&rm, name, id, &blobs, &first);
	}
	if (r < 0) {
		if (err)
			*err = first;
		return r;
	}
	fb_digest_set_seal(&blobs);
	/* the image is gone; what cannot be deleted now, a collection will */
	r = fb_store_delete_blobs(store, &blobs, ret, err);
	if (r == 0)
		r = fb_store_delete_rootfs(store, ret, err);
	gate = fb_close(gate);
	fb_store_index_catch_up(store);
	fb_store_reserve_take(store);
	return r;
}
