/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options from a table.
 *
 * A command states its options once, in a `static const struct fb_option[]`.
 * The parser, --help, the manual page's check and the shell completion all
 * read that table, so none of them can say what another does not do.
 *
 * The rules are docker's (that is, Go's pflag): "--name value",
 * "--name=value", "-n value", "-nvalue", "-n=value", bundles of flags ("-it"),
 * a flag's value only after '=' ("--rm=false"), "--" ends the options.  Where
 * a command stops at its first word (run), everything from there on belongs to
 * the program that it starts; elsewhere options and words may be mixed.
 *
 *   struct tag_flags { bool force; const char *note; struct fb_strv labels; };
 *
 *   static const struct fb_option tag_options[] = {
 *           FB_OPTION_FLAG(struct tag_flags, force, 'f', "force", "Do it"),
 *           FB_OPTION_STRING(struct tag_flags, note, 0, "note", "text", "Why"),
 *           FB_OPTION_LIST(struct tag_flags, labels, 'l', "label", "list",
 *                          "Add a label"),
 *           FB_OPTION_END,
 *   };
 */
#ifndef FB_CLI_OPTIONS_H
#define FB_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/** enum fb_option_kind - What a value is, and the type of its member */
enum fb_option_kind {
	FB_OPTION_KIND_END,
	FB_OPTION_KIND_FLAG,   /* bool; takes "=true" and "=false" */
	FB_OPTION_KIND_COUNT,  /* unsigned int: how often it was given (-vv) */
	FB_OPTION_KIND_STRING, /* const char *, borrowed from argv */
	FB_OPTION_KIND_LIST, /* struct fb_strv, a copy of each value in order */
	FB_OPTION_KIND_UINT, /* struct fb_option_number, decimal */
	FB_OPTION_KIND_BYTES, /* struct fb_option_number, "64m", "1.5g" */
};

/** struct fb_option_number - A number that may not have been given */
struct fb_option_number {
	bool given;
	uint64_t value;
};

/**
 * struct fb_option - One row of a command's table; use the FB_OPTION_… macros
 * @kind:    How the value is read
 * @letter:  Short name, or 0
 * @initial: FLAG only: what the member is where the option is not given
 * @offset:  Of the member in the command's flags
 * @name:    Long name, without "--"
 * @value:   What --help calls the value ("list", "bytes"); NULL for FLAG, COUNT
 * @help:    What it does; one sentence without a full stop
 */
struct fb_option {
	enum fb_option_kind kind;
	char letter;
	bool initial;
	size_t offset;
	const char *name;
	const char *value;
	const char *help;
};

/* offsetof() that does not compile where the member has another type */
#define FB_OPTION_MEMBER(type, member, want)                            \
	(offsetof(type, member) +                                       \
	 0 * sizeof(char[__builtin_types_compatible_p(                  \
				 __typeof__(((type *)0)->member), want) \
				 ? 1                                    \
				 : -1]))

#define FB_OPTION_FLAG(type, member, letter_, name_, help_)       \
	{                                                         \
		.kind = FB_OPTION_KIND_FLAG, .letter = (letter_), \
		.offset = FB_OPTION_MEMBER(type, member, bool),   \
		.name = (name_), .help = (help_)                  \
	}
/* a flag that is on where it is not given: --tls-verify */
#define FB_OPTION_FLAG_ON(type, member, letter_, name_, help_)    \
	{                                                         \
		.kind = FB_OPTION_KIND_FLAG, .letter = (letter_), \
		.initial = true,                                  \
		.offset = FB_OPTION_MEMBER(type, member, bool),   \
		.name = (name_), .help = (help_)                  \
	}
#define FB_OPTION_COUNT(type, member, letter_, name_, help_)            \
	{                                                               \
		.kind = FB_OPTION_KIND_COUNT, .letter = (letter_),      \
		.offset = FB_OPTION_MEMBER(type, member, unsigned int), \
		.name = (name_), .help = (help_)                        \
	}
#define FB_OPTION_VALUE_(kind_, ctype, type, member, letter_, name_, value_, \
			 help_)                                              \
	{                                                                    \
		.kind = (kind_), .letter = (letter_),                        \
		.offset = FB_OPTION_MEMBER(type, member, ctype),             \
		.name = (name_), .value = (value_), .help = (help_)          \
	}
#define FB_OPTION_STRING(type, member, letter_, name_, value_, help_)       \
	FB_OPTION_VALUE_(FB_OPTION_KIND_STRING, const char *, type, member, \
			 letter_, name_, value_, help_)
#define FB_OPTION_LIST(type, member, letter_, name_, value_, help_)         \
	FB_OPTION_VALUE_(FB_OPTION_KIND_LIST, struct fb_strv, type, member, \
			 letter_, name_, value_, help_)
#define FB_OPTION_UINT(type, member, letter_, name_, value_, help_)          \
	FB_OPTION_VALUE_(FB_OPTION_KIND_UINT, struct fb_option_number, type, \
			 member, letter_, name_, value_, help_)
#define FB_OPTION_BYTES(type, member, letter_, name_, help_)                  \
	FB_OPTION_VALUE_(FB_OPTION_KIND_BYTES, struct fb_option_number, type, \
			 member, letter_, name_, "bytes", help_)
#define FB_OPTION_END                      \
	{                                  \
		.kind = FB_OPTION_KIND_END \
	}

/**
 * struct fb_parsed - What is left of a command line after its options
 * @args:      Words (borrowed from argv), NULL-terminated; the vector is owned
 * @arg_count: Of @args
 * @help:      --help was asked for; @args may be incomplete then
 */
struct fb_parsed {
	char **args;
	size_t arg_count;
	bool help;
};

/**
 * fb_options_parse() - Read a command line
 * @options:  Table, ended by FB_OPTION_END
 * @argc:     Of @argv
 * @argv:     Words after the command's name (borrowed; must outlive @flags)
 * @stop_at_first_word: What follows the first word is not looked at
 * @flags:    The command's own struct, all zero on entry; defaults are filled
 *            in; release it with fb_options_release(), also after a failure
 * @ret:      Release with fb_parsed_release(); on success only
 *
 * "--help" is understood everywhere; "-h" too where the table has no 'h'.
 *
 * Return: 0; -EINVAL with docker's text ("unknown flag: --x", "flag needs an
 * argument: 'e' in -e", 'invalid argument "x" for "-m, --memory" flag: …');
 * -ENOMEM; -E2BIG.
 * Source: pflag's documentation, "Command line flag syntax".
 */
int fb_options_parse(const struct fb_option *options, int argc,
		     char *const *argv, bool stop_at_first_word, void *flags,
		     struct fb_parsed *ret, struct fb_err *err);

/** fb_options_release() - Free what the parser put into @flags (lists) */
void fb_options_release(const struct fb_option *options, void *flags);

/** fb_parsed_release() - Free the vector of words */
void fb_parsed_release(struct fb_parsed *parsed);

/**
 * fb_options_help() - Append the "Options:" lines of --help
 * @options: Table
 * @out:     Text is appended; check its err at the end
 *
 * In the order of the long names, as docker shows them.
 */
void fb_options_help(const struct fb_option *options, struct fb_str *out);

#endif
