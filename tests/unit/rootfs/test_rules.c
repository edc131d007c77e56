/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/layer-semantics.md, rule by rule: what goes in, and the tree that comes
 * out, both written down.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "image_check.h"
#include "tap.h"

#define LAYERS_MAX 4
#define ENTRIES_MAX 12

struct rule_case {
	const char *what;
	struct stack_entry layers[LAYERS_MAX][ENTRIES_MAX]; /* base first */
	const char *want;  /* listing, or NULL: an error … */
	const char *error; /* … that says this */
};

#define DIRM(name_, mode_, ...)                                            \
	{                                                                  \
		.type = '5', .name = (name_), .mode = (mode_), __VA_ARGS__ \
	}
#define DIR(name_, ...) DIRM(name_, 0755, __VA_ARGS__)
#define FILE_(name_, text_, ...)                                     \
	{                                                            \
		.type = '0', .name = (name_), .data = (text_),       \
		.size = sizeof(text_) - 1, .mode = 0644, __VA_ARGS__ \
	}
#define LINK(name_, to_)                                    \
	{                                                   \
		.type = '1', .name = (name_), .link = (to_) \
	}
#define SYM(name_, to_)                                     \
	{                                                   \
		.type = '2', .name = (name_), .link = (to_) \
	}
#define CHAR(name_, ...)                                                \
	{                                                               \
		.type = '3', .name = (name_), .mode = 0600, __VA_ARGS__ \
	}
#define WH(name_)                            \
	{                                    \
		.type = '0', .name = (name_) \
	}
#define XATTR(name_, value_)                                     \
	.xattrs = { { (name_), (value_), sizeof(value_) - 1 } }, \
	.xattr_count = 1
#define ROOT "d / 755 0:0 @0\n"

static const struct rule_case cases[] = {
	{ "no entries", { { { 0 } } }, ROOT, NULL },
	{ "1: names are cleaned",
	  { { FILE_("./a", "1"), FILE_("//b//c", "2"), FILE_("../../d", "3"),
	      FILE_("x/../e", "4"), FILE_("f/.", "5") } },
	  ROOT "f a 644 0:0 @0 =1\nd b 755 0:0 @0\nf b/c 644 0:0 @0 =2\n"
	       "f d 644 0:0 @0 =3\nf e 644 0:0 @0 =4\nf f 644 0:0 @0 =5\n",
	  NULL },
	{ "2: parents through links of the layer",
	  { { SYM("l", "/usr/lib"), FILE_("l/x", "1"), SYM("m", "../l/sub/.."),
	      FILE_("m/y", "2"), SYM("n", "gone/../o"), FILE_("n/z", "3") } },
	  ROOT "l l 777 0:0 @0 ->/usr/lib\nl m 777 0:0 @0 ->../l/sub/..\n"
	       "l n 777 0:0 @0 ->gone/../o\nd o 755 0:0 @0\n"
	       "f o/z 644 0:0 @0 =3\nd usr 755 0:0 @0\nd usr/lib 755 0:0 @0\n"
	       "f usr/lib/x 644 0:0 @0 =1\nf usr/lib/y 644 0:0 @0 =2\n",
	  NULL },
	{ "2: not through links of a lower layer",
	  { { DIR("usr/lib"), FILE_("usr/lib/a", "1"), SYM("lib", "usr/lib") },
	    { FILE_("lib/b", "2") } },
	  ROOT "d lib 755 0:0 @0\nf lib/b 644 0:0 @0 =2\nd usr 755 0:0 @0\n"
	       "d usr/lib 755 0:0 @0\nf usr/lib/a 644 0:0 @0 =1\n",
	  NULL },
	{ "2: a lower file gives way to a folder",
	  { { FILE_("a", "1", .mtime = 7) }, { FILE_("a/b", "2") } },
	  ROOT "d a 755 0:0 @0\nf a/b 644 0:0 @0 =2\n",
	  NULL },
	{ "2: a parent that is a file",
	  { { FILE_("a", "1"), FILE_("a/b", "2") } },
	  NULL,
	  "layer 1 of 1: entry 'a/b': its parent 'a' is not a folder" },
	{ "2: a loop of links",
	  { { SYM("a", "b"), SYM("b", "a"), FILE_("a/x", "1") } },
	  NULL,
	  "entry 'a/x': more than 255 symbolic links" },
	{ "3: implied folders take what is below",
	  { { DIRM("d", 01777, .uid = 5, .mtime = 9, XATTR("user.a", "v")) },
	    { { 0 } },
	    { FILE_("d/e/f", "1") } },
	  ROOT "d d 1777 5:0 @9 [user.a=v]\nd d/e 755 0:0 @0\n"
	       "f d/e/f 644 0:0 @0 =1\n",
	  NULL },
	{ "3: a later entry of the layer sets them",
	  { { DIR("d", .uid = 5) }, { FILE_("d/f", "1"), DIR("d", .uid = 6) } },
	  ROOT "d d 755 6:0 @0\nf d/f 644 0:0 @0 =1\n",
	  NULL },
	{ "3: nothing is taken through a file between",
	  { { DIR("d", .uid = 5), FILE_("d/old", "0") },
	    { FILE_("d", "1") },
	    { FILE_("d/f", "2") } },
	  ROOT "d d 755 0:0 @0\nf d/f 644 0:0 @0 =2\n",
	  NULL },
	{ "3: nor through a whiteout between",
	  { { DIR("d", .uid = 5), FILE_("d/old", "0") },
	    { WH(".wh.d") },
	    { FILE_("d/f", "2") } },
	  ROOT "d d 755 0:0 @0\nf d/f 644 0:0 @0 =2\n",
	  NULL },
	{ "4: folder over folder, xattrs replaced by none",
	  { { DIRM("d", 0700, XATTR("user.a", "v")), FILE_("d/a", "1") },
	    { DIRM("d", 0711), FILE_("d/b", "2") } },
	  ROOT "d d 711 0:0 @0\nf d/a 644 0:0 @0 =1\nf d/b 644 0:0 @0 =2\n",
	  NULL },
	{ "4: a folder gives way to a file and comes back empty",
	  { { FILE_("d/a", "1") }, { FILE_("d", "2") }, { DIR("d") } },
	  ROOT "d d 755 0:0 @0\n",
	  NULL },
	{ "5: whiteouts before and after, hiding nothing, of any type",
	  { { FILE_("a", "1"), FILE_("b", "2"), FILE_("c", "3"),
	      FILE_("e/f", "4") },
	    { WH(".wh.a"),
	      FILE_("a", "new"),
	      FILE_("b", "new"),
	      WH(".wh.b"),
	      WH(".wh.none"),
	      LINK(".wh.c", ".wh.a"),
	      { .type = '5', .name = "e/.wh.f" } } },
	  ROOT "f a 644 0:0 @0 =new\nf b 644 0:0 @0 =new\nd e 755 0:0 @0\n",
	  NULL },
	{ "5: a whiteout beside a folder of its layer",
	  { { DIR("d", .uid = 5), FILE_("d/a", "1") },
	    { FILE_("d/b", "2"), WH(".wh.d") } },
	  ROOT "d d 755 0:0 @0\nf d/b 644 0:0 @0 =2\n",
	  NULL },
	{ "5: what a layer brings back",
	  { { FILE_("a", "1") }, { WH(".wh.a") }, { FILE_("a", "3") } },
	  ROOT "f a 644 0:0 @0 =3\n",
	  NULL },
	{ "5: a whiteout of nothing",
	  { { WH("d/.wh.") } },
	  NULL,
	  "layer 1 of 1: entry 'd/.wh.': whiteout of nothing" },
	{ "5: names that are no whiteouts, though they look like some",
	  { { FILE_("a", "1"), FILE_("x", "2") },
	    { FILE_(".wh", ""), FILE_(".whx", ""), FILE_("a.wh.x", "") } },
	  ROOT "f .wh 644 0:0 @0 =\nf .whx 644 0:0 @0 =\n"
	       "f a 644 0:0 @0 =1\nf a.wh.x 644 0:0 @0 =\n"
	       "f x 644 0:0 @0 =2\n",
	  NULL },
	{ "5: below what is not there",
	  { { FILE_("a", "1") }, { WH("p/q/.wh.r") } },
	  ROOT "f a 644 0:0 @0 =1\nd p 755 0:0 @0\nd p/q 755 0:0 @0\n",
	  NULL },
	{ "6: a marker of any type",
	  { { FILE_("a/x", "1"), FILE_("b/x", "2"), FILE_("c/x", "3"),
	      FILE_("e/x", "4") },
	    { DIR("a/.wh..wh..opq"), SYM("b/.wh..wh..opq", "y"),
	      CHAR("c/.wh..wh..opq"), LINK("e/.wh..wh..opq", "a/x") } },
	  ROOT "d a 755 0:0 @0\nd b 755 0:0 @0\nd c 755 0:0 @0\n"
	       "d e 755 0:0 @0\n",
	  NULL },
	{ "6: opaque hides children, wherever it stands",
	  { { DIR("d", .uid = 5), FILE_("d/a", "1"), FILE_("d/e/b", "2") },
	    { FILE_("d/e/c", "3"), WH("d/.wh..wh..opq") } },
	  ROOT "d d 755 5:0 @0\nd d/e 755 0:0 @0\nf d/e/c 644 0:0 @0 =3\n",
	  NULL },
	{ "6: in the root",
	  { { DIRM("./", 0700), FILE_("a", "1") },
	    { WH(".wh..wh..opq"), FILE_("b", "2") } },
	  "d / 700 0:0 @0\nf b 644 0:0 @0 =2\n",
	  NULL },
	{ "6: reserved names never show",
	  { { FILE_(".wh..wh.plnk/x", "1"), FILE_("d/.wh..wh.aufs", "2"),
	      FILE_(".wh.y/z", "3") } },
	  ROOT "d d 755 0:0 @0\n",
	  NULL },
	{ "6: but aufs' hard links are those that they stand for",
	  { { FILE_(".wh..wh.plnk/1.2", "x", .uid = 3), DIR("e"),
	      LINK("a", ".wh..wh.plnk/1.2"),
	      FILE_(".wh..wh.plnk/1.3", "unused"),
	      LINK("e/b", "/e/../.wh..wh.plnk/1.2") },
	    { WH("e/.wh..wh..opq") } },
	  ROOT "f a 644 3:0 @0 =x\nd e 755 0:0 @0\n",
	  NULL },
	{ "6: all of their names",
	  { { FILE_(".wh..wh.plnk/1.2", "x"), LINK("a", ".wh..wh.plnk/1.2"),
	      FILE_(".wh..wh.plnk/1.2", "y"), LINK("b", ".wh..wh.plnk/1.2"),
	      LINK("c", "a") } },
	  ROOT "f a 644 0:0 @0 x2 =x\nf b 644 0:0 @0 =y\n"
	       "f c 644 0:0 @0 x2 =x\n",
	  NULL },
	{ "6: of the layer itself",
	  { { FILE_(".wh..wh.plnk/1.2", "x") },
	    { LINK("a", ".wh..wh.plnk/1.2") } },
	  NULL,
	  "layer 2 of 2: entry 'a': hard link to the reserved name" },
	{ "7: duplicates, the later wins",
	  { { FILE_("a", "1"), FILE_("a", "22"), DIR("d", .uid = 1),
	      FILE_("d/x", "x"), DIR("d", .uid = 2), DIR("e"),
	      FILE_("e/y", "y"), FILE_("e", "file") } },
	  ROOT "f a 644 0:0 @0 =22\nd d 755 2:0 @0\nf d/x 644 0:0 @0 =x\n"
	       "f e 644 0:0 @0 =file\n",
	  NULL },
	{ "8: links stay what they were",
	  { { FILE_("a", "old", .mtime = 3), LINK("b", "./a"),
	      FILE_("a", "new") } },
	  ROOT "f a 644 0:0 @0 =new\nf b 644 0:0 @3 =old\n",
	  NULL },
	{ "8: to itself, and over what it is linked to below",
	  { { FILE_("a", "1"), LINK("a", "a"), FILE_("b", "2") },
	    { LINK("b", "b"), LINK("c", "b") } },
	  ROOT "f a 644 0:0 @0 =1\nf b 644 0:0 @0 x2 =2\n"
	       "f c 644 0:0 @0 x2 =2\n",
	  NULL },
	{ "8: before its target, to what is below",
	  { { FILE_("t", "low") },
	    { LINK("l", "t"), FILE_("t", "new"), LINK("m", "t") } },
	  ROOT "f l 644 0:0 @0 =low\nf m 644 0:0 @0 x2 =new\n"
	       "f t 644 0:0 @0 x2 =new\n",
	  NULL },
	{ "8: names that go are not counted",
	  { { FILE_("a", "1"), LINK("b", "a"), LINK("c", "a"), LINK("d", "a") },
	    { WH(".wh.a"), FILE_("b", "2") } },
	  ROOT "f b 644 0:0 @0 =2\nf c 644 0:0 @0 x2 =1\n"
	       "f d 644 0:0 @0 x2 =1\n",
	  NULL },
	{ "8: to a symbolic link and a device, which are not followed",
	  { { SYM("s", "x"), CHAR("n", .major = 1, .minor = 3) },
	    { LINK("t", "s"), LINK("o", "n") } },
	  ROOT "c n 600 0:0 @0 x2 1:3\nc o 600 0:0 @0 x2 1:3\n"
	       "l s 777 0:0 @0 x2 ->x\nl t 777 0:0 @0 x2 ->x\n",
	  NULL },
	{ "8: into lower layers, through two of them",
	  { { FILE_("t", "1", .uid = 3) },
	    { LINK("d/u", "t") },
	    { LINK("v", "d/u"), WH(".wh.t") } },
	  ROOT "d d 755 0:0 @0\nf d/u 644 3:0 @0 x2 =1\n"
	       "f v 644 3:0 @0 x2 =1\n",
	  NULL },
	{ "8: to what its own layer hides below",
	  { { FILE_("t", "1") }, { WH(".wh.t"), LINK("v", "t") } },
	  ROOT "f v 644 0:0 @0 =1\n",
	  NULL },
	{ "8: the other name of a hidden file",
	  { { FILE_("a", "1"), LINK("b", "a") }, { FILE_("a", "2") } },
	  ROOT "f a 644 0:0 @0 =2\nf b 644 0:0 @0 =1\n",
	  NULL },
	{ "8: to links, devices, onto itself",
	  { { SYM("s", "to"), LINK("s2", "s"),
	      CHAR("c", .major = 1, .minor = 3), LINK("c2", "c"),
	      FILE_("f", "1"), LINK("f", "f") } },
	  ROOT "c c 600 0:0 @0 x2 1:3\nc c2 600 0:0 @0 x2 1:3\n"
	       "f f 644 0:0 @0 =1\nl s 777 0:0 @0 x2 ->to\n"
	       "l s2 777 0:0 @0 x2 ->to\n",
	  NULL },
	{ "8: to a folder",
	  { { DIR("d"), LINK("l", "d") } },
	  NULL,
	  "layer 1 of 1: entry 'l': hard link to the folder 'd'" },
	{ "8: to a folder below",
	  { { DIR("d") }, { LINK("l", "d") } },
	  NULL,
	  "layer 2: entry 'l': hard link to the folder 'd'" },
	{ "8: to the root",
	  { { LINK("l", "/..") } },
	  NULL,
	  "hard link to the root" },
	{ "8: to nothing",
	  { { { 0 } }, { LINK("l", "x/y") } },
	  NULL,
	  "layer 2: entry 'l': hard link to nothing: 'x/y'" },
	{ "8: to what a layer between hides",
	  { { FILE_("d/t", "1") },
	    { WH(".wh.d"), DIR("d") },
	    { LINK("l", "d/t") } },
	  NULL,
	  "layer 3: entry 'l': hard link to nothing: 'd/t'" },
	{ "8: to what a layer between replaces",
	  { { FILE_("d/t", "1") }, { FILE_("d", "2") }, { LINK("l", "d/t") } },
	  NULL,
	  "layer 3: entry 'l': hard link to nothing: 'd/t'" },
	{ "8: to a reserved name",
	  { { LINK("l", ".wh.x") } },
	  NULL,
	  "hard link to the reserved name" },
	{ "9: times are clamped",
	  { { FILE_("a", "", .mtime = -1), FILE_("b", "", .mtime = 4294967295),
	      FILE_("c", "", .mtime = 99999999999) } },
	  ROOT "f a 644 0:0 @0 =\nf b 644 0:0 @4294967295 =\n"
	       "f c 644 0:0 @4294967295 =\n",
	  NULL },
	{ "10: xattrs",
	  { { FILE_("a", "", XATTR("security.capability", "\1\2")),
	      FILE_("b", "", XATTR("user.empty", "")),
	      FILE_("c", "", XATTR("trusted.overlay.opaque", "y")),
	      FILE_("d", "", XATTR("system.posix_acl_access", "x")),
	      SYM("e", "x"), DIR("f", XATTR("trusted.t", "1")) } },
	  ROOT "f a 644 0:0 @0 = [security.capability=\1\2]\n"
	       "f b 644 0:0 @0 = [user.empty=]\nf c 644 0:0 @0 =\n"
	       "f d 644 0:0 @0 =\nl e 777 0:0 @0 ->x\n"
	       "d f 755 0:0 @0 [trusted.t=1]\n",
	  NULL },
	{ "10: user.* of files and folders only, and names that are some",
	  { { { .type = '2', .name = "a", .link = "x", XATTR("user.a", "1") },
	      { .type = '6', .name = "b", XATTR("user.a", "1") },
	      { .type = '2',
		.name = "c",
		.link = "x",
		XATTR("trusted.t", "1") },
	      CHAR("d", .major = 1, XATTR("security.s", "1")),
	      FILE_("e", "", XATTR("user.", "1")) } },
	  ROOT "l a 777 0:0 @0 ->x\np b 0 0:0 @0\n"
	       "l c 777 0:0 @0 ->x [trusted.t=1]\n"
	       "c d 600 0:0 @0 1:0 [security.s=1]\nf e 644 0:0 @0 =\n",
	  NULL },
	{ "11: ids and devices to their ends",
	  { { FILE_("a", "", .uid = 4294967294u, .gid = 4294967294u),
	      CHAR("c", .major = 4095, .minor = 1048575),
	      { .type = '4', .name = "d", .major = 8, .minor = 1 },
	      { .type = '6', .name = "e", .mode = 06711 } } },
	  ROOT
	  "f a 644 4294967294:4294967294 @0 =\nc c 600 0:0 @0 4095:1048575\n"
	  "b d 0 0:0 @0 8:1\np e 6711 0:0 @0\n",
	  NULL },
	{ "11: a device beyond",
	  { { CHAR("c", .major = 4096) } },
	  NULL,
	  "device 4096:0: Linux has 4095:1048575 at most" },
	{ "13: the root's own entry",
	  { { DIRM("./", 0711, .uid = 1, .mtime = 5) }, { FILE_("a", "") } },
	  "d / 711 1:0 @5\nf a 644 0:0 @0 =\n",
	  NULL },
	{ "13: the root is no file",
	  { { FILE_("./", "x") } },
	  NULL,
	  "the root is not a folder" },
	{ "16: a device 0:0 hides and is not there",
	  { { FILE_("a", "1"), FILE_("b", "2") },
	    { CHAR("a"), FILE_("c", "3"), CHAR("c") } },
	  ROOT "f b 644 0:0 @0 =2\n",
	  NULL },
};

static int convert(const struct rule_case *c, int *ret_fd, struct fb_err *err)
{
	struct stack_arena arena = { 0 };
	struct stack_image image = { 0 };
	struct fb_rootfs_result result;
	size_t count = LAYERS_MAX, n;
	int r;

	while (count > 1 && !c->layers[count - 1][0].name)
		count--;
	for (size_t i = 0; i < count; i++) {
		FB_STR struct fb_str tar = FB_STR_INIT((size_t)1 << 24);
		struct stack_layer layer = { 0 };

		for (n = 0; n < ENTRIES_MAX && c->layers[i][n].name; n++)
			stack_add(&layer, &arena, &c->layers[i][n]);
		stack_write(&layer, &tar);
		stack_image_add(&image, &tar, (enum stack_packing)(i % 3));
	}
	r = stack_image_convert(&image, NULL, ret_fd, &result, err);
	stack_image_release(&image);
	arena_release(&arena);
	return r;
}

static void run(const struct rule_case *c)
{
	FB_STR struct fb_str list = FB_STR_INIT(65536);
	struct fb_err err = { 0 };
	FB_FD int fd = -EBADF;
	int r = convert(c, &fd, &err);

	if (!c->want) {
		TAP_OK(r < 0 && strstr(err.msg, c->error), "%s", c->what);
		if (r == 0 || !strstr(err.msg, c->error))
			printf("# got  '%s'\n# want '%s'\n", err.msg, c->error);
		return;
	}
	if (r == 0)
		r = image_list(fd, &list);
	if (!TAP_OK(r == 0 && !strcmp(fb_str_cstr(&list), c->want), "%s",
		    c->what))
		printf("# %d '%s'\n# got\n%s\n# want\n%s\n", r, err.msg,
		       fb_str_cstr(&list), c->want);
}

int main(void)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++)
		run(&cases[i]);
	return tap_done();
}
