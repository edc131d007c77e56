/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in's API: HTTP over a Unix socket, one connection after another. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "standin.h"

#define HEAD_MAX 8192

enum phase { ANY_TIME, BEFORE_START, AFTER_START };

struct reply {
	json_t *body; /* NULL: 204 */
};

/**
 * struct endpoint - One row of the API
 * @path: With "*" where an id stands
 * @of:   Definition of its body; NULL = it has none
 * @arg:  Section of the configuration, or the list's key
 */
struct endpoint {
	const char *method, *path, *of;
	enum phase phase;
	bool (*act)(struct standin *s, const char *arg, json_t *body,
		    struct reply *reply);
	const char *arg;
};

static bool put_section(struct standin *s, const char *arg, json_t *body,
			struct reply *reply)
{
	(void)reply;
	return standin_configure(s, arg, body);
}

static bool nothing(struct standin *s, const char *arg, json_t *body,
		    struct reply *reply)
{
	(void)s;
	(void)arg;
	(void)body;
	(void)reply;
	return true;
}

/* changes what is there: one section, or the entry of a list with the same id */
static bool patch_section(struct standin *s, const char *arg, json_t *body,
			  struct reply *reply)
{
	json_t *there = json_object_get(s->config, arg), *item;
	const char *key = strcmp(arg, "network-interfaces") == 0 ? "iface_id"
			  : strcmp(arg, "drives") == 0		 ? "drive_id"
								 : "id";
	size_t i;

	(void)reply;
	if (!there)
		return standin_refuse(s, "Invalid device: no %s", arg);
	if (!json_is_array(there))
		return json_object_update(there, body) == 0;
	json_array_foreach(there, i, item) if (
		json_equal(json_object_get(item, key),
			   json_object_get(
				   body,
				   key))) return json_object_update(item,
								    body) == 0;
	return standin_refuse(s, "Invalid device ID: %s",
			      json_string_value(json_object_get(body, key)));
}

static bool get_section(struct standin *s, const char *arg, json_t *body,
			struct reply *reply)
{
	(void)body;
	reply->body =
		json_incref(arg ? json_object_get(s->config, arg) : s->config);
	if (!reply->body)
		return standin_refuse(s, "Invalid device: no %s", arg);
	return true;
}

static bool get_instance(struct standin *s, const char *arg, json_t *body,
			 struct reply *reply)
{
	static const char *const names[] = { "Not started", "Running",
					     "Paused" };

	(void)arg;
	(void)body;
	reply->body = json_pack("{s:s, s:s, s:s, s:s}", "id", s->id, "state",
				names[s->state], "vmm_version", STANDIN_VERSION,
				"app_name", "Firecracker");
	return true;
}

static bool get_version(struct standin *s, const char *arg, json_t *body,
			struct reply *reply)
{
	(void)s;
	(void)arg;
	(void)body;
	reply->body =
		json_pack("{s:s}", "firecracker_version", STANDIN_VERSION);
	return true;
}

static bool act(struct standin *s, const char *arg, json_t *body,
		struct reply *reply)
{
	const char *what =
		json_string_value(json_object_get(body, "action_type"));

	(void)arg;
	(void)reply;
	if (!strcmp(what, "FlushMetrics"))
		return standin_flush_metrics(s);
	if (!strcmp(what, "SendCtrlAltDel"))
		return s->state != NOT_STARTED ||
		       standin_refuse(s,
				      "The requested operation is not "
				      "supported before starting the "
				      "microVM.");
	if (s->state != NOT_STARTED)
		return standin_refuse(s,
				      "The requested operation is not "
				      "supported after starting the "
				      "microVM.");
	return standin_boot(s);
}

static bool set_state(struct standin *s, const char *arg, json_t *body,
		      struct reply *reply)
{
	bool pause = !strcmp(json_string_value(json_object_get(body, "state")),
			     "Paused");

	(void)arg;
	(void)reply;
	standin_set_state(s, pause ? PAUSED : RUNNING);
	return true;
}

static bool create_snapshot(struct standin *s, const char *arg, json_t *body,
			    struct reply *reply)
{
	const char *memory =
		json_string_value(json_object_get(body, "mem_file_path"));
	const char *state =
		json_string_value(json_object_get(body, "snapshot_path"));
	json_int_t mib = json_integer_value(json_object_get(
		json_object_get(s->config, "machine-config"), "mem_size_mib"));
	int fd;

	(void)arg;
	(void)reply;
	if (s->state != PAUSED)
		return standin_refuse(s,
				      "Create snapshot error: Cannot save "
				      "the microVM state: Operation not "
				      "allowed while it runs");
	fd = open(memory, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)(mib ? mib : 128) << 20) < 0)
		return standin_refuse(s,
				      "Create snapshot error: Cannot perform "
				      "mmap on the memory file: %s",
				      strerror(errno));
	(void)close(fd);
	if (json_dump_file(s->config, state, 0) < 0)
		return standin_refuse(s, "Create snapshot error: %s",
				      strerror(errno));
	return true;
}

/* what a snapshot names may be somewhere else today */
static bool override(struct standin *s, const json_t *body)
{
	json_t *vsock = json_object_get(body, "vsock_override"), *o, *nic;
	size_t i, k;

	if (vsock && !json_object_get(s->config, "vsock"))
		return standin_refuse(s, "Load snapshot error: no vsock");
	if (vsock)
		(void)json_object_update(json_object_get(s->config, "vsock"),
					 vsock);
	json_array_foreach(json_object_get(body, "network_overrides"), i, o)
		json_array_foreach(
			json_object_get(s->config, "network-interfaces"), k,
			nic) if (json_equal(json_object_get(nic, "iface_id"),
					    json_object_get(o, "iface_id")))(
			void) json_object_update(nic, o);
	return true;
}

static bool load_snapshot(struct standin *s, const char *arg, json_t *body,
			  struct reply *reply)
{
	const json_t *backend = json_object_get(body, "mem_backend");
	const char *memory =
		json_string_value(json_object_get(body, "mem_file_path"));
	json_error_t error;
	json_t *config;

	(void)arg;
	(void)reply;
	if (!backend == !memory)
		return standin_refuse(s,
				      "missing field: either `mem_backend` "
				      "or `mem_file_path` is required");
	if (json_object_size(s->config) > 0)
		return standin_refuse(
			s,
			"Load snapshot error: Loading a microVM snapshot "
			"not allowed after configuring boot-specific "
			"resources.");
	if (backend)
		memory = json_string_value(
			json_object_get(backend, "backend_path"));
	config = json_load_file(
		json_string_value(json_object_get(body, "snapshot_path")), 0,
		&error);
	if (!config || access(memory, R_OK) < 0) {
		/* as there: this one ends the process */
		standin_log(s, "ERROR",
			    "Load snapshot error: Failed to restore from "
			    "snapshot: %s",
			    config ? strerror(errno) : error.text);
		exit(1);
	}
	json_decref(s->config);
	s->config = config;
	s->snapshot_loaded = true;
	if (!override(s, body) || !standin_boot(s))
		return false;
	if (!json_is_true(json_object_get(body, "resume_vm")))
		standin_set_state(s, PAUSED);
	return true;
}

static bool mmds(struct standin *s, const char *arg, json_t *body,
		 struct reply *reply)
{
	if (!strcmp(arg, "get")) {
		reply->body = s->mmds ? json_incref(s->mmds) : json_null();
		return true;
	}
	if (!s->mmds || !strcmp(arg, "put")) {
		json_decref(s->mmds);
		s->mmds = json_incref(body);
		return true;
	}
	return json_object_update_recursive(s->mmds, body) == 0;
}

static const struct endpoint endpoints[] = {
	{ "GET", "/", NULL, ANY_TIME, get_instance, NULL },
	{ "GET", "/version", NULL, ANY_TIME, get_version, NULL },
	{ "GET", "/vm/config", NULL, ANY_TIME, get_section, NULL },
	{ "GET", "/machine-config", NULL, ANY_TIME, get_section,
	  "machine-config" },
	{ "GET", "/balloon", NULL, ANY_TIME, get_section, "balloon" },
	{ "GET", "/balloon/statistics", NULL, AFTER_START, get_section,
	  "balloon" },
	{ "GET", "/balloon/hinting/status", NULL, AFTER_START, get_section,
	  "balloon" },
	{ "GET", "/hotplug/memory", NULL, ANY_TIME, get_section,
	  "memory-hotplug" },
	{ "GET", "/mmds", NULL, ANY_TIME, mmds, "get" },
	{ "PUT", "/mmds", "", ANY_TIME, mmds, "put" },
	{ "PATCH", "/mmds", "", ANY_TIME, mmds, "patch" },
	{ "PUT", "/actions", "InstanceActionInfo", ANY_TIME, act, NULL },
	{ "PUT", "/boot-source", "BootSource", BEFORE_START, put_section,
	  "boot-source" },
	{ "PUT", "/machine-config", "MachineConfiguration", BEFORE_START,
	  put_section, "machine-config" },
	{ "PATCH", "/machine-config", "", BEFORE_START, patch_section,
	  "machine-config" },
	{ "PUT", "/cpu-config", "CpuConfig", BEFORE_START, put_section,
	  "cpu-config" },
	{ "PUT", "/drives/*", "Drive", BEFORE_START, put_section, "drives" },
	{ "PATCH", "/drives/*", "PartialDrive", AFTER_START, patch_section,
	  "drives" },
	{ "PUT", "/pmem/*", "Pmem", BEFORE_START, put_section, "pmem" },
	{ "PATCH", "/pmem/*", "PartialPmem", AFTER_START, patch_section,
	  "pmem" },
	{ "PUT", "/network-interfaces/*", "NetworkInterface", BEFORE_START,
	  put_section, "network-interfaces" },
	{ "PATCH", "/network-interfaces/*", "PartialNetworkInterface",
	  AFTER_START, patch_section, "network-interfaces" },
	{ "PUT", "/vsock", "Vsock", BEFORE_START, put_section, "vsock" },
	{ "PUT", "/entropy", "EntropyDevice", BEFORE_START, put_section,
	  "entropy" },
	{ "PUT", "/serial", "SerialDevice", BEFORE_START, put_section,
	  "serial" },
	{ "PUT", "/balloon", "Balloon", BEFORE_START, put_section, "balloon" },
	{ "PATCH", "/balloon", "BalloonUpdate", AFTER_START, patch_section,
	  "balloon" },
	{ "PATCH", "/balloon/statistics", "BalloonStatsUpdate", AFTER_START,
	  patch_section, "balloon" },
	{ "PATCH", "/balloon/hinting/start", "BalloonStartCmd", AFTER_START,
	  nothing, NULL },
	{ "PATCH", "/balloon/hinting/stop", "", AFTER_START, nothing, NULL },
	{ "PUT", "/logger", "Logger", BEFORE_START, put_section, "logger" },
	{ "PUT", "/metrics", "Metrics", BEFORE_START, put_section, "metrics" },
	{ "PUT", "/mmds/config", "MmdsConfig", BEFORE_START, put_section,
	  "mmds-config" },
	{ "PUT", "/hotplug/memory", "MemoryHotplugConfig", BEFORE_START,
	  put_section, "memory-hotplug" },
	{ "PATCH", "/hotplug/memory", "MemoryHotplugSizeUpdate", AFTER_START,
	  nothing, NULL },
	{ "PUT", "/snapshot/create", "SnapshotCreateParams", AFTER_START,
	  create_snapshot, NULL },
	{ "PUT", "/snapshot/load", "SnapshotLoadParams", BEFORE_START,
	  load_snapshot, NULL },
	{ "PATCH", "/vm", "Vm", AFTER_START, set_state, NULL },
};

/* Return: the id in the path, "" where it has none; NULL = another path */
static const char *match(const char *pattern, const char *path)
{
	size_t len = strcspn(pattern, "*");

	if (!pattern[len])
		return strcmp(pattern, path) ? NULL : "";
	return strncmp(pattern, path, len) || strchr(path + len, '/') ||
			       !path[len]
		       ? NULL
		       : path + len;
}

static bool fits(struct standin *s, const struct endpoint *e, const char *id,
		 json_t *body)
{
	char why[STANDIN_TEXT_MAX];
	const char *key = !e->arg			    ? NULL
			  : !strcmp(e->arg, "drives")	    ? "drive_id"
			  : !strcmp(e->arg, "pmem")	    ? "id"
			  : strstr(e->path, "interfaces/*") ? "iface_id"
							    : NULL;

	if (*e->of && !standin_check(s, body, e->of)) {
		(void)snprintf(why, sizeof(why), "%s", s->failed);
		return standin_refuse(s,
				      "An error occurred when deserializing "
				      "the json body of a request: %.800s.",
				      why);
	}
	if (key && strcmp(json_string_value(json_object_get(body, key)), id))
		return standin_refuse(
			s,
			"The id from the path does not match the id from the body!");
	return true;
}

static bool handle(struct standin *s, const char *method, const char *path,
		   const char *text, struct reply *reply)
{
	json_error_t error;
	json_t *body = NULL;
	bool ok;

	for (size_t i = 0; i < FB_ARRAY_SIZE(endpoints); i++) {
		const struct endpoint *e = &endpoints[i];
		const char *id = match(e->path, path);

		if (!id || strcmp(e->method, method) != 0)
			continue;
		if (e->of && *text)
			body = json_loads(text, JSON_REJECT_DUPLICATES, &error);
		if (e->of && !body)
			return standin_refuse(s,
					      "An error occurred when "
					      "deserializing the json body of "
					      "a request: %s.",
					      *text ? error.text
						    : "it is empty");
		ok = !e->of || fits(s, e, id, body);
		if (ok && e->phase == BEFORE_START && s->state != NOT_STARTED)
			ok = standin_refuse(
				s,
				"The requested operation is not supported "
				"after starting the microVM.");
		if (ok && e->phase == AFTER_START && s->state == NOT_STARTED)
			ok = standin_refuse(
				s,
				"The requested operation is not supported "
				"before starting the microVM.");
		ok = ok && e->act(s, e->arg, body, reply);
		json_decref(body);
		return ok;
	}
	return standin_refuse(s, "Invalid request method and/or path: %s %s.",
			      method, path + 1);
}

static void answer(struct standin *s, int fd, bool ok, struct reply *reply)
{
	FB_FREE char *text = NULL;
	json_t *body = reply->body;

	if (!ok) {
		json_decref(body);
		body = json_pack("{s:s}", "fault_message", s->failed);
	}
	if (!body) {
		(void)dprintf(fd,
			      "HTTP/1.1 204 \r\nServer: Firecracker API\r\n"
			      "Connection: keep-alive\r\n\r\n");
		return;
	}
	text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(body);
	(void)dprintf(fd,
		      "HTTP/1.1 %s \r\nServer: Firecracker API\r\n"
		      "Connection: keep-alive\r\n"
		      "Content-Type: application/json\r\n"
		      "Content-Length: %zu\r\n\r\n%s",
		      ok ? "200" : "400", text ? strlen(text) : 0,
		      text ? text : "");
}

static size_t content_length(const char *head)
{
	for (const char *at = head; (at = strchr(at, '\n')); at++)
		if (!strncasecmp(at + 1, "content-length:", 15))
			return strtoul(at + 16, NULL, 10);
	return 0;
}

/* Return: another request may follow on this connection */
static bool serve_request(struct standin *s, int fd)
{
	static char text[HEAD_MAX + STANDIN_REQUEST_MAX + 1];
	char method[16], path[256];
	struct reply reply = { 0 };
	size_t have = 0, want = 0;
	char *body = NULL;
	bool ok;

	while (!body || have < want) {
		ssize_t n = read(fd, text + have, sizeof(text) - 1 - have);

		if (n <= 0)
			return false;
		have += (size_t)n;
		text[have] = '\0';
		body = strstr(text, "\r\n\r\n");
		if (!body)
			continue;
		body += 4;
		if (content_length(text) > STANDIN_REQUEST_MAX) {
			(void)standin_refuse(s,
					     "Request payload with "
					     "size %zu is larger than the "
					     "limit of %d allowed by server.",
					     content_length(text),
					     STANDIN_REQUEST_MAX);
			answer(s, fd, false, &reply);
			return false;
		}
		want = (size_t)(body - text) + content_length(text);
	}
	if (sscanf(text, "%15s %255s", method, path) != 2)
		return false;
	standin_log(s, "INFO",
		    "The API server received a %s request on \"%s\".", method,
		    path);
	standin_step(s, "request");
	ok = handle(s, method, path, body, &reply);
	answer(s, fd, ok, &reply);
	return true;
}

int standin_listen(struct standin *s, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (strlen(path) < sizeof(address.sun_path) && fd >= 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(fd, 16) == 0)
		return fd;
	(void)standin_refuse(s,
			     "Failed to open the API socket at: %s. Check that "
			     "it is not already used.",
			     path);
	return -1;
}

void standin_serve(struct standin *s, int listener)
{
	for (;;) {
		int fd = listener < 0
				 ? pause()
				 : accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		while (serve_request(s, fd))
			;
		(void)close(fd);
	}
}
