/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pax records: "LENGTH KEY=VALUE\n", LENGTH counting the whole record.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/tar_internal.h"

#define SCHILY_XATTR "SCHILY.xattr."
#define LIBARCHIVE_XATTR "LIBARCHIVE.xattr."
/* a table that is never full */
#define XATTR_SLOTS (2 * FB_TAR_XATTRS_MAX)

struct record {
	const char *key;
	size_t key_len;
	const char *value;
	size_t value_len;
};

static void free_xattrs(struct tar_pax *pax)
{
	for (size_t i = 0; i < pax->xattr_count; i++) {
		free((char *)(uintptr_t)pax->xattrs[i].name);
		free((uint8_t *)(uintptr_t)pax->xattrs[i].value);
	}
	free(pax->xattrs);
	free(pax->xattr_slots);
}

void tar_pax_release(struct tar_pax *pax)
{
	free(pax->path);
	free(pax->link);
	free(pax->sparse_name);
	free_xattrs(pax);
	free(pax->extents);
	*pax = (struct tar_pax){ .sparse_major = -1, .sparse_minor = -1 };
}

static int next_record(const char **data, size_t *len, struct record *ret)
{
	const char *space = memchr(*data, ' ', *len < 20 ? *len : 20);
	const char *eq;
	uint64_t size;
	size_t digits;

	if (!space)
		return -EBADMSG;
	digits = (size_t)(space - *data);
	if (tar_decimal(*data, digits, &size) < 0 || size > *len ||
	    size < digits + 4 || (*data)[size - 1] != '\n')
		return -EBADMSG;
	eq = memchr(space + 1, '=', size - digits - 2);
	if (!eq || eq == space + 1)
		return -EBADMSG;
	*ret = (struct record){ .key = space + 1,
				.key_len = (size_t)(eq - space - 1),
				.value = eq + 1,
				.value_len =
					(size_t)(*data + size - 1 - (eq + 1)) };
	*data += size;
	*len -= size;
	return 0;
}

static bool key_is(const struct record *r, const char *key)
{
	return r->key_len == strlen(key) && !memcmp(r->key, key, r->key_len);
}

static bool key_starts(const struct record *r, const char *prefix)
{
	return r->key_len > strlen(prefix) &&
	       !memcmp(r->key, prefix, strlen(prefix));
}

static int set_text(char **to, const struct record *r)
{
	char *copy;

	if (r->value_len > FB_TAR_NAME_MAX)
		return -E2BIG;
	if (memchr(r->value, '\0', r->value_len))
		return -EBADMSG;
	copy = strndup(r->value, r->value_len);
	if (!copy)
		return -ENOMEM;
	free(*to);
	*to = copy;
	return 0;
}

/* "1700000000.5", "-3.25": fractions are cut towards minus infinity */
static int set_mtime(struct tar_pax *pax, const struct record *r)
{
	const char *dot = memchr(r->value, '.', r->value_len);
	bool negative = r->value_len > 0 && r->value[0] == '-';
	const char *digits = r->value + negative;
	size_t len = (size_t)((dot ? dot : r->value + r->value_len) - digits);
	bool fraction = false;
	uint64_t seconds;

	if (tar_decimal(digits, len, &seconds) < 0 || seconds > INT64_MAX - 1)
		return -EBADMSG;
	for (const char *p = dot ? dot + 1 : NULL;
	     p && p < r->value + r->value_len; p++) {
		if (*p < '0' || *p > '9')
			return -EBADMSG;
		fraction = fraction || *p != '0';
	}
	pax->mtime_s =
		negative ? -(int64_t)seconds - fraction : (int64_t)seconds;
	return 0;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int decode_base64(const char *text, size_t len, uint8_t *out,
			 size_t *ret_len)
{
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t n = 0;
	int v;

	while (len > 0 && text[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		v = base64_value(text[i]);
		if (v < 0)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
		}
	}
	*ret_len = n;
	return 0;
}

/* FNV-1a, stirred with an address; a header has room for 335,000 records */
static uint16_t *xattr_slot(const struct tar_pax *pax, const char *name)
{
	uint32_t at = 2166136261u ^ (uint32_t)((uintptr_t)pax >> 4);

	for (const char *p = name; *p; p++)
		at = (at ^ (uint8_t)*p) * 16777619u;
	for (at ^= at >> 15;; at++) {
		uint16_t *slot = &pax->xattr_slots[at % XATTR_SLOTS];

		if (!*slot || !strcmp(pax->xattrs[*slot - 1].name, name))
			return slot;
	}
}

/* Room for one more, and for the table. Return: 0; -ENOMEM; -E2BIG */
static int grow_xattrs(struct tar_pax *pax)
{
	struct fb_tar_xattr *grown;

	if (pax->xattr_count == FB_TAR_XATTRS_MAX)
		return -E2BIG;
	grown = reallocarray(pax->xattrs, pax->xattr_count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	pax->xattrs = grown;
	if (!pax->xattr_slots)
		pax->xattr_slots = calloc(XATTR_SLOTS, sizeof(uint16_t));
	return pax->xattr_slots ? 0 : -ENOMEM;
}

/* takes @name and @value, also on failure */
static int put_xattr(struct tar_pax *pax, char *name, uint8_t *value,
		     size_t value_len)
{
	uint16_t *slot = pax->xattr_slots ? xattr_slot(pax, name) : NULL;
	struct fb_tar_xattr *x;
	int r = slot && *slot ? 0 : grow_xattrs(pax);

	if (r < 0) {
		free(name);
		free(value);
		return r;
	}
	slot = xattr_slot(pax, name);
	if (*slot) {
		x = &pax->xattrs[*slot - 1];
		free((char *)(uintptr_t)x->name);
		free((uint8_t *)(uintptr_t)x->value);
	} else {
		x = &pax->xattrs[pax->xattr_count++];
		*slot = (uint16_t)pax->xattr_count;
	}
	*x = (struct fb_tar_xattr){ .name = name,
				    .value = value,
				    .value_len = value_len };
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* libarchive writes names as in URLs; in place, and what is no escape stays */
static void decode_percent(char *name)
{
	char *to = name;
	int value;

	for (const char *p = name; *p; p++) {
		value = *p == '%' && hex_value(p[1]) >= 0 &&
					hex_value(p[2]) >= 0
				? hex_value(p[1]) << 4 | hex_value(p[2])
				: 0;
		*to++ = value ? (char)value : *p;
		p += value ? 2 : 0;
	}
	*to = '\0';
}

static int set_xattr(struct tar_pax *pax, const struct record *r,
		     const char *prefix, bool base64)
{
	size_t name_len = r->key_len - strlen(prefix), len = r->value_len;
	const char *name_at = r->key + strlen(prefix);
	uint8_t *value;
	char *name;
	int bad = 0;

	if (name_len > (base64 ? 3 : 1) * FB_TAR_XATTR_NAME_MAX ||
	    len > (base64 ? 2 : 1) * FB_TAR_XATTR_VALUE_MAX)
		return -E2BIG;
	if (memchr(name_at, '\0', name_len))
		return -EBADMSG;
	name = strndup(name_at, name_len);
	value = malloc(len ? len : 1);
	if (name && base64)
		decode_percent(name);
	if (name && value && base64)
		bad = decode_base64(r->value, len, value, &len);
	else if (value && len)
		memcpy(value, r->value, len);
	if (bad == 0 && (!name || !value))
		bad = -ENOMEM;
	if (bad == 0 && (len > FB_TAR_XATTR_VALUE_MAX ||
			 strlen(name) > FB_TAR_XATTR_NAME_MAX))
		bad = -E2BIG;
	if (bad < 0) {
		free(name);
		free(value);
		return bad;
	}
	return put_xattr(pax, name, value, len);
}

/* "offset,length,offset,length…" */
static int set_sparse_map(struct tar_pax *pax, const struct record *r)
{
	const char *p = r->value, *end = r->value + r->value_len, *comma;
	uint64_t pair[2];
	int ret = 0;

	free(pax->extents);
	pax->extents = NULL;
	pax->extent_count = 0;
	while (p < end && ret == 0) {
		for (int i = 0; i < 2; i++) {
			comma = memchr(p, ',', (size_t)(end - p));
			if (!comma)
				comma = end;
			if (p >= end ||
			    tar_decimal(p, (size_t)(comma - p), &pair[i]) < 0)
				return -EBADMSG;
			p = comma < end ? comma + 1 : end;
		}
		ret = tar_sparse_add(&pax->extents, &pax->extent_count, pair[0],
				     pair[1]);
	}
	return ret;
}

static int set_sparse_pair(struct tar_pax *pax, const struct record *r,
			   bool offset)
{
	uint64_t value;

	if (tar_decimal(r->value, r->value_len, &value) < 0 ||
	    offset == pax->has_pending)
		return -EBADMSG;
	pax->has_pending = offset;
	if (offset) {
		pax->pending_offset = value;
		return 0;
	}
	return tar_sparse_add(&pax->extents, &pax->extent_count,
			      pax->pending_offset, value);
}

static int set_small(int *to, const struct record *r)
{
	uint64_t value;

	if (tar_decimal(r->value, r->value_len, &value) < 0 || value > 1000)
		return -EBADMSG;
	*to = (int)value;
	return 0;
}

static int apply_sparse(struct tar_pax *pax, const struct record *r)
{
	if (key_is(r, "GNU.sparse.major"))
		return set_small(&pax->sparse_major, r);
	if (key_is(r, "GNU.sparse.minor"))
		return set_small(&pax->sparse_minor, r);
	if (key_is(r, "GNU.sparse.name")) {
		pax->set |= PAX_SPARSE_NAME;
		return set_text(&pax->sparse_name, r);
	}
	if (key_is(r, "GNU.sparse.size") || key_is(r, "GNU.sparse.realsize")) {
		pax->set |= PAX_SPARSE_SIZE;
		return tar_decimal(r->value, r->value_len, &pax->sparse_size);
	}
	if (key_is(r, "GNU.sparse.map")) {
		pax->set |= PAX_SPARSE_MAP;
		return set_sparse_map(pax, r);
	}
	if (key_is(r, "GNU.sparse.offset") ||
	    key_is(r, "GNU.sparse.numbytes")) {
		pax->set |= PAX_SPARSE_MAP;
		return set_sparse_pair(pax, r, key_is(r, "GNU.sparse.offset"));
	}
	return 0;
}

static int apply(struct tar_pax *pax, const struct record *r)
{
	/* POSIX: an empty value takes the override back */
	static const struct {
		const char *key;
		unsigned int bit;
		size_t offset;
	} numbers[] = {
		{ "size", PAX_SIZE, offsetof(struct tar_pax, size) },
		{ "uid", PAX_UID, offsetof(struct tar_pax, uid) },
		{ "gid", PAX_GID, offsetof(struct tar_pax, gid) },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(numbers); i++) {
		if (!key_is(r, numbers[i].key))
			continue;
		pax->set &= ~numbers[i].bit;
		if (r->value_len == 0)
			return 0;
		pax->set |= numbers[i].bit;
		return tar_decimal(
			r->value, r->value_len,
			(uint64_t *)(void *)((char *)pax + numbers[i].offset));
	}
	if (key_is(r, "path") || key_is(r, "linkpath")) {
		bool path = key_is(r, "path");
		unsigned int bit = path ? PAX_PATH : PAX_LINK;

		pax->set &= ~bit;
		if (r->value_len == 0)
			return 0;
		pax->set |= bit;
		return set_text(path ? &pax->path : &pax->link, r);
	}
	if (key_is(r, "mtime")) {
		pax->set &= ~(unsigned int)PAX_MTIME;
		if (r->value_len == 0)
			return 0;
		pax->set |= PAX_MTIME;
		return set_mtime(pax, r);
	}
	if (key_starts(r, SCHILY_XATTR))
		return set_xattr(pax, r, SCHILY_XATTR, false);
	if (key_starts(r, LIBARCHIVE_XATTR))
		return set_xattr(pax, r, LIBARCHIVE_XATTR, true);
	if (key_starts(r, "SCHILY.acl."))
		pax->acl = true;
	return key_starts(r, "GNU.sparse.") ? apply_sparse(pax, r) : 0;
}

int tar_pax_parse(struct tar_pax *pax, const char *data, size_t len,
		  struct fb_err *err)
{
	struct record record;
	int r;

	while (len > 0) {
		r = next_record(&data, &len, &record);
		if (r < 0)
			return fb_err_set(err, r, "malformed pax record");
		r = apply(pax, &record);
		if (r < 0)
			return fb_err_set(err, r, "pax record '%.*s': %s",
					  record.key_len > 200
						  ? 200
						  : (int)record.key_len,
					  record.key,
					  r == -E2BIG	 ? "too long or too "
							   "many"
					  : r == -ENOMEM ? "out of memory"
							 : "malformed value");
	}
	if (pax->has_pending)
		return fb_err_set(err, -EBADMSG,
				  "pax sparse offset without its length");
	return 0;
}
