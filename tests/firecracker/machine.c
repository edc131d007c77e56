/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in's configuration, and what starting a machine needs of the host. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "standin.h"

#define CONFIG_MAX (1u << 20)

struct section {
	const char *name;  /* in the configuration */
	const char *of;	   /* its definition */
	const char *title; /* as an error begins */
	const char *id;	   /* a list's entries are told apart by it */
};

static const struct section sections[] = {
	{ "boot-source", "BootSource", "Boot source error", NULL },
	{ "machine-config", "MachineConfiguration", "VM config error", NULL },
	{ "cpu-config", "CpuConfig", "Configure CPU error", NULL },
	{ "drives", "Drive", "Block device error", "drive_id" },
	{ "pmem", "Pmem", "Pmem device error", "id" },
	{ "network-interfaces", "NetworkInterface", "Network device error",
	  "iface_id" },
	{ "vsock", "Vsock", "Vsock device error", NULL },
	{ "entropy", "EntropyDevice", "Entropy device error", NULL },
	{ "balloon", "Balloon", "Balloon device error", NULL },
	{ "logger", "Logger", "Logger error", NULL },
	{ "metrics", "Metrics", "Metrics error", NULL },
	{ "mmds-config", "MmdsConfig", "MMDS config error", NULL },
	{ "memory-hotplug", "MemoryHotplugConfig",
	  "Memory hotplug config error", NULL },
	{ "serial", "SerialDevice", "Serial error", NULL },
};

static const struct section *find_section(const char *name)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(sections); i++)
		if (!strcmp(sections[i].name, name))
			return &sections[i];
	return NULL;
}

static bool can_open(struct standin *s, const char *what, const char *path,
		     int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return standin_refuse(s, "%s: %s (os error %d)", what,
				      strerror(errno), errno);
	(void)close(fd);
	return true;
}

/* what Firecracker looks at when it is told, and not only when it starts */
static bool check_now(struct standin *s, const struct section *k,
		      const json_t *v)
{
	const char *path;

	if (!strcmp(k->name, "boot-source")) {
		path = json_string_value(json_object_get(v, "initrd_path"));
		return can_open(s,
				"Boot source error: The kernel file cannot be "
				"opened",
				json_string_value(json_object_get(
					v, "kernel_image_path")),
				O_RDONLY) &&
		       (!path ||
			can_open(s,
				 "Boot source error: The initrd file cannot "
				 "be opened due to invalid path or invalid "
				 "permissions",
				 path, O_RDONLY));
	}
	if (strcmp(k->name, "drives"))
		return true;
	path = json_string_value(json_object_get(v, "path_on_host"));
	if (!path)
		return standin_refuse(s,
				      "Block device error: InvalidBlockConfig");
	return can_open(
		s,
		"Block device error: Unable to create the virtio block device: "
		"Virtio backend error: Error manipulating the backing file",
		path,
		json_is_true(json_object_get(v, "is_read_only")) ? O_RDONLY
								 : O_RDWR);
}

static void keep(struct standin *s, const struct section *k, json_t *value)
{
	json_t *list = json_object_get(s->config, k->name), *item;
	size_t i;

	if (!k->id) {
		(void)json_object_set(s->config, k->name, value);
		return;
	}
	if (!list) {
		list = json_array();
		(void)json_object_set_new(s->config, k->name, list);
	}
	json_array_foreach(list, i,
			   item) if (json_equal(json_object_get(item, k->id),
						json_object_get(value, k->id)))
	{
		(void)json_array_set(list, i, value);
		return;
	}
	(void)json_array_append(list, value);
}

bool standin_configure(struct standin *s, const char *name, json_t *value)
{
	const struct section *k = find_section(name);
	char why[STANDIN_TEXT_MAX];

	if (!k)
		return standin_refuse(s, "unknown field `%s`", name);
	if (standin_fault("refuse", name))
		return standin_refuse(s, "%s: refused by the stand-in",
				      k->title);
	if (!standin_check(s, value, k->of)) {
		(void)snprintf(why, sizeof(why), "%s", s->failed);
		return standin_refuse(s, "Invalid JSON: %.900s", why);
	}
	if (!s->fields_only && !check_now(s, k, value))
		return false;
	keep(s, k, value);
	return true;
}

/* in a file the CPU's part is a path to another one */
static bool configure_cpu(struct standin *s, const char *path)
{
	json_error_t error;
	json_t *value;
	bool ok;

	if (s->fields_only)
		return true;
	value = json_load_file(path, 0, &error);
	ok = value ? standin_configure(s, "cpu-config", value)
		   : standin_refuse(s, "Invalid JSON: %s: %s", path,
				    error.text);

	json_decref(value);
	return ok;
}

static bool configure_all(struct standin *s, json_t *all)
{
	const char *name;
	json_t *value, *item;
	size_t i;

	if (!json_is_object(all))
		return standin_refuse(s, "Invalid JSON: expected an object");
	if (!json_object_get(all, "drives") ||
	    !json_object_get(all, "boot-source"))
		return standin_refuse(s, "Invalid JSON: missing field `%s`",
				      json_object_get(all, "drives")
					      ? "boot-source"
					      : "drives");
	json_object_foreach(all, name, value)
	{
		bool ok = true;

		if (!strcmp(name, "cpu-config") && json_is_string(value))
			ok = configure_cpu(s, json_string_value(value));
		else if (json_is_array(value))
			json_array_foreach(value, i, item) ok =
				ok && standin_configure(s, name, item);
		else
			ok = standin_configure(s, name, value);
		if (!ok)
			return false;
	}
	return true;
}

bool standin_load_config(struct standin *s, const char *path)
{
	json_error_t error;
	json_t *all = json_load_file(path, 0, &error);
	char why[STANDIN_TEXT_MAX];
	bool ok;

	standin_step(s, "config");
	ok = all ? configure_all(s, all)
		 : standin_refuse(s, "Invalid JSON: %s at line %d", error.text,
				  error.line);
	json_decref(all);
	if (ok)
		return true;
	(void)snprintf(why, sizeof(why), "%s", s->failed);
	return standin_refuse(
		s,
		"Failed to build MicroVM from Json: Configuration "
		"for VMM from one single json failed: %.800s",
		why);
}

static bool listen_vsock(struct standin *s)
{
	const char *path = json_string_value(json_object_get(
		json_object_get(s->config, "vsock"), "uds_path"));

	return !path || standin_listen(s, path) >= 0;
}

static bool attach_taps(struct standin *s)
{
	json_t *nic;
	size_t i;

	json_array_foreach(json_object_get(s->config, "network-interfaces"), i,
			   nic)
	{
		struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI |
						      IFF_VNET_HDR };
		const char *name = json_string_value(
			json_object_get(nic, "host_dev_name"));
		int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

		(void)snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
		if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
			return standin_refuse(
				s,
				"Network config error: Open tap device failed: "
				"Error while creating ifreq structure: %s. "
				"Invalid TUN/TAP Backend provided by %s.",
				strerror(errno), name);
		/* open as long as the machine runs */
		s->tap = fd;
	}
	return true;
}

bool standin_boot(struct standin *s)
{
	static pthread_t guest;

	standin_step(s, "boot");
	if (!json_object_get(s->config, "boot-source") && !s->snapshot_loaded)
		return standin_refuse(
			s,
			"Start microvm error: Cannot start microvm without kernel configuration.");
	if (!attach_taps(s) || !listen_vsock(s))
		return false;
	standin_set_state(s, RUNNING);
	(void)standin_flush_metrics(s);
	if (pthread_create(&guest, NULL, standin_run_guest, s) != 0)
		return standin_refuse(s, "no thread for the guest");
	return true;
}

void standin_set_state(struct standin *s, enum standin_state state)
{
	(void)pthread_mutex_lock(&s->lock);
	s->state = state;
	(void)pthread_cond_broadcast(&s->changed);
	(void)pthread_mutex_unlock(&s->lock);
}
