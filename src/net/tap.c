/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory of operation.  A child enters new namespaces, makes the tap and the socket,
 * and sends the descriptors back; its own end leaves only what they hold.
 */
#include "net/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

/* what the headers of older distributions lack */
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* of frames that wait for flamebox-net: some hundred small ones, or 60 large */
#define RECEIVE_BYTES (4 << 20)

/* what the child says: a step that failed, or "" and the descriptors */
struct answer {
	int code;
	char step[40];
};

enum { FD_FRAMES, FD_NET, FD_USER, FD_COUNT };

static int write_text(const char *path, const char *text)
{
	FB_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fb_write_full(fd, text, strlen(text));
}

/* the same numbers inside: files and devices are ours as before */
static int keep_ids(uid_t uid, gid_t gid)
{
	char text[64];
	int r = write_text("/proc/self/setgroups", "deny");

	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%u %u 1\n", uid, uid);
	r = write_text("/proc/self/uid_map", text);
	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text), "%u %u 1\n", gid, gid);
	return write_text("/proc/self/gid_map", text);
}

static int enter(bool root)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(root ? CLONE_NEWNET : CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	return root ? 0 : keep_ids(uid, gid);
}

/* it stays when nobody has it open: the VMM comes later */
static int make_device(const char *name, uid_t owner)
{
	FB_FD int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	struct ifreq request = { .ifr_flags =
					 IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0 ||
	    ioctl(fd, TUNSETOWNER, (unsigned long)owner) < 0 ||
	    ioctl(fd, TUNSETPERSIST, 1UL) < 0)
		return -errno;
	return 0;
}

static int set_up(int fd, const char *name, uint32_t mtu)
{
	struct ifreq request = { .ifr_mtu = (int)mtu };
	char path[64];

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCSIFMTU, &request) < 0)
		return -errno;
	/* nothing of this namespace's kernel is to speak on it; without IPv6 there
	 * is no such file, and nothing to forbid */
	(void)snprintf(path, sizeof(path),
		       "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	(void)write_text(path, "1");
	request.ifr_flags = IFF_UP | IFF_NOARP;
	return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

static int open_frames(const char *name, uint32_t mtu, int *ret)
{
	/* protocol 0: it gets nothing before it is bound */
	FB_FD int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll at = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL) };
	int one = 1, size = RECEIVE_BYTES;
	int r = fd < 0 ? -errno : set_up(fd, name, mtu);

	if (r < 0)
		return r;
	at.sll_ifindex = (int)if_nametoindex(name);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) <
		    0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return -errno;
	*ret = FB_TAKE_FD(fd);
	return 0;
}

static int send_answer(int to, const struct answer *answer, const int *fds,
		       size_t count)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * FD_COUNT)];
	} control = { 0 };
	struct iovec text = { (void *)(uintptr_t)answer, sizeof(*answer) };
	struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1 };

	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * count);
	}
	return sendmsg(to, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static const char *make_all(const char *name, uid_t owner, uint32_t mtu,
			    int *fds, int *ret)
{
	bool root = geteuid() == 0;

	if ((*ret = enter(root)) < 0)
		return root ? "network namespace" : "user namespace";
	if ((*ret = make_device(name, owner)) < 0)
		return "tap on /dev/net/tun";
	if ((*ret = open_frames(name, mtu, &fds[FD_FRAMES])) < 0)
		return "packet socket";
	fds[FD_NET] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	fds[FD_USER] = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	*ret = fds[FD_NET] < 0 || fds[FD_USER] < 0 ? -errno : 0;
	return *ret < 0 ? "namespace" : "";
}

static void child_main(int to, const char *name, uid_t owner, uint32_t mtu)
	__attribute__((noreturn));

static void child_main(int to, const char *name, uid_t owner, uint32_t mtu)
{
	struct answer answer = { 0 };
	int fds[FD_COUNT];
	const char *step = make_all(name, owner, mtu, fds, &answer.code);

	(void)snprintf(answer.step, sizeof(answer.step), "%s", step);
	(void)send_answer(to, &answer, fds,
			  answer.code < 0  ? 0
			  : geteuid() == 0 ? FD_USER
					   : FD_COUNT);
	_exit(0);
}

/* Return: descriptors in @fds, -EBADF where none came; the child's answer */
static int receive_answer(int from, struct answer *answer, int *fds)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int) * FD_COUNT)];
	} control = { 0 };
	struct iovec text = { answer, sizeof(*answer) };
	struct msghdr message = { .msg_iov = &text,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	ssize_t n;
	size_t len;

	do
		n = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*answer))
		return n < 0 ? -errno : -EIO;
	answer->step[sizeof(answer->step) - 1] = '\0';
	if (message.msg_controllen == 0)
		return answer->code < 0 ? 0 : -EIO;
	len = control.head.cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(&control.head),
	       len < sizeof(int) * FD_COUNT ? len : sizeof(int) * FD_COUNT);
	return 0;
}

static int explain(const struct answer *answer, struct fb_err *err)
{
	int r = fb_err_set(err, answer->code, "make the network's %s: %m",
			   answer->step);

	if (!strncmp(answer->step, "user", 4))
		return fb_err_hint(err, r,
				   "this host forbids user namespaces: "
				   "`flamebox doctor` says how to allow them, "
				   "or use --network none");
	if (!strncmp(answer->step, "tap", 3))
		return fb_err_hint(err, r,
				   "modprobe tun; chmod 666 /dev/net/tun");
	return r;
}

/* the VMM opens the tap as a user of its own */
static int check_right(uid_t owner, struct fb_err *err)
{
	struct stat st;
	int r;

	if (geteuid() != 0 || owner == 0 || stat("/dev/net/tun", &st) < 0 ||
	    (st.st_mode & 06) == 06)
		return 0;
	r = fb_err_set(err, -EACCES,
		       "/dev/net/tun is for root only, and machines that root "
		       "starts run as other users");
	return fb_err_hint(err, r, "chmod 666 /dev/net/tun");
}

int fb_net_tap_make(const char *name, uid_t owner, uint32_t mtu,
		    struct fb_net_tap *ret, struct fb_err *err)
{
	int fds[FD_COUNT] = { -EBADF, -EBADF, -EBADF }, pair[2], status, r;
	FB_FD int ours = -EBADF;
	struct answer answer;
	pid_t pid;

	r = check_right(owner, err);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fb_err_set(err, -errno, "make the network's tap: %m");
	ours = pair[0];
	pid = fork();
	if (pid == 0)
		child_main(pair[1], name, owner, mtu);
	(void)close(pair[1]);
	if (pid < 0)
		return fb_err_set(err, -errno, "make the network's tap: %m");
	r = receive_answer(ours, &answer, fds);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return fb_err_set(err, r, "make the network's tap: %m");
	if (answer.code < 0)
		return explain(&answer, err);
	*ret = (struct fb_net_tap){ .user_ns = fds[FD_USER],
				    .net_ns = fds[FD_NET],
				    .frames = fds[FD_FRAMES] };
	(void)fb_set_nonblock(ret->frames, true);
	return 0;
}

void fb_net_tap_release(struct fb_net_tap *tap)
{
	tap->user_ns = fb_close(tap->user_ns);
	tap->net_ns = fb_close(tap->net_ns);
	tap->frames = fb_close(tap->frames);
}
