/* SPDX-License-Identifier: Apache-2.0 */
#include "net/passt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/spawn.h"

#define CACHE_FILE "passt"
#define CACHE_MAX 1024
#define TIMEOUT_MS 2000
#define TRIAL_FD 3
/* the first release of which we know that it drops loopback addresses */
#define SAFE_SINCE 20240510ul

/* connecting a datagram socket only looks the route up; its source goes to @host */
static bool find_route(const struct sockaddr *to, socklen_t len,
		       char host[INET6_ADDRSTRLEN])
{
	FB_FD int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);

	if (fd < 0 || connect(fd, to, len) < 0)
		return false;
	if (!host[0] &&
	    getsockname(fd, (struct sockaddr *)&from, &from_len) == 0)
		(void)getnameinfo((struct sockaddr *)&from, from_len, host,
				  INET6_ADDRSTRLEN, NULL, 0, NI_NUMERICHOST);
	return true;
}

void fb_net_routes_get(struct fb_net_routes *ret)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(53) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(53) };

	/* addresses for documentation: global ones that nobody has */
	(void)inet_pton(AF_INET, "203.0.113.1", &v4.sin_addr);
	(void)inet_pton(AF_INET6, "2001:db8::1", &v6.sin6_addr);
	*ret = (struct fb_net_routes){ 0 };
	ret->v4 = find_route((struct sockaddr *)&v4, sizeof(v4), ret->host);
	ret->v6 = find_route((struct sockaddr *)&v6, sizeof(v6), ret->host);
}

void fb_net_passt_release(struct fb_net_passt *passt)
{
	free(passt->program);
	*passt = (struct fb_net_passt){ 0 };
}

void fb_net_passt_guest(const struct fb_net_routes *routes,
			struct fb_net_guest *guest)
{
	guest->mtu = FB_NET_PASST_MTU;
	if (!routes->v4)
		guest->v4_prefix = 0;
	if (!routes->v6)
		guest->v6_prefix = 0;
}

static void add_address(struct fb_strv *argv, const char *option, int family,
			const uint8_t *bytes)
{
	char text[INET6_ADDRSTRLEN];

	(void)inet_ntop(family, bytes, text, sizeof(text));
	(void)fb_strv_add(argv, option);
	(void)fb_strv_add(argv, text);
}

int fb_net_passt_render(const struct fb_net_guest *guest, int fd,
			struct fb_strv *argv)
{
	static const char *const fixed[] = {
		"passt",       "--foreground", "--quiet",     "--stderr",
		"--no-map-gw", "--no-dhcp",    "--no-dhcpv6", "--no-ra",
		"--tcp-ports", "none",	       "--udp-ports", "none",
	};

	for (size_t i = 0; i < FB_ARRAY_SIZE(fixed); i++)
		(void)fb_strv_add(argv, fixed[i]);
	if (!guest->v6_prefix)
		(void)fb_strv_add(argv, "--ipv4-only");
	if (!guest->v4_prefix)
		(void)fb_strv_add(argv, "--ipv6-only");
	if (guest->v4_prefix) {
		add_address(argv, "--address", AF_INET, guest->v4);
		(void)fb_strv_add(argv, "--netmask");
		(void)fb_strv_addf(argv, "%u", guest->v4_prefix);
		add_address(argv, "--gateway", AF_INET, guest->v4_gateway);
		(void)fb_strv_add(argv, "--dns-forward");
		(void)fb_strv_add(argv, FB_NET_V4_DNS);
	}
	if (guest->v6_prefix) {
		add_address(argv, "--address", AF_INET6, guest->v6);
		add_address(argv, "--gateway", AF_INET6, guest->v6_gateway);
		(void)fb_strv_add(argv, "--dns-forward");
		(void)fb_strv_add(argv, FB_NET_V6_DNS);
	}
	(void)fb_strv_add(argv, "--mtu");
	(void)fb_strv_addf(argv, "%u", guest->mtu);
	(void)fb_strv_add(argv, "--fd");
	(void)fb_strv_addf(argv, "%d", fd);
	return argv->err;
}

/* the last line that it printed is the one that says why it ended */
static void keep_last_line(char *text, char *out, size_t size)
{
	char *line, *rest = text;

	out[0] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (line[0] && !strstr(line, "to syslog"))
			(void)snprintf(out, size, "%.160s", line);
}

static int wait_for_trial(pid_t pid, int pidfd, int errors_fd, char *reason,
			  size_t size)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	char text[2048];
	ssize_t n;
	int status = 0, r = poll(&p, 1, TIMEOUT_MS);

	if (r <= 0)
		(void)kill(pid, SIGKILL);
	(void)fb_spawn_wait(pid, &status);
	(void)fb_set_nonblock(errors_fd, true);
	n = read(errors_fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	keep_last_line(text, reason, size);
	if (r > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (!reason[0])
		(void)snprintf(reason, size, "%s",
			       r > 0 ? "it ended with an error"
				     : "it did not end");
	return -EIO;
}

static int try_program(const char *program,
		       const struct fb_net_passt_query *query, char *reason,
		       size_t size)
{
	FB_STRV struct fb_strv argv = { 0 };
	FB_FD int end = -EBADF, errors_r = -EBADF, errors_w = -EBADF;
	FB_FD int pidfd = -EBADF;
	struct fb_net_guest guest;
	struct fb_spawn_fd fds[2];
	struct fb_spawn spawn = { .path = program,
				  .fds = fds,
				  .fd_count = FB_ARRAY_SIZE(fds),
				  .die_with_parent = 1,
				  .drop_ids = query->drop_ids,
				  .uid = query->uid,
				  .gid = query->gid };
	int pair[2], pipe_fds[2];
	struct fb_err err = { 0 };
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	end = pair[0];
	(void)close(pair[1]);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	errors_r = pipe_fds[0];
	errors_w = pipe_fds[1];
	fds[0] = (struct fb_spawn_fd){ end, TRIAL_FD };
	fds[1] = (struct fb_spawn_fd){ errors_w, STDERR_FILENO };
	fb_net_user_plan((const uint8_t[3]){ 0 }, &guest);
	fb_net_passt_guest(&query->routes, &guest);
	if (fb_net_passt_render(&guest, TRIAL_FD, &argv) < 0)
		return -ENOMEM;
	spawn.argv = argv.v;
	if (fb_spawn(&spawn, &pid, &pidfd, &err) < 0) {
		(void)snprintf(reason, size, "%.200s", err.msg);
		return err.code;
	}
	return wait_for_trial(pid, pidfd, errors_r, reason, size);
}

static int cache_key(const char *program,
		     const struct fb_net_passt_query *query, struct fb_str *key)
{
	FB_FREE char *boot = NULL;
	struct stat st;

	if (query->cache_dir_fd < 0 || stat(program, &st) < 0 ||
	    fb_read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 100,
			    &boot, NULL) < 0)
		return -ENOENT;
	boot[strcspn(boot, "\n")] = '\0';
	/* any of our ids is as good as any other: what counts is that they drop */
	return fb_str_printf(key, "2 %s %u %d %d%d %lld.%09ld %lld %s", boot,
			     geteuid(), query->drop_ids, query->routes.v4,
			     query->routes.v6, (long long)st.st_mtim.tv_sec,
			     st.st_mtim.tv_nsec, (long long)st.st_size,
			     program);
}

/* three lines: key, "guard" or "", reason ("" = it works) */
static int read_cache(int dir_fd, const char *key, struct fb_net_passt *ret)
{
	FB_FREE char *text = NULL;
	char *line, *guard, *rest;

	if (fb_read_file_at(dir_fd, CACHE_FILE, CACHE_MAX, &text, NULL) < 0)
		return -ENOENT;
	rest = text;
	line = strsep(&rest, "\n");
	if (!rest || strcmp(line, key))
		return -ESTALE;
	guard = strsep(&rest, "\n");
	line = strsep(&rest, "\n");
	if (!line || !rest)
		return -EBADMSG;
	ret->guard = guard[0] != '\0';
	(void)snprintf(ret->reason, sizeof(ret->reason), "%s", line);
	return 0;
}

bool fb_net_passt_needs_guard(const char *text)
{
	unsigned long year, month, day;
	char *end;

	text += strcspn(text, "0123456789\n");
	year = strtoul(text, &end, 10);
	if (*end != '_')
		return true;
	month = strtoul(end + 1, &end, 10);
	if (*end != '_')
		return true;
	day = strtoul(end + 1, &end, 10);
	if (year > 9999 || month > 12 || day > 31)
		return true;
	return year * 10000 + month * 100 + day < SAFE_SINCE;
}

static bool ask_guard(const char *program)
{
	char *argv[] = { (char[]){ "passt" }, (char[]){ "--version" }, NULL };
	FB_FD int out_r = -EBADF, out_w = -EBADF;
	struct fb_spawn_fd fd = { .to = STDOUT_FILENO };
	struct fb_spawn spawn = { .path = program,
				  .argv = argv,
				  .fds = &fd,
				  .fd_count = 1,
				  .die_with_parent = 1 };
	int pipe_fds[2], status;
	char text[256];
	ssize_t n;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return true;
	out_r = pipe_fds[0];
	out_w = pipe_fds[1];
	fd.from = out_w;
	if (fb_spawn(&spawn, &pid, NULL, NULL) < 0)
		return true;
	out_w = fb_close(out_w);
	n = fb_read_full(out_r, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	(void)fb_spawn_wait(pid, &status);
	return fb_net_passt_needs_guard(text);
}

static void try_and_keep(const char *program, const char *key,
			 const struct fb_net_passt_query *query,
			 struct fb_net_passt *ret)
{
	FB_STR struct fb_str text = FB_STR_INIT(CACHE_MAX);
	char reason[sizeof(ret->reason) - 32] = "";

	if (try_program(program, query, reason, sizeof(reason)) < 0)
		(void)snprintf(ret->reason, sizeof(ret->reason),
			       "passt does not start: %s",
			       reason[0] ? reason : "no resources");
	else
		ret->guard = ask_guard(program);
	/* a cache that can't be written only costs the next trial */
	if (key && fb_str_printf(&text, "%s\n%s\n%s\n", key,
				 ret->guard ? "guard" : "", ret->reason) == 0)
		(void)fb_write_file_at(query->cache_dir_fd, CACHE_FILE,
				       text.buf, text.len, 0600);
}

void fb_net_passt_find(const struct fb_net_passt_query *query,
		       struct fb_net_passt *ret)
{
	FB_STR struct fb_str key = FB_STR_INIT(CACHE_MAX / 2);
	FB_FREE char *program =
		fb_find_program(query->path ? query->path : "passt");
	bool keep;

	*ret = (struct fb_net_passt){ 0 };
	if (!program) {
		(void)snprintf(ret->reason, sizeof(ret->reason),
			       "passt is not installed");
		return;
	}
	if (!query->routes.v4 && !query->routes.v6) {
		(void)snprintf(ret->reason, sizeof(ret->reason),
			       "the host has no route for passt to use");
		return;
	}
	keep = cache_key(program, query, &key) == 0;
	if (!keep || read_cache(query->cache_dir_fd, key.buf, ret) < 0)
		try_and_keep(program, keep ? key.buf : NULL, query, ret);
	if (!ret->reason[0])
		ret->program = FB_TAKE_PTR(program);
}
