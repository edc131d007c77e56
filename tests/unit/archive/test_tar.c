/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/archive/tar_fixture.h"

static void test_types(void)
{
	static const struct {
		char flag;
		enum fb_tar_type type;
	} types[] = {
		{ '0', FB_TAR_FILE },	 { '\0', FB_TAR_FILE },
		{ '7', FB_TAR_FILE },	 { '1', FB_TAR_LINK },
		{ '2', FB_TAR_SYMLINK }, { '3', FB_TAR_CHAR },
		{ '4', FB_TAR_BLOCK },	 { '5', FB_TAR_DIR },
		{ '6', FB_TAR_FIFO },	 { 'V', FB_TAR_SKIPPED },
		{ 'A', FB_TAR_SKIPPED }, { 'D', FB_TAR_DIR },
	};
	FIXTURE;

	for (size_t i = 0; i < FB_ARRAY_SIZE(types); i++)
		tb_header(&f.bytes, &(struct tb_entry){ .name = "n",
							.link = "target",
							.type = types[i].flag,
							.mode = 0106755,
							.major = 8,
							.minor = 300 });
	tb_end(&f.bytes);
	for (size_t i = 0; i < FB_ARRAY_SIZE(types); i++) {
		TAP_INT(next(&f), 1, "an entry");
		TAP_INT(f.e.type, types[i].type, "type of flag 0x%02x",
			(unsigned int)types[i].flag);
		TAP_INT(f.e.mode, 06755,
			"only permissions are left of the mode");
	}
	TAP_INT(next(&f), 0, "no more");
	TAP_INT(next(&f), 0, "and no more");
	TAP_INT(fb_tar_entry_count(f.tar), FB_ARRAY_SIZE(types), "count");
}

static void test_fields(void)
{
	FIXTURE;

	tb_header(&f.bytes, &(struct tb_entry){ .name = "dev/sda",
						.type = '4',
						.mode = 0660,
						.uid = 4294967294u,
						.gid = 4000000000u,
						.mtime = -5,
						.major = 259,
						.minor = 1048575 });
	tb_header(&f.bytes, &(struct tb_entry){ .name = "link",
						.link = "../where\xff",
						.type = '2',
						.uid = 2097151,
						.mtime = 1700000000 });
	tb_end(&f.bytes);
	TAP_INT(next(&f), 1, "block device");
	TAP_INT(f.e.uid, 4294967294u, "uid in base 256");
	TAP_INT(f.e.gid, 4000000000u, "gid in base 256");
	TAP_INT(f.e.mtime_s, -5, "negative time");
	TAP_INT(f.e.dev_major, 259, "major");
	TAP_INT(f.e.dev_minor, 1048575, "minor");
	TAP_INT(next(&f), 1, "symbolic link");
	TAP_INT(f.e.uid, 2097151, "largest octal uid");
	TAP_STR(f.e.link, "../where\xff", "target, any bytes");
	TAP_INT(f.e.link_len, 9, "its length");
	TAP_STR(f.e.name, "link", "name");
}

static void test_bodies(void)
{
	struct fb_tar_piece piece;
	char buf[16];
	FIXTURE;

	tb_add(&f.bytes, (struct tb_entry){ .name = "a", .type = '0' }, "hello",
	       5);
	tb_add(&f.bytes, (struct tb_entry){ .name = "b", .type = '0' }, "world",
	       5);
	/* what is not a file has no body, whatever the header says */
	tb_header(&f.bytes, &(struct tb_entry){
				    .name = "d", .type = '5', .size = 99999 });
	tb_add(&f.bytes, (struct tb_entry){ .name = "V", .type = 'V' }, "label",
	       5);
	/* but GNU's folder of an incremental archive, which has a listing */
	tb_add(&f.bytes, (struct tb_entry){ .name = "D", .type = 'D' },
	       "Yfile\0\0", 7);
	tb_add(&f.bytes, (struct tb_entry){ .name = "c", .type = '0' }, "", 0);
	tb_end(&f.bytes);
	TAP_INT(next(&f), 1, "a");
	TAP_INT(f.e.body_offset, 512, "where its body is");
	TAP_INT(next(&f), 1, "b, a's body is skipped");
	TAP_INT(fb_tar_read(f.tar, buf, 3, NULL), 3, "part of b's body");
	TAP_INT(fb_tar_piece(f.tar, &piece, NULL), 1, "the rest as a piece");
	TAP_OK(piece.len == 2 && !memcmp(piece.data, "ld", 2), "right");
	TAP_INT(fb_tar_piece(f.tar, &piece, NULL), 0, "no more");
	TAP_INT(fb_tar_read(f.tar, buf, 3, NULL), 0, "nor bytes");
	TAP_INT(next(&f), 1, "a folder with a size");
	TAP_INT(f.e.size_bytes, 0, "its size is none");
	TAP_INT(fb_tar_read(f.tar, buf, 3, NULL), 0, "it has no body");
	TAP_INT(next(&f), 1, "volume label");
	TAP_INT(f.e.type, FB_TAR_SKIPPED, "is a vendor's");
	TAP_INT(next(&f), 1, "its body was skipped");
	TAP_INT(f.e.type, FB_TAR_DIR, "a folder with a listing");
	TAP_INT(f.e.size_bytes, 0, "of no size");
	TAP_INT(fb_tar_read(f.tar, buf, 3, NULL), 0, "nobody reads it");
	TAP_INT(next(&f), 1, "that was skipped");
	TAP_STR(f.e.name, "c", "c comes next");
	TAP_INT(fb_tar_read(f.tar, buf, 3, NULL), 0, "empty file");
	TAP_INT(next(&f), 0, "no more");
}

static void test_names(void)
{
	char name[101], prefix[156], longest[5001], want[300];
	FIXTURE;

	memset(name, 'n', 100);
	name[100] = '\0';
	memset(prefix, 'p', 155);
	prefix[155] = '\0';
	memset(longest, 'l', 5000);
	longest[5000] = '\0';
	tb_header(&f.bytes, &(struct tb_entry){ .name = name,
						.prefix = prefix,
						.type = '0' });
	tb_header(&f.bytes, &(struct tb_entry){ .name = "gnu",
						.prefix = "garbage",
						.type = '0',
						.magic = TB_GNU });
	tb_header(&f.bytes, &(struct tb_entry){ .name = "star",
						.prefix = prefix,
						.type = '0',
						.magic = TB_STAR });
	tb_header(&f.bytes, &(struct tb_entry){ .name = "dir/",
						.type = '\0',
						.magic = TB_V7 });
	tb_header(&f.bytes, &(struct tb_entry){ .name = "dir/", .type = '0' });
	tb_long(&f.bytes, 'K', "long target");
	tb_long(&f.bytes, 'L', longest);
	tb_header(&f.bytes, &(struct tb_entry){ .name = "short",
						.link = "cut",
						.type = '2' });
	tb_header(&f.bytes, &(struct tb_entry){ .name = "after", .type = '0' });
	tb_end(&f.bytes);
	(void)snprintf(want, sizeof(want), "%s/%s", prefix, name);
	TAP_INT(next(&f), 1, "ustar");
	TAP_STR(f.e.name, want, "prefix and name without NULs");
	TAP_INT(next(&f), 1, "GNU");
	TAP_STR(f.e.name, "gnu", "has no prefix");
	TAP_INT(next(&f), 1, "star");
	(void)snprintf(want, sizeof(want), "%.131s/star", prefix);
	TAP_STR(f.e.name, want, "its prefix is shorter");
	TAP_INT(next(&f), 1, "v7");
	TAP_INT(f.e.type, FB_TAR_DIR, "slash means folder");
	TAP_INT(next(&f), 1, "flag 0 with a slash");
	TAP_INT(f.e.type, FB_TAR_FILE, "stays a file");
	TAP_INT(next(&f), 1, "GNU long");
	TAP_STR(f.e.name, longest, "long name");
	TAP_STR(f.e.link, "long target", "long link");
	TAP_INT(next(&f), 1, "the entry behind");
	TAP_STR(f.e.name, "after", "is not touched by it");
	TAP_STR(f.e.link, "", "nor its link");
}

static void test_pax(void)
{
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
	FIXTURE;

	tb_text_record(&rec, "comment", "global");
	tb_text_record(&rec, "uid", "77");
	tb_pax(&f.bytes, &rec, 'g');
	tb_text_record(&rec, "path", "pa\xffth/with=and\nnewline");
	tb_text_record(&rec, "linkpath", "to");
	tb_text_record(&rec, "uid", "4294967294");
	tb_text_record(&rec, "gid", "0");
	tb_text_record(&rec, "mtime", "1700000000.999999999");
	tb_text_record(&rec, "size", "5");
	tb_text_record(&rec, "atime", "garbage is nobody's business");
	tb_pax(&f.bytes, &rec, 'x');
	tb_header(&f.bytes,
		  &(struct tb_entry){
			  .name = "x", .type = '0', .uid = 1, .gid = 1 });
	tb_bytes(&f.bytes, "12345", 5);
	tb_pad(&f.bytes);
	tb_text_record(&rec, "mtime", "-1.5");
	tb_text_record(&rec, "path", "over");
	tb_text_record(&rec, "path", "");
	tb_pax(&f.bytes, &rec, 'x');
	tb_header(&f.bytes,
		  &(struct tb_entry){ .name = "second", .type = '0' });
	/* Go: a later pax header replaces an earlier one, GNU's names win */
	tb_long(&f.bytes, 'L', "gnu");
	tb_text_record(&rec, "uid", "5");
	tb_pax(&f.bytes, &rec, 'x');
	tb_text_record(&rec, "path", "pax");
	tb_pax(&f.bytes, &rec, 'x');
	tb_header(&f.bytes, &(struct tb_entry){ .name = "third", .type = '0' });
	tb_end(&f.bytes);

	TAP_INT(next(&f), 1, "pax: %s", f.err.msg);
	TAP_STR(f.e.name, "pa\xffth/with=and\nnewline", "path");
	TAP_INT(f.e.uid, 4294967294u, "uid");
	TAP_INT(f.e.gid, 0, "gid");
	TAP_INT(f.e.mtime_s, 1700000000, "fractions are cut");
	TAP_INT(f.e.size_bytes, 5, "size");
	TAP_INT(next(&f), 1, "second");
	TAP_STR(f.e.name, "second", "an empty value takes a record back");
	TAP_INT(f.e.mtime_s, -2, "cut downwards");
	TAP_INT(f.e.uid, 0, "global headers are ignored");
	TAP_INT(next(&f), 1, "third");
	TAP_STR(f.e.name, "gnu", "GNU's name wins");
	TAP_INT(f.e.uid, 0, "the first pax header was replaced");
	TAP_INT(next(&f), 0, "no more");
}

static const struct fb_tar_xattr *xattr(const struct fixture *f,
					const char *name)
{
	for (size_t i = 0; i < f->e.xattr_count; i++)
		if (!strcmp(f->e.xattrs[i].name, name))
			return &f->e.xattrs[i];
	return NULL;
}

static void test_xattrs(void)
{
	static char big[FB_TAR_XATTR_VALUE_MAX];
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
	const struct fb_tar_xattr *x;
	FIXTURE;

	tb_record(&rec, "SCHILY.xattr.security.capability",
		  "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	tb_text_record(&rec, "SCHILY.xattr.user.empty", "");
	tb_text_record(&rec, "SCHILY.xattr.user.twice", "old");
	tb_text_record(&rec, "SCHILY.xattr.user.twice", "new\n=x");
	tb_text_record(&rec, "LIBARCHIVE.xattr.user.b%2564%zz", "AAEC/w==");
	tb_text_record(&rec, "LIBARCHIVE.xattr.user.none", "");
	tb_record(&rec, "SCHILY.xattr.user.big", big, sizeof(big));
	tb_text_record(&rec, "SCHILY.acl.access", "user::rwx");
	tb_pax(&f.bytes, &rec, 'x');
	tb_header(&f.bytes, &(struct tb_entry){ .name = "f", .type = '0' });
	tb_header(&f.bytes, &(struct tb_entry){ .name = "g", .type = '0' });
	tb_end(&f.bytes);
	TAP_INT(next(&f), 1, "xattrs: %s", f.err.msg);
	TAP_INT(f.e.xattr_count, 6, "six");
	TAP_OK(f.e.acl, "ACLs are noticed");
	x = xattr(&f, "security.capability");
	TAP_OK(x && x->value_len == 20 && x->value[3] == 2, "binary value");
	x = xattr(&f, "user.empty");
	TAP_OK(x && x->value_len == 0, "empty value");
	x = xattr(&f, "user.twice");
	TAP_OK(x && x->value_len == 6 && !memcmp(x->value, "new\n=x", 6),
	       "the later one wins");
	x = xattr(&f, "user.b%64%zz");
	TAP_OK(x && x->value_len == 4 && !memcmp(x->value, "\0\1\2\xff", 4),
	       "libarchive's way");
	x = xattr(&f, "user.none");
	TAP_OK(x && x->value_len == 0, "and empty");
	x = xattr(&f, "user.big");
	TAP_OK(x && x->value_len == sizeof(big), "as large as Linux takes");
	TAP_INT(next(&f), 1, "next");
	TAP_OK(f.e.xattr_count == 0 && !f.e.acl, "has none");
}

/* As many as there may be, each named again and again */
static void test_many_xattrs(void)
{
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
	unsigned int wrong = 0;
	char key[64], value[16];
	FIXTURE;

	for (unsigned int i = 0; i < 100 * FB_TAR_XATTRS_MAX; i++) {
		(void)snprintf(key, sizeof(key), "SCHILY.xattr.user.n%u",
			       i % FB_TAR_XATTRS_MAX);
		(void)snprintf(value, sizeof(value), "%u", i);
		tb_text_record(&rec, key, value);
	}
	tb_pax(&f.bytes, &rec, 'x');
	tb_header(&f.bytes, &(struct tb_entry){ .name = "f", .type = '0' });
	TAP_INT(next(&f), 1, "many xattrs: %s", f.err.msg);
	TAP_INT(f.e.xattr_count, FB_TAR_XATTRS_MAX, "all of them, once");
	for (unsigned int i = 0; i < FB_TAR_XATTRS_MAX; i++) {
		const struct fb_tar_xattr *x = &f.e.xattrs[i];

		(void)snprintf(key, sizeof(key), "user.n%u", i);
		(void)snprintf(value, sizeof(value), "%u",
			       99 * FB_TAR_XATTRS_MAX + i);
		wrong += strcmp(x->name, key) != 0 ||
			 x->value_len != strlen(value) ||
			 memcmp(x->value, value, x->value_len) != 0;
	}
	TAP_INT(wrong, 0, "in their order, the last value of each");
}

static void test_start(void)
{
	char block[1024] = { 0 };
	const uint8_t *data = (const uint8_t *)block;

	TAP_OK(fb_tar_is_start(data, 1024), "an empty archive");
	tb_fill(block, &(struct tb_entry){ .name = "f", .type = '0' });
	TAP_OK(fb_tar_is_start(data, 1024), "a header");
	block[0]++;
	TAP_OK(!fb_tar_is_start(data, 1024), "no header");
	TAP_OK(fb_tar_is_start(data, 511), "too little to tell");
}

static void test_ends(void)
{
	struct tb_entry file = { .name = "f", .type = '0' };

	for (size_t zeroes = 0; zeroes <= 2; zeroes++) {
		FIXTURE;

		tb_add(&f.bytes, file, "x", 1);
		tb_zeroes(&f.bytes, zeroes * 512);
		TAP_INT(next(&f), 1, "an entry");
		TAP_INT(next(&f), 0, "the end after %zu zero blocks", zeroes);
	}
	{
		FIXTURE;

		tb_header(&f.bytes, &(struct tb_entry){ .name = "f",
							.type = '0',
							.size = 1 });
		tb_bytes(&f.bytes, "x", 1);
		TAP_INT(next(&f), 1, "an entry without its padding");
		TAP_INT(next(&f), 0, "is the last one");
	}
	{
		FIXTURE;
		char rest[2];

		tb_end(&f.bytes);
		tb_bytes(&f.bytes, "trailing", 8);
		TAP_INT(next(&f), 0, "an empty archive");
		TAP_INT(fb_tar_drain(f.tar, NULL), 0,
			"what follows is drained");
		TAP_INT(fb_source_read(f.source, rest, 2, NULL), 0,
			"all of it");
	}
	{
		FIXTURE;

		f.bytes.max = 1;
		TAP_INT(next(&f), 0, "no bytes at all are an empty archive");
	}
}

static void test_cut(void)
{
	FB_STR struct fb_str whole = FB_STR_INIT(TB_MAX);
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
	unsigned int clean = 0, errors = 0;

	tb_text_record(&rec, "path", "longer");
	tb_pax(&whole, &rec, 'x');
	tb_add(&whole, (struct tb_entry){ .name = "f", .type = '0' }, "body",
	       4);
	tb_long(&whole, 'L', "long");
	tb_add(&whole, (struct tb_entry){ .name = "g", .type = '0' }, "", 0);
	for (size_t len = 0; len <= whole.len; len++) {
		int r;
		FIXTURE;

		tb_bytes(&f.bytes, whole.buf, len);
		do {
			r = next(&f);
		} while (r > 0);
		clean += r == 0;
		errors += r == -EBADMSG && f.err.msg[0];
	}
	/* whole: nothing, f with 0 to 508 bytes of padding, everything */
	TAP_INT(clean, 1 + 509 + 1, "cut in %zu places", whole.len);
	TAP_INT(errors, whole.len + 1 - clean, "the others are errors");
}

static void damage(struct fb_str *s, size_t at, const char *text)
{
	memcpy(s->buf + at, text, strlen(text));
}

static void test_malformed(void)
{
	static const struct {
		const char *what;
		size_t field;
		const char *text;
	} fields[] = {
		{ "letters in the mode", 100, "00x0644" },
		{ "an 8 in the uid", 108, "0008000" },
		{ "a negative gid", 116, "\xff\xff\xff\xff\xff\xff\xff\xff" },
		{ "a uid of 2^32-1", 108, "\x80\x01\x01\x01\xff\xff\xff\xff" },
		{ "a negative size", 124,
		  "\xff\xff\xff\xff\xff\xff\xff\xff"
		  "\xff\xff\xff\xff" },
		{ "a huge size", 124,
		  "\x80\x7f\x7f\x7f\xff\xff\xff\xff"
		  "\xff\xff\xff\xff" },
		{ "a garbled size", 124, "123456789ab" },
		{ "a garbled time", 136, "1z" },
		{ "an unknown type", 156, "z" },
		{ "type 8", 156, "8" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(fields); i++) {
		FIXTURE;

		tb_header(&f.bytes,
			  &(struct tb_entry){ .name = "victim", .type = '0' });
		damage(&f.bytes, fields[i].field, fields[i].text);
		tb_checksum(f.bytes.buf);
		tb_end(&f.bytes);
		expect_error(&f, -EBADMSG, fields[i].what);
		TAP_OK(strstr(f.err.msg, "victim") != NULL, "names the entry");
	}
	{
		FIXTURE;

		tb_header(&f.bytes, &(struct tb_entry){ .name = "f" });
		f.bytes.buf[0] = 'g';
		expect_error(&f, -EBADMSG, "wrong check sum");
	}
	{
		FIXTURE;

		tb_zeroes(&f.bytes, 512);
		tb_header(&f.bytes, &(struct tb_entry){ .name = "f" });
		expect_error(&f, -EBADMSG, "data after one zero block");
	}
	{
		FIXTURE;

		tb_bytes(&f.bytes, "{\"this\": \"is JSON\"}", 18);
		expect_error(&f, -EBADMSG, "no archive");
	}
}

static void test_bad_records(void)
{
	static const char *const bad[] = {
		"garbage",
		"5 a=x\n6",
		"99 path=x\n",
		"10 path=x",
		"6 =abc\n",
		"0 a=b\n",
		"7 pathx\n",
		"-6 a=b\n",
		"12 path=x\0y\n",
		"10 uid=ab\n",
		"10 uid=-1\n",
		"18 uid=4294967295\n",
		"24 size=99999999999999999999\n",
		"12 mtime=x.5\n",
		"14 mtime=1.2x3\n",
		"13 size=-1000\n",
		"22 GNU.sparse.map=1,\n",
		"22 GNU.sparse.offset=1\n",
		"24 GNU.sparse.numbytes=1\n",
		"30 LIBARCHIVE.xattr.user.a=!!\n",
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++) {
		const char *text = bad[i];
		size_t len = i == 8 ? 12 : strlen(text);
		FIXTURE;

		tb_add(&f.bytes, (struct tb_entry){ .name = "p", .type = 'x' },
		       text, len);
		tb_header(&f.bytes, &(struct tb_entry){ .name = "f" });
		tb_end(&f.bytes);
		expect_error(&f, -EBADMSG, text);
	}
}

static void test_limits(void)
{
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
	char *name = malloc(FB_TAR_NAME_MAX + 2);

	if (!name)
		abort();
	memset(name, 'n', FB_TAR_NAME_MAX + 1);
	name[FB_TAR_NAME_MAX + 1] = '\0';
	for (int kind = 0; kind < 6; kind++) {
		FIXTURE;

		if (kind == 0)
			tb_long(&f.bytes, 'L', name);
		if (kind == 1)
			tb_text_record(&rec, "path", name);
		if (kind == 2)
			for (unsigned int i = 0; i <= FB_TAR_XATTRS_MAX; i++) {
				char key[64];

				(void)snprintf(key, sizeof(key),
					       "SCHILY.xattr.user.%u", i);
				tb_text_record(&rec, key, "v");
			}
		if (kind == 3) {
			FB_STR struct fb_str big = FB_STR_INIT(TB_MAX);

			tb_zeroes(&big, FB_TAR_XATTR_VALUE_MAX + 1);
			tb_record(&rec, "SCHILY.xattr.user.big", big.buf,
				  big.len);
		}
		if (kind == 4) {
			char key[400] = "SCHILY.xattr.user.";

			memset(key + 18, 'k', 251);
			tb_text_record(&rec, key, "v");
		}
		if (kind == 5)
			tb_header(&f.bytes,
				  &(struct tb_entry){
					  .name = "x",
					  .type = 'x',
					  .size = FB_TAR_RECORDS_MAX + 1ull });
		if (rec.len)
			tb_pax(&f.bytes, &rec, 'x');
		tb_header(&f.bytes, &(struct tb_entry){ .name = "f" });
		tb_end(&f.bytes);
		expect_error(&f, -E2BIG, "over a limit");
	}
	free(name);
}

int main(void)
{
	test_types();
	test_fields();
	test_bodies();
	test_names();
	test_pax();
	test_xattrs();
	test_many_xattrs();
	test_start();
	test_ends();
	test_cut();
	test_malformed();
	test_bad_records();
	test_limits();
	return tap_done();
}
