/* SPDX-License-Identifier: Apache-2.0 */
/* What a request may hold: facts of Firecracker 1.16.1's OpenAPI text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "standin.h"

/*
 * A type: "s" string, "b" boolean, "i" integer, "i:LEAST:MOST" (either may be
 * missing), "s:A|B" one of these words, "@D" what definition D is, "[T" a list of T.
 * "!" before it: required.
 */
struct field {
	const char *of, *name, *type;
};

static const struct field fields[] = {
	{ "Balloon", "amount_mib", "!i:0:" },
	{ "Balloon", "deflate_on_oom", "!b" },
	{ "Balloon", "stats_polling_interval_s", "i:0:" },
	{ "Balloon", "free_page_hinting", "b" },
	{ "Balloon", "free_page_reporting", "b" },
	{ "BalloonUpdate", "amount_mib", "!i:0:" },
	{ "BalloonStartCmd", "acknowledge_on_stop", "b" },
	{ "BalloonStatsUpdate", "stats_polling_interval_s", "!i:0:" },
	{ "BootSource", "boot_args", "s" },
	{ "BootSource", "initrd_path", "s" },
	{ "BootSource", "kernel_image_path", "!s" },
	{ "CpuConfig", "kvm_capabilities", "[s" },
	{ "CpuConfig", "cpuid_modifiers", "[@CpuidLeafModifier" },
	{ "CpuConfig", "msr_modifiers", "[@MsrModifier" },
	{ "CpuConfig", "reg_modifiers", "[@ArmRegisterModifier" },
	{ "CpuConfig", "vcpu_features", "[@VcpuFeatures" },
	{ "CpuidLeafModifier", "leaf", "!s" },
	{ "CpuidLeafModifier", "subleaf", "!s" },
	{ "CpuidLeafModifier", "flags", "!i" },
	{ "CpuidLeafModifier", "modifiers", "![@CpuidRegisterModifier" },
	{ "CpuidRegisterModifier", "register", "!s:eax|ebx|ecx|edx" },
	{ "CpuidRegisterModifier", "bitmap", "!s" },
	{ "MsrModifier", "addr", "!s" },
	{ "MsrModifier", "bitmap", "!s" },
	{ "ArmRegisterModifier", "addr", "!s" },
	{ "ArmRegisterModifier", "bitmap", "!s" },
	{ "VcpuFeatures", "index", "!i" },
	{ "VcpuFeatures", "bitmap", "!s" },
	{ "Drive", "drive_id", "!s" },
	{ "Drive", "partuuid", "s" },
	{ "Drive", "is_root_device", "!b" },
	{ "Drive", "cache_type", "s:Unsafe|Writeback" },
	{ "Drive", "is_read_only", "b" },
	{ "Drive", "path_on_host", "s" },
	{ "Drive", "rate_limiter", "@RateLimiter" },
	{ "Drive", "io_engine", "s:Sync|Async" },
	{ "Drive", "socket", "s" },
	{ "Pmem", "id", "!s" },
	{ "Pmem", "path_on_host", "!s" },
	{ "Pmem", "root_device", "b" },
	{ "Pmem", "read_only", "b" },
	{ "Pmem", "rate_limiter", "@RateLimiter" },
	{ "FullVmConfiguration", "balloon", "@Balloon" },
	{ "FullVmConfiguration", "drives", "[@Drive" },
	{ "FullVmConfiguration", "boot-source", "@BootSource" },
	{ "FullVmConfiguration", "cpu-config", "@CpuConfig" },
	{ "FullVmConfiguration", "logger", "@Logger" },
	{ "FullVmConfiguration", "machine-config", "@MachineConfiguration" },
	{ "FullVmConfiguration", "metrics", "@Metrics" },
	{ "FullVmConfiguration", "memory-hotplug", "@MemoryHotplugConfig" },
	{ "FullVmConfiguration", "mmds-config", "@MmdsConfig" },
	{ "FullVmConfiguration", "network-interfaces", "[@NetworkInterface" },
	{ "FullVmConfiguration", "pmem", "[@Pmem" },
	{ "FullVmConfiguration", "vsock", "@Vsock" },
	{ "FullVmConfiguration", "entropy", "@EntropyDevice" },
	{ "InstanceActionInfo", "action_type",
	  "!s:FlushMetrics|InstanceStart|SendCtrlAltDel" },
	{ "Logger", "level", "s:Error|Warning|Info|Debug|Trace|Off" },
	{ "Logger", "log_path", "s" },
	{ "Logger", "show_level", "b" },
	{ "Logger", "show_log_origin", "b" },
	{ "Logger", "module", "s" },
	{ "MachineConfiguration", "cpu_template",
	  "s:C3|T2|T2S|T2CL|T2A|V1N1|None" },
	{ "MachineConfiguration", "smt", "b" },
	{ "MachineConfiguration", "mem_size_mib", "!i:1:" },
	{ "MachineConfiguration", "track_dirty_pages", "b" },
	{ "MachineConfiguration", "vcpu_count", "!i:1:32" },
	{ "MachineConfiguration", "huge_pages", "s:None|2M" },
	{ "MemoryBackend", "backend_type", "!s:File|Uffd" },
	{ "MemoryBackend", "backend_path", "!s" },
	{ "Metrics", "metrics_path", "!s" },
	{ "MmdsConfig", "version", "s:V1|V2" },
	{ "MmdsConfig", "network_interfaces", "![s" },
	{ "MmdsConfig", "ipv4_address", "s" },
	{ "MmdsConfig", "imds_compat", "b" },
	{ "NetworkInterface", "guest_mac", "s" },
	{ "NetworkInterface", "host_dev_name", "!s" },
	{ "NetworkInterface", "iface_id", "!s" },
	{ "NetworkInterface", "mtu", "i:68:65535" },
	{ "NetworkInterface", "rx_rate_limiter", "@RateLimiter" },
	{ "NetworkInterface", "tx_rate_limiter", "@RateLimiter" },
	{ "PartialDrive", "drive_id", "!s" },
	{ "PartialDrive", "path_on_host", "s" },
	{ "PartialDrive", "rate_limiter", "@RateLimiter" },
	{ "PartialNetworkInterface", "iface_id", "!s" },
	{ "PartialNetworkInterface", "rx_rate_limiter", "@RateLimiter" },
	{ "PartialNetworkInterface", "tx_rate_limiter", "@RateLimiter" },
	{ "PartialPmem", "id", "!s" },
	{ "PartialPmem", "rate_limiter", "@RateLimiter" },
	{ "RateLimiter", "bandwidth", "@TokenBucket" },
	{ "RateLimiter", "ops", "@TokenBucket" },
	{ "SnapshotCreateParams", "mem_file_path", "!s" },
	{ "SnapshotCreateParams", "snapshot_path", "!s" },
	{ "SnapshotCreateParams", "snapshot_type", "s:Full|Diff" },
	{ "NetworkOverride", "iface_id", "!s" },
	{ "NetworkOverride", "host_dev_name", "!s" },
	{ "VsockOverride", "uds_path", "!s" },
	{ "SnapshotLoadParams", "enable_diff_snapshots", "b" },
	{ "SnapshotLoadParams", "track_dirty_pages", "b" },
	{ "SnapshotLoadParams", "mem_file_path", "s" },
	{ "SnapshotLoadParams", "mem_backend", "@MemoryBackend" },
	{ "SnapshotLoadParams", "snapshot_path", "!s" },
	{ "SnapshotLoadParams", "resume_vm", "b" },
	{ "SnapshotLoadParams", "network_overrides", "[@NetworkOverride" },
	{ "SnapshotLoadParams", "vsock_override", "@VsockOverride" },
	{ "SnapshotLoadParams", "clock_realtime", "b" },
	{ "TokenBucket", "one_time_burst", "i:0:" },
	{ "TokenBucket", "refill_time", "!i:0:" },
	{ "TokenBucket", "size", "!i:0:" },
	{ "Vm", "state", "!s:Paused|Resumed" },
	{ "EntropyDevice", "rate_limiter", "@RateLimiter" },
	{ "SerialDevice", "serial_out_path", "s" },
	{ "SerialDevice", "rate_limiter", "@TokenBucket" },
	{ "MemoryHotplugConfig", "total_size_mib", "i:0:" },
	{ "MemoryHotplugConfig", "slot_size_mib", "i:128:" },
	{ "MemoryHotplugConfig", "block_size_mib", "i:2:" },
	{ "MemoryHotplugSizeUpdate", "requested_size_mib", "i:0:" },
	{ "Vsock", "guest_cid", "!i:3:" },
	{ "Vsock", "uds_path", "!s" },
	{ "Vsock", "vsock_id", "s" },
};

void standin_print_schema(void)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(fields); i++)
		printf("%s %s %s\n", fields[i].of, fields[i].name,
		       fields[i].type);
}

static const struct field *find(const char *of, const char *name)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].of, of) && !strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static bool check_string(struct standin *s, const char *words, const char *text)
{
	size_t len;

	if (!*words)
		return true;
	for (const char *at = words + 1;; at += len + 1) {
		len = strcspn(at, "|");
		if (len == strlen(text) && !strncmp(at, text, len))
			return true;
		if (!at[len])
			return standin_refuse(
				s, "unknown variant `%s`, expected one of %s",
				text, words + 1);
	}
}

static bool check_integer(struct standin *s, const char *range,
			  json_int_t value)
{
	const char *most = *range ? strchr(range + 1, ':') : NULL;

	if ((*range && range[1] != ':' && value < atoll(range + 1)) ||
	    (most && most[1] && value > atoll(most + 1)))
		return standin_refuse(
			s, "invalid value: integer `%lld`, expected %s",
			(long long)value, range + 1);
	return true;
}

static bool check_type(struct standin *s, json_t *value, const char *type)
{
	json_t *item;
	size_t i;

	switch (*type) {
	case '[':
		if (!json_is_array(value))
			return standin_refuse(
				s, "invalid type, expected a sequence");
		json_array_foreach(
			value, i,
			item) if (!check_type(s, item, type + 1)) return false;
		return true;
	case '@':
		return standin_check(s, value, type + 1);
	case 's':
		if (!json_is_string(value))
			return standin_refuse(s,
					      "invalid type, expected a "
					      "string");
		return check_string(s, type + 1, json_string_value(value));
	case 'b':
		if (!json_is_boolean(value))
			return standin_refuse(s,
					      "invalid type, expected a "
					      "boolean");
		return true;
	default:
		if (!json_is_integer(value))
			return standin_refuse(s,
					      "invalid type, expected an "
					      "integer");
		return check_integer(s, type + 1, json_integer_value(value));
	}
}

bool standin_check(struct standin *s, json_t *value, const char *of)
{
	const char *name;
	json_t *member;

	if (!json_is_object(value))
		return standin_refuse(s, "invalid type, expected struct %s",
				      of);
	json_object_foreach(value, name, member)
	{
		const struct field *f = find(of, name);

		if (!f)
			return standin_refuse(s, "unknown field `%s`", name);
		if (!check_type(s, member, f->type + (f->type[0] == '!')))
			return false;
	}
	for (size_t i = 0; i < FB_ARRAY_SIZE(fields); i++)
		if (!strcmp(fields[i].of, of) && fields[i].type[0] == '!' &&
		    !json_object_get(value, fields[i].name))
			return standin_refuse(s, "missing field `%s`",
					      fields[i].name);
	return true;
}
