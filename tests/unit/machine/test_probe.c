/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "machine/probe.h"
#include "tap.h"

#define CACHE_MAX 4096

static char folder[] = "/tmp/fb-test-probe-XXXXXX";

static char *read_cache(int dir_fd)
{
	char *text = NULL;

	(void)fb_read_file_at(dir_fd, "probe", CACHE_MAX, &text, NULL);
	return text;
}

static void write_cache(int dir_fd, const char *text)
{
	(void)fb_write_file_at(dir_fd, "probe", text, strlen(text), 0600);
}

static void test_verdict(struct fb_probe *ret)
{
	bool exists = access("/dev/kvm", F_OK) == 0;

	fb_probe_kvm(ret);
	printf("# %s: %s; %s\n", fb_kvm_verdict_name(ret->kvm), ret->reason,
	       ret->fix);
	TAP_OK(ret->kvm > FB_KVM_UNKNOWN && ret->kvm < FB_KVM_VERDICT_COUNT,
	       "there is a verdict");
	TAP_OK(ret->reason[0] && !strchr(ret->reason, '\n'),
	       "with a reason of one line");
	TAP_OK(ret->kvm == FB_KVM_NATIVE || ret->fix[0],
	       "and where it is bad with what would mend it");
	TAP_INT(ret->kvm == FB_KVM_ABSENT, !exists,
		"it is absent where the device is");
	TAP_INT(waitpid(-1, NULL, WNOHANG), -1, "no child is left");
}

static void test_denied(void)
{
	struct fb_probe got;
	struct stat st;
	int status = 0;
	pid_t pid;

	if (geteuid() != 0 || stat("/dev/kvm", &st) < 0 || (st.st_mode & 2)) {
		tap_skip("needs root and a /dev/kvm that is not open to all");
		return;
	}
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		fb_probe_kvm(&got);
		_exit(got.kvm == FB_KVM_DENIED &&
				      strstr(got.fix, "usermod -aG kvm")
			      ? 0
			      : 1);
	}
	(void)waitpid(pid, &status, 0);
	TAP_OK(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	       "a user without the right is told so");
}

/* whether the answer came from the file: its reason is one nobody measured */
static bool cache_is_used(int dir_fd, const char *text)
{
	struct fb_probe got;

	write_cache(dir_fd, text);
	fb_probe_cached(dir_fd, &got);
	return got.kvm == FB_KVM_BROKEN && !strcmp(got.reason, "made up") &&
	       !strcmp(got.fix, "do that");
}

static void test_cache(int dir_fd, const struct fb_probe *real)
{
	FB_FREE char *text = NULL, *forged = NULL;
	struct fb_probe got;
	struct stat st;
	int key_len;

	fb_probe_cached(dir_fd, &got);
	TAP_INT(got.kvm, real->kvm, "the first answer is the real one");
	text = read_cache(dir_fd);
	if (!TAP_OK(text && fstatat(dir_fd, "probe", &st, 0) == 0 &&
			    (st.st_mode & 0777) == 0600,
		    "it is kept, for us alone"))
		return;
	key_len = (int)strcspn(text, "\n");
	if (asprintf(&forged, "%.*s\nbroken\nmade up\ndo that\n", key_len,
		     text) < 0)
		abort();
	TAP_OK(cache_is_used(dir_fd, forged), "it is used where the key holds");
	forged[key_len - 1] ^= 1;
	TAP_OK(!cache_is_used(dir_fd, forged), "not with another key");
	free(FB_TAKE_PTR(text));
	text = read_cache(dir_fd);
	TAP_OK(text && !strstr(text, "made up"), "and is then written anew");
	TAP_OK(!cache_is_used(dir_fd, ""), "an empty file is no cache");
	TAP_OK(!cache_is_used(dir_fd, "\xff\n\n\n\n"), "nor is garbage");
}

/* each line of the key counts, and so do the four lines */
static void test_parse(void)
{
	static const struct {
		const char *text;
		int want;
	} cases[] = {
		{ "key\nnative\nfast\n\n", 0 },
		{ "key\nemulating\nslow\nmend it\n", 0 },
		{ "key\nnative\nfast\n\nmore\n", 0 },
		{ "other\nnative\nfast\n\n", -ESTALE },
		{ "", -EBADMSG },
		{ "key", -EBADMSG },
		{ "key\n", -EBADMSG },
		{ "key\nnative\nfast", -EBADMSG },
		{ "key\nnative\nfast\nno end", -EBADMSG },
		{ "key\nunknown\nfast\n\n", -EBADMSG },
		{ "key\nNative\nfast\n\n", -EBADMSG },
		{ "key\n\n\n\n", -EBADMSG },
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(cases); i++) {
		struct fb_probe got = { .kvm = FB_KVM_UNKNOWN };

		TAP_INT(fb_probe_parse(cases[i].text, "key", &got),
			cases[i].want, "cache %zu", i);
		TAP_INT(got.kvm != FB_KVM_UNKNOWN, cases[i].want == 0,
			"written on success only");
	}
}

int main(void)
{
	struct fb_probe real, got;
	int dir_fd;

	if (!mkdtemp(folder))
		return 2;
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_verdict(&real);
	test_denied();
	test_parse();
	fb_probe_cached(-1, &got);
	TAP_INT(got.kvm, real.kvm, "without a folder it is probed");
	test_cache(dir_fd, &real);
	(void)unlinkat(dir_fd, "probe", 0);
	(void)fb_close(dir_fd);
	TAP_INT(rmdir(folder), 0, "nothing else is left in the folder");
	return tap_done();
}
