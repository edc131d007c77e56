/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in's command line, faults and log; standin.h says what it is. */
#include "standin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SLOW_NS 250000000l
#define BAD_CONFIGURATION 152
#define BAD_ARGUMENTS 153

static char own_name[256];

static void learn_own_name(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	const char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	(void)snprintf(own_name, sizeof(own_name), "%.255s",
		       slash ? slash + 1 : path);
}

/* What stands behind @word in the name, up to the next '+'; NULL = not there */
static const char *own_word(const char *word)
{
	size_t len = strlen(word);

	for (const char *at = strchr(own_name, '+'); at;
	     at = strchr(at + 1, '+'))
		if (!strncmp(at + 1, word, len))
			return at + 1 + len;
	return NULL;
}

bool standin_fault(const char *kind, const char *what)
{
	char word[128];
	const char *rest;

	(void)snprintf(word, sizeof(word), "%s-%s", kind, what);
	rest = own_word(word);
	return rest && (*rest == '\0' || *rest == '+');
}

void standin_step(struct standin *s, const char *name)
{
	if (standin_fault("panic", name)) {
		printf("[    0.5] Kernel panic - not syncing: stand-in\r\n");
		exit(0);
	}
	if (standin_fault("slow", name)) {
		const struct timespec wait = { .tv_nsec = SLOW_NS };

		(void)nanosleep(&wait, NULL);
	}
	if (standin_fault("hang", name))
		for (;;)
			(void)pause();
	if (standin_fault("kill", name))
		(void)raise(SIGKILL);
	if (standin_fault("die", name)) {
		standin_log(s, "ERROR", "stand-in: died at '%s'", name);
		exit(1);
	}
}

void standin_log(const struct standin *s, const char *level, const char *fmt,
		 ...)
{
	char text[STANDIN_TEXT_MAX], line[STANDIN_TEXT_MAX + 256];
	struct timespec now;
	va_list ap;
	int fd = STDOUT_FILENO;
	ssize_t n;

	if (s->quiet && strcmp(level, "ERROR"))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)snprintf(line, sizeof(line), "%lld.%09ld [%s:main%s%s] %s\n",
		       (long long)now.tv_sec, now.tv_nsec, s->id,
		       s->show_level ? ":" : "", s->show_level ? level : "",
		       text);
	if (s->log_path)
		fd = open(s->log_path, O_WRONLY | O_APPEND | O_CLOEXEC);
	n = write(fd, line, strlen(line));
	if (s->log_path && fd >= 0)
		(void)close(fd);
	(void)n;
}

bool standin_flush_metrics(struct standin *s)
{
	const char *path = s->metrics_path;
	int fd;

	if (!path)
		path = json_string_value(json_object_get(
			json_object_get(s->config, "metrics"), "metrics_path"));
	if (!path)
		return standin_refuse(s,
				      "Internal Vmm error: metrics are not "
				      "configured");
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return standin_refuse(s, "Metrics error: %s", strerror(errno));
	(void)dprintf(fd,
		      "{\"utc_timestamp_ms\":%u,\"vmm\":{\"panic_count\":0},"
		      "\"seccomp\":{\"num_faults\":0}}\n",
		      ++s->flushes);
	(void)close(fd);
	return true;
}

bool standin_refuse(struct standin *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->failed, sizeof(s->failed), fmt, ap);
	va_end(ap);
	return false;
}

/* the way out of every error before the guest runs */
__attribute__((noreturn)) static void
end_badly(struct standin *s, int status, const char *kind, const char *text)
{
	standin_log(s, "ERROR", "%s: %s", kind, text);
	(void)fprintf(stderr, "Error: %s(%s)\n", kind, text);
	standin_log(s, "ERROR", "Firecracker exiting with error. exit_code=%d",
		    status);
	exit(status);
}

struct options {
	const char *config;
	const char *level;
	bool no_api;
	bool version;
	bool schema;
};

/* Return: where the value of option @name goes; NULL = it has none or is unknown */
static const char **value_of(struct standin *s, struct options *o,
			     const char *name)
{
	static const char *ignored;
	static const char *const others[] = { "start-time-us",
					      "start-time-cpu-us",
					      "parent-cpu-time-us",
					      "metadata",
					      "module",
					      "seccomp-filter",
					      "http-api-max-payload-size",
					      "mmds-size-limit" };

	if (!strcmp(name, "api-sock"))
		return &s->api_path;
	if (!strcmp(name, "id"))
		return &s->id;
	if (!strcmp(name, "config-file"))
		return &o->config;
	if (!strcmp(name, "log-path"))
		return &s->log_path;
	if (!strcmp(name, "level"))
		return &o->level;
	if (!strcmp(name, "metrics-path"))
		return &s->metrics_path;
	for (size_t i = 0; i < FB_ARRAY_SIZE(others); i++)
		if (!strcmp(name, others[i]))
			return &ignored;
	return NULL;
}

static bool *switch_of(struct standin *s, struct options *o, const char *name)
{
	static bool ignored;
	static const char *const others[] = { "no-seccomp", "show-log-origin",
					      "boot-timer", "enable-pci" };

	if (!strcmp(name, "no-api"))
		return &o->no_api;
	if (!strcmp(name, "version"))
		return &o->version;
	if (!strcmp(name, "show-level"))
		return &s->show_level;
	if (!strcmp(name, "standin-schema"))
		return &o->schema;
	if (!strcmp(name, "standin-fields-only"))
		return &s->fields_only;
	for (size_t i = 0; i < FB_ARRAY_SIZE(others); i++)
		if (!strcmp(name, others[i]))
			return &ignored;
	return NULL;
}

static void parse(struct standin *s, struct options *o, char **argv)
{
	char text[300];

	for (; *argv; argv++) {
		const char *name = !strncmp(*argv, "--", 2) ? *argv + 2 : NULL;
		const char **value = name ? value_of(s, o, name) : NULL;
		bool *flag = name ? switch_of(s, o, name) : NULL;

		if (value && argv[1]) {
			*value = *++argv;
			continue;
		}
		if (flag) {
			*flag = true;
			continue;
		}
		(void)snprintf(text, sizeof(text), "%s '%.200s'",
			       value ? "MissingValue" : "UnexpectedArgument",
			       name ? name : *argv);
		end_badly(s, BAD_ARGUMENTS, "ParseArguments", text);
	}
	if (o->no_api && !o->config)
		end_badly(s, BAD_ARGUMENTS, "ParseArguments",
			  "MissingArgument 'config-file'");
}

static void check_level(struct standin *s, const char *level)
{
	static const char *const quiet[] = { "Off", "Error", "Warning" };
	static const char *const loud[] = { "Info", "Debug", "Trace" };

	for (size_t i = 0; i < FB_ARRAY_SIZE(quiet); i++) {
		if (!strcmp(level, quiet[i]))
			s->quiet = true;
		if (!strcmp(level, quiet[i]) || !strcmp(level, loud[i]))
			return;
	}
	end_badly(s, BAD_CONFIGURATION, "InvalidLogLevel", level);
}

static void open_files(struct standin *s)
{
	const char *const paths[] = { s->log_path, s->metrics_path };

	for (size_t i = 0; i < FB_ARRAY_SIZE(paths); i++) {
		int fd = paths[i] ? open(paths[i], O_WRONLY | O_CLOEXEC) : -2;

		if (fd == -1) {
			const char *path = paths[i];

			s->log_path = NULL;
			end_badly(s, 1, "LoggerInitialization", path);
		}
		if (fd >= 0)
			(void)close(fd);
	}
}

int main(int argc, char **argv)
{
	static struct standin s = { .api_path = "/run/firecracker.socket",
				    .id = "anonymous-instance",
				    .lock = PTHREAD_MUTEX_INITIALIZER,
				    .changed = PTHREAD_COND_INITIALIZER };
	struct options o = { 0 };
	const char *says;
	int listener = -1;

	learn_own_name();
	(void)signal(SIGPIPE, SIG_IGN);
	parse(&s, &o, argv + (argc > 0));
	if (o.schema) {
		standin_print_schema();
		return 0;
	}
	if (o.version) {
		says = own_word("version=");
		printf("Firecracker v%.*s\n\n",
		       (int)(says ? strcspn(says, "+")
				  : strlen(STANDIN_VERSION)),
		       says ? says : STANDIN_VERSION);
		return 0;
	}
	if (o.level)
		check_level(&s, o.level);
	s.config = json_object();
	if (s.fields_only && o.config) {
		if (standin_load_config(&s, o.config))
			return 0;
		end_badly(&s, 1, "RunWithoutApiError", s.failed);
	}
	open_files(&s);
	standin_log(&s, "INFO", "Running Firecracker v%s", STANDIN_VERSION);
	standin_step(&s, "start");
	if (!o.no_api) {
		listener = standin_listen(&s, s.api_path);
		if (listener < 0)
			end_badly(&s, 1, "RunWithApi", s.failed);
	}
	standin_step(&s, "socket");
	if (o.config &&
	    !(standin_load_config(&s, o.config) && standin_boot(&s)))
		end_badly(&s, 1, o.no_api ? "RunWithoutApiError" : "RunWithApi",
			  s.failed);
	standin_serve(&s, listener);
	return 0;
}
