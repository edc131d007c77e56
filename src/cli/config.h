/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration file: JSON, with daemon.json's key names where docker has
 * the same thing.  An unknown key is an error that names it: a typing error in
 * "insecure-registries" must not pass in silence.
 */
#ifndef FB_CLI_CONFIG_H
#define FB_CLI_CONFIG_H

#include <stdint.h>

#include "base/err.h"

#define FB_CONFIG_FILE_MAX (1u << 20)

/**
 * struct fb_config - What the file says; everything zero where it is missing
 * @insecure_registries: "insecure-registries": host[:port], NULL-terminated,
 *                       never NULL after fb_config_load()
 * @registry_mirrors:    "registry-mirrors": URLs for docker.io, likewise; of an
 *                       object of lists by registry: "REGISTRY=URL"
 * @engine:              "engine", or NULL
 * @accel:               "accel", or NULL
 * @firecracker:         "firecracker": path of its program, or NULL
 * @jailer:              "jailer": "auto", "off", or its path, or NULL
 * @kernel:              "kernel": path, or NULL
 * @cpus:                "cpus", 0 = not given
 * @memory_bytes:        "memory": "512m" or a number, 0 = not given
 * @storage_size_bytes:  "storage-size", 0 = not given
 */
struct fb_config {
	char **insecure_registries;
	char **registry_mirrors;
	char *engine;
	char *accel;
	char *firecracker;
	char *jailer;
	char *kernel;
	uint64_t cpus;
	uint64_t memory_bytes;
	uint64_t storage_size_bytes;
};

/**
 * fb_config_parse() - JSON text to configuration
 * @json: Bytes (borrowed)
 * @len:  Count
 * @ret:  On success only; release with fb_config_release()
 *
 * Return: 0; -EINVAL with line and key; -ENOMEM.
 */
int fb_config_parse(const char *json, size_t len, struct fb_config *ret,
		    struct fb_err *err);

/**
 * fb_config_load() - Read the configuration file
 * @path: File that must be there; NULL = the default one, which may be missing
 * @ret:  On success only
 *
 * The default is $XDG_CONFIG_HOME/flamebox/config.json (~/.config/…), as root
 * /etc/flamebox/config.json.
 *
 * Return: 0; -ENOENT; -EINVAL; another negative errno.
 */
int fb_config_load(const char *path, struct fb_config *ret, struct fb_err *err);

/** fb_config_release() - Free */
void fb_config_release(struct fb_config *config);

#endif
