/* SPDX-License-Identifier: Apache-2.0 */
/* docker's longer spellings: "image ls" for "images". */
#ifndef FB_CLI_ALIAS_H
#define FB_CLI_ALIAS_H

#include <stddef.h>

#include "cli/cli.h"

/**
 * fb_alias_apply() - Turn two words into a command and the words behind it
 * @words:     "image", "ls", …; NULL-terminated; the second is replaced where
 *             the spelling stands for a command with an option
 * @count:     Of @words
 * @ret_words: What follows the command, within @words
 * @ret_count: Of @ret_words
 *
 * Return: the command (borrowed); NULL where the words are no such spelling.
 */
const struct fb_command *fb_alias_apply(char **words, size_t count,
					char ***ret_words, size_t *ret_count);

#endif
