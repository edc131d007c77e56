/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run_flags.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/format.h"
#include "cli/names.h"
#include "cli/run_rates.h"
#include "oci/env.h"
#include "volume/upper.h"

#define MEMORY_DEFAULT (512ull << 20)
#define CPU_PERIOD_US 100000.0

#define FLAG(member, letter, name, help) \
	FB_OPTION_FLAG(struct fb_run_flags, member, letter, name, help)
#define FLAG_ON(member, letter, name, help) \
	FB_OPTION_FLAG_ON(struct fb_run_flags, member, letter, name, help)
#define STRING(member, letter, name, value, help) \
	FB_OPTION_STRING(struct fb_run_flags, member, letter, name, value, help)
#define LIST(member, letter, name, value, help) \
	FB_OPTION_LIST(struct fb_run_flags, member, letter, name, value, help)
#define BYTES(member, letter, name, help) \
	FB_OPTION_BYTES(struct fb_run_flags, member, letter, name, help)

const struct fb_option fb_run_options[] = {
	FLAG(interactive, 'i', "interactive", "Forward standard input"),
	FLAG(tty, 't', "tty", "Give the command a terminal"),
	FLAG(rm, 0, "rm", "Remove the container when it ends"),
	FLAG(read_only, 0, "read-only", "Mount the root file system read-only"),
	FLAG(ephemeral, 0, "ephemeral",
	     "Keep what is written in the guest's memory instead of on a disk"),
	FLAG(init, 0, "init",
	     "Run a small init that forwards signals and reaps processes"),
	FLAG(console, 0, "console",
	     "Show the machine's console, with what its kernel says, on "
	     "standard error"),
	FLAG(quiet, 'q', "quiet", "Don't show progress"),
	FLAG_ON(sig_proxy, 0, "sig-proxy", "Forward signals to the command"),
	FLAG_ON(tls_verify, 0, "tls-verify",
		"Verify the registry's certificate when pulling"),
	STRING(name, 0, "name", "string", "Name of the container"),
	STRING(hostname, 'h', "hostname", "string", "The guest's host name"),
	STRING(workdir, 'w', "workdir", "string",
	       "Working directory, made if it is missing"),
	STRING(user, 'u', "user", "string",
	       "User name or id, and group: name|uid[:group|gid]"),
	STRING(entrypoint, 0, "entrypoint", "string",
	       "Replace the image's entrypoint; '' resets it"),
	STRING(cpus, 0, "cpus", "decimal", "Number of CPUs"),
	STRING(cidfile, 0, "cidfile", "string",
	       "Write the container's id to this file"),
	STRING(pull, 0, "pull", "string",
	       "When to pull the image: missing, always, never"),
	STRING(platform, 0, "platform", "string",
	       "Which image of several platforms, os/arch[/variant]"),
	STRING(stop_signal, 0, "stop-signal", "string",
	       "Signal that asks the container to stop"),
	STRING(network, 0, "network", "string",
	       "Network: 'default' (user mode) or 'none'"),
	STRING(engine, 0, "engine", "string", "VMM: auto, firecracker, qemu"),
	STRING(accel, 0, "accel", "string", "Accelerator: auto, kvm, tcg"),
	STRING(firecracker, 0, "firecracker", "file",
	       "Firecracker's program, instead of the one in PATH"),
	STRING(jailer, 0, "jailer", "string",
	       "Start Firecracker in a jail: auto, off, or the jailer's file"),
	STRING(kernel, 0, "kernel", "file", "Guest kernel, an ELF vmlinux"),
	STRING(initramfs, 0, "initramfs", "file", "Guest initramfs"),
	STRING(timeline, 0, "timeline", "file",
	       "Write when each phase was reached, as JSON or .svg"),
	BYTES(memory, 'm', "memory", "Memory of the machine"),
	BYTES(storage_size, 0, "storage-size", "Size of the writable disk"),
	LIST(env, 'e', "env", "list",
	     "Set a variable: NAME=value, or NAME to take it from here"),
	LIST(env_file, 0, "env-file", "list", "Read variables from a file"),
	LIST(add_host, 0, "add-host", "list",
	     "Add a line to /etc/hosts (host:ip; ip may be host-gateway)"),
	LIST(require_signature, 0, "require-signature", "key",
	     "Public key (PEM file) that must have signed the image"),
	LIST(tmpfs, 0, "tmpfs", "list", "Mount a tmpfs: path[:options]"),
	LIST(ulimit, 0, "ulimit", "list", "Resource limit: name=soft[:hard]"),
	LIST(label, 'l', "label", "list", "Set metadata: key=value"),
	LIST(label_file, 0, "label-file", "list", "Read labels from a file"),
	LIST(rates[FB_RATE_READ_BYTES], 0, "device-read-bps", "list",
	     "Limit bytes a second read from a disk: /dev/vdX:number[unit]"),
	LIST(rates[FB_RATE_WRITE_BYTES], 0, "device-write-bps", "list",
	     "Limit bytes a second written to a disk: /dev/vdX:number[unit]"),
	LIST(rates[FB_RATE_READ_OPERATIONS], 0, "device-read-iops", "list",
	     "Limit reads a second from a disk: /dev/vdX:number"),
	LIST(rates[FB_RATE_WRITE_OPERATIONS], 0, "device-write-iops", "list",
	     "Limit writes a second to a disk: /dev/vdX:number"),
	FB_OPTION_END,
};

static const char *host_variable(void *ctx, const char *name)
{
	(void)ctx;
	return getenv(name);
}

/* Put docker's "invalid argument" before what is wrong with it. Return: @code */
static int blame_flag(int code, const char *value, const char *flag,
		      struct fb_err *err)
{
	if (code < 0)
		(void)fb_err_wrap(err, code,
				  "invalid argument \"%.200s\" for \"%s\" flag",
				  value, flag);
	return code;
}

static int parse_env(const struct fb_run_flags *f, struct fb_run_parsed *p,
		     struct fb_err *err)
{
	const struct fb_env_host host = { .lookup = host_variable };
	int r = 0;

	/* docker reads files first: -e wins over them */
	for (size_t i = 0; i < f->env_file.count && r == 0; i++) {
		FB_FREE char *text = NULL;
		size_t len;

		r = fb_read_file_at(AT_FDCWD, f->env_file.v[i], FB_ENV_FILE_MAX,
				    &text, &len);
		if (r < 0)
			return fb_err_set(err, r, "open %s: %m",
					  f->env_file.v[i]);
		r = fb_env_file_parse(text, len, &host, &p->env, err);
		if (r < 0)
			return fb_err_wrap(err, r, "env file '%s'",
					   f->env_file.v[i]);
	}
	for (size_t i = 0; i < f->env.count && r == 0; i++)
		r = blame_flag(fb_env_add(f->env.v[i], &host, &p->env, err),
			       f->env.v[i], "-e, --env", err);
	return r;
}

static int add_label(const char *text, struct fb_run_parsed *p,
		     struct fb_err *err)
{
	int r;

	if (!text[0] || text[0] == '=')
		return fb_err_set(err, -EINVAL,
				  "invalid label '%s': empty name", text);
	r = fb_strv_add(&p->labels, text);
	return r < 0 ? fb_err_set(err, r, "read labels: %m") : 0;
}

static int parse_labels(const struct fb_run_flags *f, struct fb_run_parsed *p,
			struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < f->label_file.count && r == 0; i++) {
		FB_FREE char *text = NULL;
		size_t len;

		r = fb_read_file_at(AT_FDCWD, f->label_file.v[i],
				    FB_ENV_FILE_MAX, &text, &len);
		if (r < 0)
			return fb_err_set(err, r, "open %s: %m",
					  f->label_file.v[i]);
		r = fb_env_file_parse(text, len, NULL, &p->labels, err);
		if (r < 0)
			return fb_err_wrap(err, r, "label file '%s'",
					   f->label_file.v[i]);
	}
	for (size_t i = 0; i < f->label.count && r == 0; i++)
		r = blame_flag(add_label(f->label.v[i], p, err), f->label.v[i],
			       "-l, --label", err);
	return r;
}

static int parse_ulimits(const struct fb_run_flags *f, struct fb_run_parsed *p,
			 struct fb_err *err)
{
	for (size_t i = 0; i < f->ulimit.count; i++) {
		const char *text = f->ulimit.v[i];
		struct fb_rlimit limit;
		unsigned int k = 0;
		int r = fb_rlimit_parse(text, &limit, err);

		if (r < 0)
			return blame_flag(r, text, "--ulimit", err);
		/* of two for the same the later one counts */
		while (k < p->rlimit_count &&
		       strcmp(p->rlimits[k].name, limit.name))
			k++;
		if (k == FB_RLIMITS_MAX)
			return fb_err_set(err, -EINVAL, "over %d ulimits",
					  FB_RLIMITS_MAX);
		p->rlimits[k] = limit;
		if (k == p->rlimit_count)
			p->rlimit_count++;
	}
	return 0;
}

static int parse_rates(const struct fb_run_flags *f, struct fb_run_parsed *p,
		       struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < FB_RATE_COUNT && r == 0; i++)
		r = fb_run_rates_parse(&f->rates[i], (enum fb_machine_rate)i,
				       p->rates, err);
	return r;
}

static unsigned int host_cpus(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (unsigned int)n;
}

static int parse_cpus(const struct fb_run_flags *f, const struct fb_cli *cli,
		      struct fb_run_parsed *p, struct fb_err *err)
{
	unsigned int host = host_cpus();
	double value;
	char *end;

	p->cpus = cli->config.cpus ? (unsigned int)cli->config.cpus : 1;
	if (!f->cpus)
		return 0;
	value = strtod(f->cpus, &end);
	if (*end || end == f->cpus || !isfinite(value) ||
	    strspn(f->cpus, "0123456789.") != strlen(f->cpus))
		return fb_err_set(err, -EINVAL,
				  "invalid argument \"%s\" for \"--cpus\" "
				  "flag: failed to parse %s as a rational "
				  "number",
				  f->cpus, f->cpus);
	if (value < 0.01 || value > host)
		return fb_err_set(err, -EINVAL,
				  "range of CPUs is from 0.01 to %u.00, as "
				  "there are only %u CPUs available",
				  host, host);
	p->cpus = (unsigned int)ceil(value);
	if (value < p->cpus)
		p->cpu_quota_us = (uint64_t)(value * CPU_PERIOD_US + 0.5);
	return 0;
}

static int parse_network(const char *text, enum fb_container_net *ret,
			 struct fb_err *err)
{
	*ret = FB_CONTAINER_NET_USER;
	/* docker's "default" network is called "bridge" */
	if (!text || !strcmp(text, "default") || !strcmp(text, "bridge") ||
	    !strcmp(text, "user"))
		return 0;
	if (strcmp(text, "none"))
		return fb_err_hint(err,
				   fb_err_set(err, -EINVAL,
					      "network %s not found", text),
				   "use 'default' or 'none'");
	*ret = FB_CONTAINER_NET_NONE;
	return 0;
}

static int check_texts(const struct fb_run_flags *f, struct fb_err *err)
{
	if (f->hostname &&
	    (!f->hostname[0] || strlen(f->hostname) > FB_RUN_HOSTNAME_MAX ||
	     strpbrk(f->hostname, " \t\n/:")))
		return fb_err_set(err, -EINVAL, "invalid hostname: '%s'",
				  f->hostname);
	if (f->cidfile && access(f->cidfile, F_OK) == 0)
		return fb_err_set(err, -EEXIST,
				  "container ID file found, make sure the "
				  "other container isn't running or delete %s",
				  f->cidfile);
	if (f->workdir && f->workdir[0] && f->workdir[0] != '/')
		return fb_err_set(err, -EINVAL,
				  "the working directory '%s' is invalid, it "
				  "needs to be an absolute path",
				  f->workdir);
	if (f->stop_signal && fb_signal_parse(f->stop_signal) < 0)
		return fb_err_set(err, -EINVAL, "invalid signal: %s",
				  f->stop_signal);
	if (f->tty && f->interactive && !isatty(STDIN_FILENO))
		return fb_err_set(err, -ENOTTY,
				  "the input device is not a TTY");
	return 0;
}

static int check_file(const char *path, struct fb_err *err)
{
	if (path && access(path, R_OK) < 0)
		return fb_err_set(err, -errno, "open %s: %m", path);
	return 0;
}

struct fb_engine_wish fb_run_flags_wish(const struct fb_run_flags *flags,
					const struct fb_cli *cli)
{
	const struct fb_config *config = &cli->config;
	const char *kvm = getenv("FLAMEBOX_TEST_KVM");

	return (struct fb_engine_wish){
		.engine = flags->engine ? flags->engine : config->engine,
		.accel = flags->accel ? flags->accel : config->accel,
		.firecracker = flags->firecracker ? flags->firecracker
						  : config->firecracker,
		.jailer = flags->jailer ? flags->jailer : config->jailer,
		.interpreted = kvm && !strcmp(kvm, "emulating"),
	};
}

/* what needs no image to be found wrong */
static int check_machine(const struct fb_run_flags *f, const struct fb_cli *cli,
			 struct fb_err *err)
{
	FB_ENGINE_CHOICE struct fb_engine_choice choice = { 0 };
	const struct fb_probe nothing = { .kvm = FB_KVM_UNKNOWN };
	struct fb_engine_wish wish = fb_run_flags_wish(f, cli);
	struct fb_err unknown = { 0 };
	int r = check_file(f->kernel ? f->kernel : cli->config.kernel, err);

	if (r == 0)
		r = check_file(f->initramfs, err);
	if (r < 0)
		return r;
	/* only the names: whether the host can is asked when it is known */
	r = fb_engine_select(&wish, &nothing, &choice, &unknown);
	return r == -EINVAL ? fb_err_set(err, r, "%s", unknown.msg) : 0;
}

static int check_memory(uint64_t bytes, struct fb_err *err)
{
	struct sysinfo host;
	char want[32], have[32];
	uint64_t total;

	if (sysinfo(&host) < 0)
		return 0;
	total = (uint64_t)host.totalram * host.mem_unit;
	if (bytes <= total)
		return 0;
	return fb_err_set(err, -EINVAL,
			  "memory limit of %s is over the %s that this host "
			  "has",
			  fb_format_size(bytes, want),
			  fb_format_size(total, have));
}

static void set_sizes(const struct fb_run_flags *f, const struct fb_cli *cli,
		      struct fb_run_parsed *p)
{
	const struct fb_config *c = &cli->config;

	p->memory_bytes = f->memory.given   ? f->memory.value
			  : c->memory_bytes ? c->memory_bytes
					    : MEMORY_DEFAULT;
	p->storage_bytes = f->storage_size.given   ? f->storage_size.value
			   : c->storage_size_bytes ? c->storage_size_bytes
						   : FB_UPPER_SIZE_DEFAULT;
}

int fb_run_flags_parse(const struct fb_run_flags *flags,
		       const struct fb_cli *cli, struct fb_run_parsed *ret,
		       struct fb_err *err)
{
	int r;

	ret->pull = FB_PULL_MISSING;
	if ((r = check_texts(flags, err)) < 0 ||
	    (r = check_machine(flags, cli, err)) < 0 ||
	    (r = parse_cpus(flags, cli, ret, err)) < 0 ||
	    (r = parse_network(flags->network, &ret->net, err)) < 0 ||
	    (r = parse_ulimits(flags, ret, err)) < 0 ||
	    (r = parse_rates(flags, ret, err)) < 0 ||
	    (r = parse_env(flags, ret, err)) < 0 ||
	    (r = parse_labels(flags, ret, err)) < 0)
		return r;
	set_sizes(flags, cli, ret);
	r = check_memory(ret->memory_bytes, err);
	if (r == 0 && flags->pull)
		r = fb_pull_policy_parse(flags->pull, &ret->pull, err);
	return r < 0 ? r
		     : fb_names_platform(flags->platform,
					 &ret->platform_storage, &ret->platform,
					 err);
}

void fb_run_parsed_release(struct fb_run_parsed *parsed)
{
	fb_strv_release(&parsed->env);
	fb_strv_release(&parsed->labels);
}
