/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While a secret is typed the terminal neither echoes nor turns ^C into a
 * signal: a program that died there would leave it without an echo.  So ^C, ^D,
 * ^U and the erase key are understood here.
 */
#include "cli/ask.h"

#include <errno.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "registry/credential.h"

#define KEY_CTRL_C 3
#define KEY_CTRL_D 4
#define KEY_CTRL_U 21
#define KEY_DELETE 127

bool fb_ask_possible(void)
{
	return isatty(STDIN_FILENO) == 1;
}

/* Return: 0 go on; 1 the line is whole; -EINTR, -ENODATA; as fb_str_putc() */
static int take_key(struct fb_str *line, char key)
{
	switch (key) {
	case '\r':
	case '\n':
		return 1;
	case KEY_CTRL_C:
		return -EINTR;
	case KEY_CTRL_D:
		return line->len ? 0 : -ENODATA;
	case KEY_CTRL_U:
		fb_str_truncate(line, 0);
		return 0;
	case KEY_DELETE:
	case '\b':
		fb_str_truncate(line, line->len ? line->len - 1 : 0);
		return 0;
	default:
		return fb_str_putc(line, key);
	}
}

static int read_line(struct fb_str *line)
{
	ssize_t n;
	char key;
	int r = 0;

	while (r == 0) {
		n = read(STDIN_FILENO, &key, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = n == 0 ? -ENODATA : take_key(line, key);
	}
	return r < 0 ? r : 0;
}

int fb_ask(struct fb_cli *cli, const char *question, bool secret, char **ret,
	   struct fb_err *err)
{
	FB_SECRET_STR struct fb_str line = FB_STR_INIT(FB_ASK_MAX);
	struct termios before, quiet;
	bool changed = false;
	int r;

	/* growing would leave the secret's beginning behind */
	if (!fb_str_reserve(&line, 4096))
		return fb_err_set(err, -ENOMEM, "read an answer: %m");
	if (secret && tcgetattr(STDIN_FILENO, &before) == 0) {
		quiet = before;
		quiet.c_lflag &= (tcflag_t) ~(ECHO | ICANON | ISIG);
		quiet.c_cc[VMIN] = 1;
		quiet.c_cc[VTIME] = 0;
		changed = tcsetattr(STDIN_FILENO, TCSANOW, &quiet) == 0;
		if (!changed)
			return fb_err_set(err, -errno,
					  "switch the terminal's echo off: %m");
	}
	/* asked when the terminal is ready: an answer may come at once */
	(void)fflush(cli->out);
	(void)fputs(question, cli->err);
	(void)fflush(cli->err);
	r = read_line(&line);
	if (changed) {
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
		(void)fputc('\n', cli->err);
	}
	if (r < 0)
		return fb_err_set(err, r, "%s",
				  r == -EINTR	  ? "interrupted"
				  : r == -ENODATA ? "no answer"
						  : strerror(-r));
	*ret = fb_str_take(&line);
	return *ret ? 0 : fb_err_set(err, -ENOMEM, "read an answer: %m");
}

int fb_ask_stdin(char **ret, struct fb_err *err)
{
	FB_SECRET char *text = calloc(1, FB_ASK_MAX + 1);
	ssize_t n;

	if (!text)
		return fb_err_set(err, -ENOMEM, "read standard input: %m");
	n = fb_read_full(STDIN_FILENO, text, FB_ASK_MAX);
	if (n < 0)
		return fb_err_set(err, (int)n, "read standard input: %m");
	if (n == FB_ASK_MAX)
		return fb_err_set(err, -E2BIG, "standard input is too long");
	/* docker's rule: one line end, of either kind */
	if (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n > 0 && text[n - 1] == '\r')
		text[--n] = '\0';
	*ret = FB_TAKE_PTR(text);
	return 0;
}
