/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  fb_tar_next() skips what is left of the last body, then
 * reads header blocks until one is an entry: pax and long-name headers fill
 * tar->pax, which overrides the fields of the entry that follows and is emptied
 * before the next.  The body is handed out by tar_body.c.
 */
#include "archive/tar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/tar_internal.h"
#include "base/cleanup.h"

#define ID_MAX 4294967294ull /* 2^32−2: −1 means "no change" to chown */
#define SIZE_BYTES_MAX ((uint64_t)INT64_MAX - TAR_BLOCK)

int tar_read_exact(struct fb_tar *tar, void *buf, size_t len,
		   struct fb_err *err)
{
	ssize_t n = fb_source_read_full(tar->source, buf, len, err);

	if (n < 0)
		return (int)n;
	tar->pos += (uint64_t)n;
	if ((size_t)n < len)
		return fb_err_set(err, -EBADMSG, "archive is cut short");
	return 0;
}

/* Return: bytes that were passed over; 0 at the end; negative errno */
static int64_t skip_some(struct fb_tar *tar, uint64_t len, struct fb_err *err)
{
	const uint8_t *data;

	if (fb_source_can_skip(tar->source))
		return fb_source_skip(tar->source, len, err);
	return fb_source_view(tar->source, tar->buf,
			      len < sizeof(tar->buf) ? (size_t)len
						     : sizeof(tar->buf),
			      &data, err);
}

static int skip(struct fb_tar *tar, uint64_t len, struct fb_err *err)
{
	int64_t n;

	while (len > 0) {
		n = skip_some(tar, len, err);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return fb_err_set(err, -EBADMSG,
					  "archive is cut short");
		tar->pos += (uint64_t)n;
		len -= (uint64_t)n;
	}
	return 0;
}

static bool is_zero(const uint8_t *block)
{
	for (unsigned int i = 0; i < TAR_BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

/* Return: 1 a header stands in tar->block; 0 the end; negative errno */
static int read_header(struct fb_tar *tar, struct fb_err *err)
{
	ssize_t n =
		fb_source_read_full(tar->source, tar->block, TAR_BLOCK, err);

	if (n < 0)
		return (int)n;
	tar->pos += (uint64_t)n;
	if (n == 0)
		return 0;
	if ((size_t)n < TAR_BLOCK)
		return fb_err_set(err, -EBADMSG, "archive is cut short");
	if (is_zero(tar->block)) {
		/* the marker is two such blocks; one, or one and the end, will do */
		n = fb_source_read_full(tar->source, tar->block, TAR_BLOCK,
					err);
		if (n < 0)
			return (int)n;
		tar->pos += (uint64_t)n;
		if ((size_t)n < TAR_BLOCK || is_zero(tar->block))
			return 0;
		return fb_err_set(err, -EBADMSG,
				  "not a tar archive: data after a zero block");
	}
	if (!tar_checksum_ok(tar->block))
		return fb_err_set(err, -EBADMSG,
				  tar->entry_count ? "damaged tar header"
						   : "not a tar archive");
	return 1;
}

/* what the header block itself says */
static int block_size(const struct fb_tar *tar, uint64_t *ret,
		      struct fb_err *err)
{
	int64_t size;

	if (tar_number(tar->block + TAR_SIZE, 12, &size) < 0 || size < 0)
		return fb_err_set(err, -EBADMSG, "malformed size");
	if ((uint64_t)size > SIZE_BYTES_MAX)
		return fb_err_set(err, -EBADMSG, "size is out of range");
	*ret = (uint64_t)size;
	return 0;
}

/* the same, overridden by pax */
static int header_size(const struct fb_tar *tar, uint64_t *ret,
		       struct fb_err *err)
{
	if (!(tar->pax.set & PAX_SIZE))
		return block_size(tar, ret, err);
	if (tar->pax.size > SIZE_BYTES_MAX)
		return fb_err_set(err, -EBADMSG, "size is out of range");
	*ret = tar->pax.size;
	return 0;
}

static uint32_t padding_of(uint64_t size)
{
	return (uint32_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

/* the body of an 'x', 'L' or 'K' header, NUL-terminated */
static int read_records(struct fb_tar *tar, char **ret, size_t *ret_len,
			struct fb_err *err)
{
	FB_FREE char *data = NULL;
	uint64_t size;
	int r = block_size(tar, &size, err);

	if (r < 0)
		return r;
	if (size > FB_TAR_RECORDS_MAX)
		return fb_err_set(err, -E2BIG,
				  "extended header of over %u bytes",
				  FB_TAR_RECORDS_MAX);
	data = malloc((size_t)size + 1);
	if (!data)
		return fb_err_set(err, -ENOMEM, "read extended header: %m");
	r = tar_read_exact(tar, data, (size_t)size, err);
	if (r == 0)
		r = skip(tar, padding_of(size), err);
	if (r < 0)
		return r;
	data[size] = '\0';
	*ret_len = (size_t)size;
	*ret = FB_TAKE_PTR(data);
	return 0;
}

static int read_long_name(struct fb_tar *tar, char **name, struct fb_err *err)
{
	FB_FREE char *data = NULL;
	size_t len;
	int r = read_records(tar, &data, &len, err);

	if (r < 0)
		return r;
	/* GNU tar counts the NUL in */
	if (strlen(data) > FB_TAR_NAME_MAX)
		return fb_err_set(err, -E2BIG, "name of over %u bytes",
				  FB_TAR_NAME_MAX);
	free(*name);
	*name = FB_TAKE_PTR(data);
	return 0;
}

/* a second pax header replaces the first; GNU's long names stay */
static int read_pax(struct fb_tar *tar, struct fb_err *err)
{
	FB_FREE char *data = NULL;
	size_t len;
	int r = read_records(tar, &data, &len, err);

	if (r < 0)
		return r;
	tar_pax_release(&tar->pax);
	return tar_pax_parse(&tar->pax, data, len, err);
}

/* Return: 1 the block was an extension and is used up; 0 it is an entry */
static int read_extension(struct fb_tar *tar, struct fb_err *err)
{
	uint64_t size;
	int r;

	switch (tar->block[TAR_TYPEFLAG]) {
	case 'x':
	case 'X': /* Solaris' */
		r = read_pax(tar, err);
		break;
	case 'L':
		r = read_long_name(tar, &tar->gnu_name, err);
		break;
	case 'K':
		r = read_long_name(tar, &tar->gnu_link, err);
		break;
	case 'g':
		r = block_size(tar, &size, err);
		if (r == 0)
			r = skip(tar, size + padding_of(size), err);
		break;
	default:
		return 0;
	}
	tar->extended = true;
	return r < 0 ? r : 1;
}

/* room of the prefix field: ustar's 155 bytes, star's 131, GNU has none */
static size_t prefix_room(const uint8_t *block)
{
	if (memcmp(block + TAR_MAGIC, "ustar\0", 6) != 0)
		return 0;
	return memcmp(block + TAR_STAR_TRAILER, "tar\0", 4) ? 155 : 131;
}

static int header_name(struct fb_tar *tar, struct fb_err *err)
{
	const uint8_t *b = tar->block;
	size_t name = strnlen((const char *)b + TAR_NAME, 100);
	size_t prefix = strnlen((const char *)b + TAR_PREFIX, prefix_room(b));

	free(tar->name);
	if (tar->pax.set & PAX_SPARSE_NAME)
		tar->name = FB_TAKE_PTR(tar->pax.sparse_name);
	else if (tar->gnu_name && tar->gnu_name[0])
		tar->name = FB_TAKE_PTR(tar->gnu_name);
	else if (tar->pax.set & PAX_PATH)
		tar->name = FB_TAKE_PTR(tar->pax.path);
	else if (asprintf(&tar->name, "%.*s%s%.*s", (int)prefix,
			  (const char *)b + TAR_PREFIX, prefix ? "/" : "",
			  (int)name, (const char *)b + TAR_NAME) < 0)
		tar->name = NULL;
	if (!tar->name)
		return fb_err_set(err, -ENOMEM, "read a name: %m");
	tar->entry.name = tar->name;
	tar->entry.name_len = strlen(tar->name);
	return 0;
}

static int header_link(struct fb_tar *tar, struct fb_err *err)
{
	const char *field = (const char *)tar->block + TAR_LINKNAME;

	free(tar->link);
	if (tar->gnu_link && tar->gnu_link[0])
		tar->link = FB_TAKE_PTR(tar->gnu_link);
	else if (tar->pax.set & PAX_LINK)
		tar->link = FB_TAKE_PTR(tar->pax.link);
	else
		tar->link = strndup(field, 100);
	if (!tar->link)
		return fb_err_set(err, -ENOMEM, "read a link: %m");
	tar->entry.link = tar->link;
	tar->entry.link_len = strlen(tar->link);
	return 0;
}

static int header_type(struct fb_tar_entry *e, struct fb_err *err)
{
	static const struct {
		char flag;
		enum fb_tar_type type;
	} types[] = {
		{ '\0', FB_TAR_FILE }, { '0', FB_TAR_FILE },
		{ '7', FB_TAR_FILE },  { 'S', FB_TAR_FILE },
		{ '1', FB_TAR_LINK },  { '2', FB_TAR_SYMLINK },
		{ '3', FB_TAR_CHAR },  { '4', FB_TAR_BLOCK },
		{ '5', FB_TAR_DIR },   { '6', FB_TAR_FIFO },
		{ 'D', FB_TAR_DIR }, /* GNU's, its body lists the folder */
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(types); i++) {
		if (e->typeflag != types[i].flag)
			continue;
		e->type = types[i].type;
		/* v7 has no type for folders but a slash at the name's end */
		if (e->typeflag == '\0' && e->name_len > 0 &&
		    e->name[e->name_len - 1] == '/')
			e->type = FB_TAR_DIR;
		return 0;
	}
	if (e->typeflag >= 'A' && e->typeflag <= 'Z') {
		e->type = FB_TAR_SKIPPED;
		return 0;
	}
	return fb_err_set(err, -EBADMSG, "unknown entry type 0x%02x",
			  (unsigned int)(unsigned char)e->typeflag);
}

static int header_id(const struct fb_tar *tar, size_t field, unsigned int bit,
		     uint64_t from_pax, uint32_t *ret, struct fb_err *err)
{
	int64_t id = 0;

	if (!(tar->pax.set & bit) &&
	    (tar_number(tar->block + field, 8, &id) < 0 || id < 0))
		return fb_err_set(err, -EBADMSG, "malformed user or group id");
	if (tar->pax.set & bit)
		id = from_pax > ID_MAX ? -1 : (int64_t)from_pax;
	if (id < 0 || (uint64_t)id > ID_MAX)
		return fb_err_set(err, -EBADMSG,
				  "user or group id is out of range");
	*ret = (uint32_t)id;
	return 0;
}

static int header_numbers(struct fb_tar *tar, struct fb_err *err)
{
	const uint8_t *b = tar->block;
	struct fb_tar_entry *e = &tar->entry;
	int64_t mode, mtime, major = 0, minor = 0;
	int r;

	if (tar_number(b + TAR_MODE, 8, &mode) < 0 || mode < 0)
		return fb_err_set(err, -EBADMSG, "malformed mode");
	e->mode = (uint32_t)mode & 07777;
	r = header_id(tar, TAR_UID, PAX_UID, tar->pax.uid, &e->uid, err);
	if (r == 0)
		r = header_id(tar, TAR_GID, PAX_GID, tar->pax.gid, &e->gid,
			      err);
	if (r < 0)
		return r;
	if (tar->pax.set & PAX_MTIME)
		e->mtime_s = tar->pax.mtime_s;
	else if (tar_number(b + TAR_MTIME, 12, &mtime) < 0)
		return fb_err_set(err, -EBADMSG, "malformed time");
	else
		e->mtime_s = mtime;
	if (e->type == FB_TAR_CHAR || e->type == FB_TAR_BLOCK) {
		if (tar_number(b + TAR_DEVMAJOR, 8, &major) < 0 ||
		    tar_number(b + TAR_DEVMINOR, 8, &minor) < 0 || major < 0 ||
		    minor < 0 || major > UINT32_MAX || minor > UINT32_MAX)
			return fb_err_set(err, -EBADMSG,
					  "malformed device number");
		e->dev_major = (uint32_t)major;
		e->dev_minor = (uint32_t)minor;
	}
	return 0;
}

static int prepare_sparse(struct fb_tar *tar, struct fb_err *err)
{
	struct tar_pax *pax = &tar->pax;
	int r = 0;

	if (tar->entry.typeflag == 'S') {
		r = tar_sparse_gnu(tar, err);
	} else if (pax->sparse_major == 1 && pax->sparse_minor == 0) {
		tar->entry.size_bytes = pax->sparse_size;
		r = tar_sparse_pax1(tar, err);
	} else if (pax->set & PAX_SPARSE_MAP) {
		tar->entry.size_bytes = pax->sparse_size;
		tar->extents = FB_TAKE_PTR(pax->extents);
		tar->extent_count = pax->extent_count;
		pax->extent_count = 0;
	} else {
		return 0;
	}
	if (r == 0 && tar->entry.size_bytes > SIZE_BYTES_MAX)
		r = fb_err_set(err, -EBADMSG, "size is out of range");
	return r < 0 ? r : tar_sparse_check(tar, err);
}

static int prepare_body(struct fb_tar *tar, struct fb_err *err)
{
	struct fb_tar_entry *e = &tar->entry;
	uint64_t size;
	int r = header_size(tar, &size, err);

	if (r < 0)
		return r;
	if (e->type != FB_TAR_FILE && e->type != FB_TAR_SKIPPED &&
	    e->typeflag != 'D')
		size = 0;
	e->stored_bytes = size;
	e->size_bytes = e->type == FB_TAR_FILE ? size : 0;
	tar->body_left = size;
	tar->padding = padding_of(size);
	r = e->type == FB_TAR_FILE ? prepare_sparse(tar, err) : 0;
	e->body_offset = tar->pos;
	return r;
}

static int parse_entry(struct fb_tar *tar, struct fb_err *err)
{
	struct fb_tar_entry *e = &tar->entry;
	int r;

	e->typeflag = (char)tar->block[TAR_TYPEFLAG];
	if ((r = header_name(tar, err)) < 0 || (r = header_link(tar, err)) < 0)
		return r;
	if ((r = header_type(e, err)) < 0 ||
	    (r = header_numbers(tar, err)) < 0 ||
	    (r = prepare_body(tar, err)) < 0)
		return fb_err_wrap(err, r, "entry '%.200s'", e->name);
	e->xattrs = tar->pax.xattrs;
	e->xattr_count = tar->pax.xattr_count;
	e->acl = tar->pax.acl;
	return 0;
}

/*
 * The last body's padding may be missing with the end marker: `umoci insert`
 * writes such layers, and Go's reader takes them.
 */
static int skip_padding(struct fb_tar *tar, struct fb_err *err)
{
	ssize_t n =
		fb_source_read_full(tar->source, tar->buf, tar->padding, err);

	if (n < 0)
		return (int)n;
	tar->pos += (uint64_t)n;
	return 0;
}

static void forget_names(struct fb_tar *tar)
{
	free(tar->gnu_name);
	free(tar->gnu_link);
	tar->gnu_name = NULL;
	tar->gnu_link = NULL;
	tar->extended = false;
}

static int leave_entry(struct fb_tar *tar, struct fb_err *err)
{
	int r = skip(tar, tar->body_left, err);

	if (r == 0 && tar->padding)
		r = skip_padding(tar, err);
	if (r < 0)
		return tar->name ? fb_err_wrap(err, r, "entry '%.200s'",
					       tar->name)
				 : r;
	forget_names(tar);
	tar->body_left = 0;
	tar->padding = 0;
	tar_pax_release(&tar->pax);
	free(tar->extents);
	tar->extents = NULL;
	tar->extent_count = 0;
	tar->extent_next = 0;
	tar->extent_pos = 0;
	tar->file_pos = 0;
	tar->entry = (struct fb_tar_entry){ 0 };
	return 0;
}

int fb_tar_next(struct fb_tar *tar, struct fb_tar_entry *ret,
		struct fb_err *err)
{
	int r;

	if (tar->ended)
		return 0;
	r = leave_entry(tar, err);
	if (r < 0)
		return r;
	do {
		r = read_header(tar, err);
		if (r <= 0) {
			tar->ended = r == 0;
			if (r == 0 && tar->extended)
				return fb_err_set(err, -EBADMSG,
						  "archive is cut short after "
						  "an extended header");
			return r;
		}
		r = read_extension(tar, err);
	} while (r > 0);
	if (r == 0)
		r = parse_entry(tar, err);
	if (r < 0)
		return r;
	tar->entry_count++;
	*ret = tar->entry;
	return 1;
}

int fb_tar_drain(struct fb_tar *tar, struct fb_err *err)
{
	ssize_t n;

	do {
		n = fb_source_read(tar->source, tar->buf, sizeof(tar->buf),
				   err);
		if (n > 0)
			tar->pos += (uint64_t)n;
	} while (n > 0);
	return (int)n;
}

bool fb_tar_is_start(const uint8_t *data, size_t len)
{
	return len < TAR_BLOCK || is_zero(data) || tar_checksum_ok(data);
}

uint64_t fb_tar_entry_count(const struct fb_tar *tar)
{
	return tar->entry_count;
}

int fb_tar_open(struct fb_source *source, struct fb_tar **ret,
		struct fb_err *err)
{
	struct fb_tar *tar = calloc(1, sizeof(*tar));

	if (!tar)
		return fb_err_set(err, -ENOMEM, "open an archive: %m");
	tar->source = source;
	tar_pax_release(&tar->pax);
	*ret = tar;
	return 0;
}

void fb_tar_free(struct fb_tar *tar)
{
	if (!tar)
		return;
	tar_pax_release(&tar->pax);
	forget_names(tar);
	free(tar->extents);
	free(tar->name);
	free(tar->link);
	free(tar);
}
