/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of `run`, and what they mean together. */
#ifndef FB_CLI_RUN_FLAGS_H
#define FB_CLI_RUN_FLAGS_H

#include "cli/cli.h"
#include "container/container.h"
#include "image/pull.h"
#include "machine/engine.h"
#include "oci/process.h"

#define FB_RUN_HOSTNAME_MAX 63

struct fb_run_flags {
	bool interactive;
	bool tty;
	bool rm;
	bool read_only;
	bool ephemeral;
	bool init;
	bool quiet;
	bool console;
	bool sig_proxy;
	bool tls_verify;
	const char *name;
	const char *hostname;
	const char *workdir;
	const char *user;
	const char *entrypoint;
	const char *cpus;
	const char *cidfile;
	const char *pull;
	const char *platform;
	const char *stop_signal;
	const char *network;
	const char *engine;
	const char *accel;
	const char *firecracker;
	const char *jailer;
	const char *kernel;
	const char *initramfs;
	const char *timeline;
	struct fb_option_number memory;
	struct fb_option_number storage_size;
	struct fb_strv env;
	struct fb_strv env_file;
	struct fb_strv add_host;
	struct fb_strv tmpfs;
	struct fb_strv ulimit;
	struct fb_strv label;
	struct fb_strv label_file;
	struct fb_strv rates[FB_RATE_COUNT];
	struct fb_strv require_signature;
};

extern const struct fb_option fb_run_options[];

/** struct fb_run_parsed - The flags' values, checked */
struct fb_run_parsed {
	struct fb_strv env;
	struct fb_strv labels;
	struct fb_rlimit rlimits[FB_RLIMITS_MAX];
	unsigned int rlimit_count;
	enum fb_pull_policy pull;
	struct fb_platform platform_storage;
	const struct fb_platform *platform; /* NULL = not given */
	enum fb_container_net net;
	unsigned int cpus;
	uint64_t cpu_quota_us;
	uint64_t memory_bytes;
	uint64_t storage_bytes;
	uint64_t rates[FB_CONTAINER_DISKS_MAX][FB_RATE_COUNT];
};

/**
 * fb_run_flags_parse() - Check and translate
 * @flags: As parsed (borrowed)
 * @cli:   For the configuration's defaults
 * @ret:   Zeroed; release with fb_run_parsed_release(), also after a failure;
 *         must not move afterwards
 *
 * Return: 0; -EINVAL with docker's text; a negative errno.
 */
int fb_run_flags_parse(const struct fb_run_flags *flags,
		       const struct fb_cli *cli, struct fb_run_parsed *ret,
		       struct fb_err *err);

/**
 * fb_run_flags_wish() - Which engine the flags, otherwise the configuration, ask for
 *
 * FLAMEBOX_TEST_KVM=emulating in the environment takes a KVM that interprets.
 *
 * Return: what fb_engine_select() takes; all of it borrowed.
 */
struct fb_engine_wish fb_run_flags_wish(const struct fb_run_flags *flags,
					const struct fb_cli *cli);

void fb_run_parsed_release(struct fb_run_parsed *parsed);

#endif
