/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/archive/tar_fixture.h"

/* Reads the file as pieces and compares with "....aaa....bb...." */
static void check_sparse(struct fixture *f, const char *want)
{
	FB_STR struct fb_str got = FB_STR_INIT(TB_MAX);
	struct fb_tar_piece piece;
	unsigned int holes = 0;
	int r;

	TAP_OK(f->e.sparse, "is sparse");
	TAP_INT(f->e.size_bytes, strlen(want), "real size");
	while ((r = fb_tar_piece(f->tar, &piece, &f->err)) > 0) {
		holes += !piece.data;
		for (uint64_t i = 0; i < piece.len; i++)
			tb_bytes(&got,
				 piece.data ? (const char *)piece.data + i
					    : ".",
				 1);
	}
	TAP_INT(r, 0, "read: %s", f->err.msg);
	TAP_STR(fb_str_cstr(&got), want, "content");
	TAP_INT(holes, 3, "holes are told apart");
}

static const char sparse_want[] = "....aaa....bb....";

static void add_sparse_gnu(struct fb_str *out, unsigned int pairs)
{
	char block[512], more[512] = { 0 };
	unsigned int i = 0;

	tb_fill(block, &(struct tb_entry){ .name = "gnu-sparse",
					   .type = 'S',
					   .size = 5,
					   .magic = TB_GNU });
	memset(block + 345, 0, 512 - 345);
	tb_number(block + 386, 12, 4);
	tb_number(block + 398, 12, 3);
	if (pairs > 4) {
		/* empty pieces fill the header, the second stands behind it */
		for (i = 1; i < 4; i++) {
			tb_number(block + 386 + 24 * i, 12, 7);
			tb_number(block + 398 + 24 * i, 12, 0);
		}
		block[482] = 1;
		tb_number(more, 12, 11);
		tb_number(more + 12, 12, 2);
	} else {
		tb_number(block + 410, 12, 11);
		tb_number(block + 422, 12, 2);
	}
	tb_number(block + 483, 12, 17);
	tb_checksum(block);
	tb_bytes(out, block, 512);
	if (pairs > 4)
		tb_bytes(out, more, 512);
	tb_bytes(out, "aaabb", 5);
	tb_pad(out);
}

static void add_sparse_pax(struct fb_str *out, int version)
{
	FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
	static const char map[] = "2\n4\n3\n11\n2\n";
	char block[512] = { 0 };

	if (version == 0) {
		tb_text_record(&rec, "GNU.sparse.size", "17");
		tb_text_record(&rec, "GNU.sparse.numblocks", "2");
		tb_text_record(&rec, "GNU.sparse.offset", "4");
		tb_text_record(&rec, "GNU.sparse.numbytes", "3");
		tb_text_record(&rec, "GNU.sparse.offset", "11");
		tb_text_record(&rec, "GNU.sparse.numbytes", "2");
	} else if (version == 1) {
		tb_text_record(&rec, "GNU.sparse.size", "17");
		tb_text_record(&rec, "GNU.sparse.numblocks", "2");
		tb_text_record(&rec, "GNU.sparse.name", "real-name");
		tb_text_record(&rec, "GNU.sparse.map", "4,3,11,2");
	} else {
		tb_text_record(&rec, "GNU.sparse.major", "1");
		tb_text_record(&rec, "GNU.sparse.minor", "0");
		tb_text_record(&rec, "GNU.sparse.name", "real-name");
		tb_text_record(&rec, "GNU.sparse.realsize", "17");
	}
	tb_pax(out, &rec, 'x');
	memcpy(block, map, sizeof(map) - 1);
	tb_header(out, &(struct tb_entry){ .name = "GNUSparseFile.0/x",
					   .type = '0',
					   .size = version == 2 ? 517 : 5 });
	if (version == 2)
		tb_bytes(out, block, 512);
	tb_bytes(out, "aaabb", 5);
	tb_pad(out);
}

static void test_sparse(void)
{
	char buf[20];
	FIXTURE;

	add_sparse_gnu(&f.bytes, 2);
	add_sparse_gnu(&f.bytes, 5);
	add_sparse_pax(&f.bytes, 0);
	add_sparse_pax(&f.bytes, 1);
	add_sparse_pax(&f.bytes, 2);
	add_sparse_pax(&f.bytes, 2);
	tb_add(&f.bytes, (struct tb_entry){ .name = "end", .type = '0' }, "e",
	       1);
	tb_end(&f.bytes);
	for (int i = 0; i < 5; i++) {
		TAP_INT(next(&f), 1, "sparse file %d: %s", i, f.err.msg);
		TAP_STR(f.e.name,
			i < 2	 ? "gnu-sparse"
			: i == 2 ? "GNUSparseFile.0/x"
				 : "real-name",
			"name");
		TAP_INT(f.e.extent_count, i == 1 ? 5 : 2, "pieces");
		check_sparse(&f, sparse_want);
	}
	TAP_INT(next(&f), 1, "the last one again");
	TAP_INT(fb_tar_read(f.tar, buf, 20, NULL), 17, "into a buffer");
	TAP_OK(!memcmp(buf, "\0\0\0\0aaa\0\0\0\0bb\0\0\0\0", 17),
	       "holes are zeroes");
	TAP_INT(next(&f), 1, "what follows");
	TAP_STR(f.e.name, "end", "is found");
	TAP_INT(fb_tar_read(f.tar, buf, 20, NULL), 1, "and not sparse");
}

static void test_bad_sparse(void)
{
	static const struct {
		const char *map;
		const char *what;
	} bad[] = {
		{ "4,3,6,2", "overlapping pieces" },
		{ "11,2,4,3", "falling pieces" },
		{ "4,3,16,2", "a piece outside the file" },
		{ "4,3", "less than the body" },
		{ "4,3,11,3", "more than the body" },
		{ "4,3,18446744073709551615,2", "a piece that wraps" },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(bad); i++) {
		FB_STR struct fb_str rec = FB_STR_INIT(TB_MAX);
		FIXTURE;

		tb_text_record(&rec, "GNU.sparse.size", "17");
		tb_text_record(&rec, "GNU.sparse.map", bad[i].map);
		tb_pax(&f.bytes, &rec, 'x');
		tb_add(&f.bytes, (struct tb_entry){ .name = "f", .type = '0' },
		       "aaabb", 5);
		tb_end(&f.bytes);
		expect_error(&f, -EBADMSG, bad[i].what);
	}
}

int main(void)
{
	test_sparse();
	test_bad_sparse();
	return tap_done();
}
