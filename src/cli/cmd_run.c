/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The street from an image reference to an exit status: flags → image → root
 * file system → container → session → exit record.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "cli/cli.h"
#include "cli/names.h"
#include "cli/report.h"
#include "cli/run_flags.h"
#include "cli/timeline.h"
#include "container/container.h"
#include "container/session.h"
#include "image/pull.h"
#include "image/rootfs.h"

/* a guest in software on a busy machine takes seconds, not minutes */
#define BOOT_TIMEOUT_S 180
/* where KVM interprets the guest: only tests wait for that */
#define BOOT_TIMEOUT_INTERPRETED_S 600
/* docker's, when it loses a container's shim */
#define EXIT_LOST 137

/* what one run gathers on its way */
struct run {
	struct fb_cli *cli;
	const struct fb_run_flags *flags;
	const struct fb_call *call;
	struct fb_run_parsed parsed;
	struct fb_image_context ctx;
	struct fb_image_record image;
	struct fb_image_details details;
	struct fb_image_rootfs rootfs;
	struct fb_container container;
	struct fb_process process;
	struct fb_timeline timeline;
	char hostname[FB_RUN_HOSTNAME_MAX + 1];
};

static int obtain_image(struct run *run, struct fb_err *err)
{
	struct fb_registry_options registry =
		fb_names_registry_options(run->cli, run->flags->tls_verify);
	struct fb_image_pull pull = { .reference = run->call->args[0],
				      .platform = run->parsed.platform,
				      .registry = &registry };
	enum fb_pull_policy policy = run->parsed.pull;
	FB_TRUST struct fb_trust trust = { 0 };
	char text[FB_REFERENCE_TEXT_MAX];
	struct fb_reference ref;
	int r = fb_names_trust(&run->flags->require_signature, &trust, err);

	if (r < 0)
		return r;
	pull.trust = &trust;
	if (policy == FB_PULL_MISSING) {
		r = fb_image_obtain(&run->ctx, &pull, FB_PULL_NEVER,
				    &run->image, NULL, err);
		if (r != -ENOENT)
			return r;
		*err = (struct fb_err){ 0 };
		if (!run->flags->quiet &&
		    fb_reference_parse(run->call->args[0], &ref, NULL) == 0)
			(void)fprintf(run->cli->err,
				      "Unable to find image '%s' locally\n",
				      fb_reference_familiar(&ref, text));
	}
	return fb_image_obtain(&run->ctx, &pull, policy, &run->image, NULL,
			       err);
}

static int check_platform(const struct run *run, struct fb_err *err)
{
	const struct fb_platform *have = &run->details.config.platform;
	struct fb_platform host;
	char a[100], b[100];

	fb_platform_host(&host);
	if (!have->os[0] || fb_platform_rank(&host, have) > 0)
		return 0;
	return fb_err_hint(
		err,
		fb_err_set(err, -EOPNOTSUPP,
			   "image '%s' is for %s, this machine is %s",
			   run->call->args[0], fb_platform_format(have, a),
			   fb_platform_format(&host, b)),
		"pull it with --platform %s", b);
}

static int get_image(struct run *run, struct fb_err *err)
{
	FB_IMAGE_PROGRESS struct fb_image_progress progress = { 0 };
	char digest[FB_DIGEST_TEXT_MAX];
	int r;

	fb_image_progress_start(&progress, run->cli, run->flags->quiet);
	run->ctx.progress = &progress.progress;
	r = obtain_image(run, err);
	fb_timeline_mark(&run->timeline, "image");
	if (r == 0)
		r = fb_image_inspect(&run->ctx,
				     fb_digest_format(&run->image.manifest,
						      digest),
				     &run->details, err);
	if (r == 0)
		r = check_platform(run, err);
	if (r == 0)
		r = fb_image_ensure_rootfs(&run->ctx, &run->image, NULL,
					   &run->rootfs, err);
	fb_timeline_mark(&run->timeline, "rootfs");
	run->ctx.progress = NULL;
	return r;
}

static int create_container(struct run *run, struct fb_err *err)
{
	struct fb_container_new what = {
		.name = run->flags->name,
		.image = run->call->args[0],
		.manifest = run->image.manifest,
		.auto_remove = run->flags->rm,
	};
	const char *wanted = run->flags->hostname;
	int r = fb_container_create(run->ctx.store, &what, &run->container,
				    err);

	if (r < 0)
		return r;
	(void)snprintf(run->hostname, sizeof(run->hostname), "%.*s",
		       wanted ? FB_RUN_HOSTNAME_MAX : 12,
		       wanted ? wanted : run->container.handle.id);
	return 0;
}

static int merge_process(struct run *run, struct fb_err *err)
{
	struct fb_process_flags flags = {
		.entrypoint = run->flags->entrypoint,
		.args = run->call->args + 1,
		.env = run->parsed.env.v,
		.cwd = run->flags->workdir,
		.user = run->flags->user,
		.hostname = run->hostname,
		.stop_signal = run->flags->stop_signal,
		.terminal = run->flags->tty,
		.rlimits = run->parsed.rlimits,
		.rlimit_count = run->parsed.rlimit_count,
	};

	return fb_process_merge(&run->details.config, &flags, &run->process,
				err);
}

static int write_cidfile(const struct run *run, struct fb_err *err)
{
	const char *path = run->flags->cidfile;
	int r;

	if (!path)
		return 0;
	r = fb_write_file_at(AT_FDCWD, path, run->container.handle.id,
			     FB_CONTAINER_ID_LEN, 0644);
	return r < 0 ? fb_err_set(err, r, "write '%s': %m", path) : 0;
}

static struct fb_container_spec container_spec(const struct run *run)
{
	const struct fb_run_flags *f = run->flags;
	const struct fb_config *config = &run->cli->config;
	struct fb_engine_wish wish = fb_run_flags_wish(f, run->cli);
	struct fb_container_spec spec = {
		.process = &run->process,
		.root_fd = run->rootfs.fd,
		.hostname = run->hostname,
		.add_hosts = f->add_host.v,
		.tmpfs = f->tmpfs.v,
		.labels = run->parsed.labels.v,
		.stdin_open = f->interactive,
		.init = f->init,
		.read_only = f->read_only,
		.ephemeral = f->ephemeral,
		.storage_bytes = run->parsed.storage_bytes,
		.cpus = run->parsed.cpus,
		.cpu_quota_us = run->parsed.cpu_quota_us,
		.memory_bytes = run->parsed.memory_bytes,
		.net = run->parsed.net,
		.engine = wish,
		.kernel = f->kernel ? f->kernel : config->kernel,
		.initramfs = f->initramfs,
		.debug = f->timeline != NULL ||
			 run->cli->log.level >= FB_LOG_DEBUG,
		.timed = f->timeline != NULL,
		.console = f->console,
		.boot_timeout_s = wish.interpreted ? BOOT_TIMEOUT_INTERPRETED_S
						   : BOOT_TIMEOUT_S,
	};

	memcpy(spec.rates, run->parsed.rates, sizeof(spec.rates));
	return spec;
}

/* when init reached what, on our clock: "ready" is its HELLO, and the kernel's clock
 * begins with it */
static void mark_guest(struct fb_timeline *t,
		       const struct fb_session_result *seen)
{
	uint64_t ready = 0;

	for (size_t i = 0; i < seen->phase_count; i++)
		if (!strcmp(seen->phases[i].name, "ready"))
			ready = seen->phases[i].ns;
	fb_timeline_mark_at(t, "ready", seen->hello_ns);
	if (!ready || seen->hello_ns <= ready)
		return;
	fb_timeline_mark_at(t, "kernel", seen->hello_ns - ready);
	for (size_t i = 0; i < seen->phase_count; i++)
		if (seen->phases[i].ns != ready)
			fb_timeline_mark_at(t, seen->phases[i].name,
					    seen->hello_ns - ready +
						    seen->phases[i].ns);
}

static void mark_session(struct run *run, const struct fb_session_result *seen)
{
	struct fb_timeline *t = &run->timeline;

	if (!run->flags->timeline)
		return;
	fb_timeline_mark_at(t, "VMM up", seen->vmm_ns);
	fb_timeline_mark_at(t, "InstanceStart", seen->start_ns);
	mark_guest(t, seen);
	fb_timeline_mark_at(t, "entrypoint", seen->started_ns);
	fb_timeline_mark_at(t, "exit", seen->exit_ns);
	fb_timeline_mark(t, "gone");
}

static int report_end(struct run *run, const struct fb_exit_record *record,
		      const struct fb_session_result *seen)
{
	int status = fb_exit_record_status(record);
	struct fb_err said = { 0 };

	if (fb_exit_record_error(record, &said) < 0) {
		fb_report(run->cli, &said);
		fb_container_log_console(&run->container, &run->cli->log);
	}
	if (record->oom)
		fb_log(&run->cli->log, FB_LOG_INFO,
		       "the guest ran out of memory: raise --memory");
	if (record->disk_full)
		fb_log(&run->cli->log, FB_LOG_INFO,
		       "the writable disk was full: raise --storage-size");
	if (!seen->output_error)
		return status;
	fb_err_set(&said, seen->output_error, "write output: %m");
	fb_report(run->cli, &said);
	return status ? status : 1;
}

/* Return: exit status; a negative errno where the command never ran */
static int finish(struct run *run, const struct fb_session_result *seen,
		  int session, struct fb_err *err)
{
	struct fb_exit_record record;
	struct fb_err lost = { 0 };
	int r = fb_container_wait(&run->container, &record, &lost);

	mark_session(run, seen);
	if (seen->aborted_by)
		return 128 + seen->aborted_by;
	if (r < 0 && seen->exited) {
		/* the guest's word reached us all the same */
		fb_log(&run->cli->log, FB_LOG_INFO, "%s", lost.msg);
		record = seen->exit;
	} else if (r < 0 && session == 0) {
		*err = lost;
		session = r;
	}
	if (session == 0)
		return report_end(run, &record, seen);
	if (!seen->started_ns)
		return session;
	fb_report(run->cli, err);
	return EXIT_LOST;
}

static int start_and_follow(struct run *run, struct fb_err *err)
{
	bool interactive = run->flags->interactive;
	struct fb_container_spec spec = container_spec(run);
	struct fb_session_options options = {
		.stdin_open = interactive,
		.terminal = run->flags->tty,
		.raw = run->flags->tty && interactive,
		.sig_proxy = run->flags->sig_proxy,
		.log = &run->cli->log,
		.show_console = spec.console,
		.timed = spec.timed,
	};
	struct fb_session_result seen;
	int r = fb_container_start(&run->container, &spec, &run->cli->log, err);

	fb_timeline_mark_at(&run->timeline, "prepare",
			    run->container.prepared_ns);
	if (r < 0)
		return r;
	(void)fflush(run->cli->out);
	options.console = run->container.console;
	options.watch = run->container.watch;
	options.watch_folder = run->container.watch_folder;
	r = fb_session_run(run->container.socket, &options, &seen, err);
	run->container.socket = -EBADF;
	return finish(run, &seen, r, err);
}

/* `rm -f` from another terminal may have been faster, or be at it */
static void remove_container(struct run *run)
{
	struct fb_err err = { 0 };
	int r = fb_container_remove(&run->container, &err);

	if (r < 0 && r != -ENOENT && r != -EBUSY)
		fb_log(&run->cli->log, FB_LOG_WARN, "remove container: %s",
		       err.msg);
}

static int run_container(struct run *run, struct fb_err *err)
{
	int r;

	/* there will be something to clean up; a signal after the session's end
	 * must not turn the command's exit status into another */
	fb_client_signals_block();
	r = create_container(run, err);
	if (r == 0) {
		r = merge_process(run, err);
		if (r == 0)
			r = write_cidfile(run, err);
		if (r == 0)
			r = start_and_follow(run, err);
		/* what never ran leaves nothing; what ran stays without --rm */
		if (r < 0 || run->flags->rm)
			remove_container(run);
	}
	return r;
}

static int run_run(struct fb_cli *cli, const struct fb_call *call,
		   struct fb_err *err)
{
	struct run run = { .cli = cli,
			   .flags = call->flags,
			   .call = call,
			   .ctx = { .log = &cli->log },
			   .rootfs = { .fd = -EBADF },
			   .container = FB_CONTAINER_INIT };
	struct fb_container_spec spec;
	struct fb_err timeline_err = { 0 };
	int r;

	fb_timeline_start(&run.timeline);
	fb_timeline_mark(&run.timeline, "request");
	r = fb_run_flags_parse(run.flags, cli, &run.parsed, err);
	if (r == 0) {
		spec = container_spec(&run);
		r = fb_container_check(&spec, err);
	}
	if (r == 0)
		r = fb_cli_store(cli, &run.ctx.store, err);
	if (r == 0)
		r = get_image(&run, err);
	if (r == 0)
		r = run_container(&run, err);
	if (run.flags->timeline &&
	    fb_timeline_write(&run.timeline, run.flags->timeline,
			      &timeline_err) < 0)
		fb_report(cli, &timeline_err);
	fb_process_release(&run.process);
	fb_container_release(&run.container);
	fb_image_rootfs_release(&run.rootfs);
	fb_image_details_release(&run.details);
	fb_image_record_release(&run.image);
	fb_run_parsed_release(&run.parsed);
	return r;
}

const struct fb_command fb_cmd_run = {
	.name = "run",
	.usage = "IMAGE [COMMAND] [ARG...]",
	.summary = "Run a command of an image in a new microVM",
	.details =
		"Flags and exit statuses are docker's: that of the command, 125 "
		"where nothing ran, 126 not executable, 127 not found, 128 + "
		"signal. 137 also where the machine was lost.",
	.options = fb_run_options,
	.flags_size = sizeof(struct fb_run_flags),
	.min_args = 1,
	.max_args = FB_ARGS_UNLIMITED,
	.stop_at_first_word = true,
	.fail_status = 125,
	.run = run_run,
};
