/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What PID 1 is told: the spec, and its codec (records: spec_records.h).
 *
 * The client encodes it once; the monitor forwards the bytes as BEGIN frames
 * without looking into them, and appends what must be fresh when the guest
 * begins: the wall clock and the seed of its random numbers.
 */
#ifndef FB_WIRE_SPEC_H
#define FB_WIRE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "flamebox/guest_abi.h"

#define FB_SPEC_ARGS_MAX 65536u
#define FB_SPEC_ENV_MAX 65536u
/* One argument, variable or other text, NUL included: Linux' MAX_ARG_STRLEN */
#define FB_SPEC_TEXT_MAX 131072u
#define FB_SPEC_TMPFS_MAX 256u
#define FB_SPEC_RLIMITS_MAX 16u
#define FB_SPEC_SEED_SIZE 64u

/** struct fb_spec_rlimit - As struct fb_rlimit of oci/process.h */
struct fb_spec_rlimit {
	char name[16];
	uint64_t soft;
	uint64_t hard;
};

/**
 * struct fb_spec_tmpfs - One --tmpfs
 * @path:    Absolute, in the container
 * @options: docker's ("size=64m,mode=1777,exec"); "" = its defaults;
 *           wire/mountopt.h parses them, on the host to refuse early
 */
struct fb_spec_tmpfs {
	const char *path;
	const char *options;
};

enum fb_spec_fs {
	FB_SPEC_FS_SQUASHFS = 1,
	FB_SPEC_FS_EROFS,
	FB_SPEC_FS_EXT4,
	FB_SPEC_FS_END
};

/** struct fb_spec_addr - One address; @prefix 0 = none. Network byte order */
struct fb_spec_addr {
	uint8_t addr[16];
	uint8_t gateway[16];
	uint8_t prefix;
	bool has_gateway;
};

/**
 * struct fb_spec_net - The network
 * @name: Interface name in the guest, usually "eth0"; "" = loopback only
 * @mac:  To be set; all zero = as the device has it
 * @mtu:  0 = as the device has it
 * @v4:   The first 4 bytes of the addresses count
 * @v6:   No duplicate address detection
 *
 * Nothing asks for an address: what stands here is set.
 */
struct fb_spec_net {
	char name[16];
	uint8_t mac[6];
	uint32_t mtu;
	struct fb_spec_addr v4;
	struct fb_spec_addr v6;
};

/**
 * struct fb_spec_process - What runs; what exec will send is the same
 * @args:  At least one, NULL-terminated where decoded; @arg_count entries
 * @env:   "NAME=value", any bytes but NUL; @env_count entries
 * @cwd:   Absolute; made if missing; NULL = "/"
 * @user:  docker's "name|uid[:group|gid]"; NULL or "" = root
 * @size:  First size of the terminal; rows 0 = unknown
 * @stdin_open: Host will send stdin; otherwise it is /dev/null (with @terminal
 *         the terminal is its stdin in either case)
 * @rlimits: Over the defaults
 */
struct fb_spec_process {
	char *const *args;
	size_t arg_count;
	char *const *env;
	size_t env_count;
	const char *cwd;
	const char *user;
	bool terminal;
	bool stdin_open;
	struct fb_guest_winsize size;
	struct fb_spec_rlimit rlimits[FB_SPEC_RLIMITS_MAX];
	size_t rlimit_count;
};

/**
 * struct fb_spec_root - What the container's / is made of
 * @device: "/dev/vda": the image
 * @fs:     Its type
 * @upper_device: "/dev/vdb", an ext4; NULL = a tmpfs
 * @upper_size_bytes: Of that tmpfs; 0 = half of the memory
 * @disposable: What is written will be thrown away: the end need not sync it
 * @read_only: The container may not write to /; no upper is needed then,
 *          and @upper_device is not touched
 */
struct fb_spec_root {
	const char *device;
	enum fb_spec_fs fs;
	const char *upper_device;
	uint64_t upper_size_bytes;
	bool disposable;
	bool read_only;
};

/**
 * struct fb_guest_spec - All of it
 * @hostname:    NULL or "" = left alone; also in /etc/hostname
 * @hosts:       Whole text of /etc/hosts; NULL = the image's is left
 * @resolv_conf: Whole text of /etc/resolv.conf; NULL = the image's is left
 * @tmpfs:       In the order given; @tmpfs_count entries
 * @init:        A small reaper is PID 1, the entrypoint its child
 * @cpu_quota_us: Of @cpu_period_us; 0 = no limit
 * @pids_max:    0 = no limit
 * @debug:       LOG frames tell when each phase was reached
 * @has_clock:   @clock_sec, @clock_nsec are the wall clock to be set
 * @has_seed:    @seed goes into the random pool before anything runs
 *
 * In a decoded object every pointer leads into memory that it owns.
 */
struct fb_guest_spec {
	struct fb_spec_process process;
	struct fb_spec_root root;
	struct fb_spec_net net;
	const char *hostname;
	const char *hosts;
	const char *resolv_conf;
	const struct fb_spec_tmpfs *tmpfs;
	size_t tmpfs_count;
	bool init;
	uint64_t cpu_quota_us;
	uint64_t cpu_period_us;
	uint64_t pids_max;
	bool debug;
	bool has_clock;
	uint64_t clock_sec;
	uint32_t clock_nsec;
	bool has_seed;
	uint8_t seed[FB_SPEC_SEED_SIZE];
	void *owned; /* of the codec */
};

/**
 * fb_spec_encode() - The bytes that BEGIN frames carry
 * @spec: What (borrowed); clock and seed are encoded only where they are set
 * @out:  Appended to; its maximum should be FB_SPEC_ENCODED_MAX
 *
 * Return: 0; -E2BIG over a maximum; -EINVAL for what no guest would take (no
 * argument, a relative path, a bad network), with the reason; -ENOMEM.
 */
int fb_spec_encode(const struct fb_guest_spec *spec, struct fb_str *out,
		   struct fb_err *err);

/* Bytes of what fb_spec_put_fresh() makes */
#define FB_SPEC_FRESH_SIZE \
	(2 * sizeof(struct fb_guest_spec_record) + 12 + FB_SPEC_SEED_SIZE)
/* Most bytes of an encoded spec, so that what is fresh fits behind it */
#define FB_SPEC_ENCODED_MAX (FB_GUEST_SPEC_MAX - FB_SPEC_FRESH_SIZE)

/**
 * fb_spec_put_fresh() - What the sender appends to an encoded spec, last thing
 * @out:  FB_SPEC_FRESH_SIZE bytes; the payload of the last BEGIN frame
 * @sec:  Wall clock
 * @nsec: Wall clock
 * @seed: FB_SPEC_SEED_SIZE bytes of the host's randomness
 */
void fb_spec_put_fresh(uint8_t *out, uint64_t sec, uint32_t nsec,
		       const uint8_t *seed);

/**
 * fb_spec_decode() - Read a whole spec
 * @blob: malloc'ed bytes; taken on success, the caller's on failure
 * @len:  Count, at most FB_GUEST_SPEC_MAX
 * @ret:  Release with fb_spec_release(); written on success only
 *
 * Return: 0; -EPROTO malformed, or a needed record is missing; -ENOTSUP a
 * record of a later version; -E2BIG over a maximum; -ENOMEM.
 */
int fb_spec_decode(uint8_t *blob, size_t len, struct fb_guest_spec *ret,
		   struct fb_err *err);

/** fb_spec_release() - Free what a decoded spec owns; a zeroed one is fine */
void fb_spec_release(struct fb_guest_spec *spec);

#endif
