/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for Firecracker where none can run: its command line, its
 * configuration file, its API and its states, with faults on demand, and a guest
 * that speaks FlameBox's protocol and knows a handful of commands.  It proves our
 * side of all that.  It boots nothing, and proves nothing about booting.
 *
 * What it rejects is what the OpenAPI text of Firecracker 1.16.1 rejects; the
 * facts stand in schema.c, written down anew, one row a field.
 *
 * Faults are in the program's own name, the one thing of it that every sandbox
 * leaves visible: "firecracker+die-config+slow-hello".  The words:
 *
 *   version=TEXT        what --version says
 *   refuse-SECTION      this part of the configuration is refused
 *   die-STEP            ends with status 1 and a line in the log
 *   kill-STEP           is killed (SIGKILL)
 *   hang-STEP           goes no further, and does not end
 *   slow-STEP           takes a quarter of a second
 *   panic-STEP          the guest's kernel panics: told on the console, status 0
 *
 * The steps: start, socket, config, boot (the VMM's); hello, spec, started, output,
 * exit (the guest's); request (each of the API).
 */
#ifndef FB_TESTS_STANDIN_H
#define FB_TESTS_STANDIN_H

#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define STANDIN_VERSION "1.16.1"
#define STANDIN_REQUEST_MAX 51200
#define STANDIN_TEXT_MAX 1024

enum standin_state { NOT_STARTED, RUNNING, PAUSED };

/**
 * struct standin - The one machine
 * @config:  The configuration as a whole, section by section
 * @lock:    Of @state; @changed is told
 * @fields_only: Look at the configuration's fields, open nothing
 * @flushes: How often the metrics were written
 * @tap:     Of the guest's network, 0 = it has none
 * @failed:  Text of the last refusal
 */
struct standin {
	const char *api_path;
	const char *id;
	const char *log_path;
	const char *metrics_path;
	bool show_level;
	bool quiet;
	json_t *config;
	json_t *mmds;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum standin_state state;
	bool snapshot_loaded;
	bool fields_only;
	unsigned int flushes;
	int tap;
	char failed[STANDIN_TEXT_MAX];
};

/** standin_fault() - Is this word in the program's name? */
bool standin_fault(const char *kind, const char *what);

/** standin_step() - Where die-, kill-, hang-, slow- and panic- act */
void standin_step(struct standin *s, const char *name);

/** standin_log() - A line as Firecracker logs it */
__attribute__((format(printf, 3, 4))) void
standin_log(const struct standin *s, const char *level, const char *fmt, ...);

/**
 * standin_flush_metrics() - One more line of them; its time stamp counts the lines
 *
 * Return: false with @s->failed.
 */
bool standin_flush_metrics(struct standin *s);

/** standin_refuse() - Say why. Return: false */
__attribute__((format(printf, 2, 3))) bool standin_refuse(struct standin *s,
							  const char *fmt, ...);

/**
 * standin_check() - Does a value fit a definition of the schema?
 * @of: "Drive", …
 *
 * Return: false with @s->failed.
 */
bool standin_check(struct standin *s, json_t *value, const char *of);

/** standin_print_schema() - Every row: definition, field, type */
void standin_print_schema(void);

/**
 * standin_configure() - One section of the configuration, as file and API give it
 * @name:  "drives", …
 * @value: Of one drive, where a section is a list (borrowed)
 *
 * Return: false with @s->failed.
 */
bool standin_configure(struct standin *s, const char *name, json_t *value);

/** standin_load_config() - The file of --config-file */
bool standin_load_config(struct standin *s, const char *path);

/** standin_boot() - InstanceStart: opens what the machine needs, runs the guest */
bool standin_boot(struct standin *s);

/** standin_set_state() - Pause and resume */
void standin_set_state(struct standin *s, enum standin_state state);

/** standin_listen() - The API's socket. Return: descriptor, or -1 */
int standin_listen(struct standin *s, const char *path);

/** standin_serve() - Answers requests; never returns */
void standin_serve(struct standin *s, int listener);

#define STANDIN_ANSWER_MAX 32

/**
 * standin_ask_gateway() - Ask the guest's network who has 10.0.2.2
 * @answer: Its MAC address in hex digits, or what went wrong
 */
void standin_ask_gateway(const struct standin *s,
			 char answer[STANDIN_ANSWER_MAX]);

/** standin_run_guest() - A thread: the guest, from its first word to the reset */
void *standin_run_guest(void *standin);

#endif
