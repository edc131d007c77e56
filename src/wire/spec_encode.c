/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "wire/spec_records.h"

static void put(uint8_t *p, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static uint8_t *add(struct fb_str *out, enum fb_spec_tag tag, size_t len)
{
	/* where it fails, the string remembers, and the end looks */
	char *p = fb_str_reserve(out, FB_SPEC_RECORD_HEAD + len);

	if (!p)
		return NULL;
	put((uint8_t *)p, tag, 2);
	put((uint8_t *)p + 2, 0, 2);
	put((uint8_t *)p + 4, len, 4);
	out->len += FB_SPEC_RECORD_HEAD + len;
	out->buf[out->len] = '\0';
	return (uint8_t *)p + FB_SPEC_RECORD_HEAD;
}

static int add_text(struct fb_str *out, enum fb_spec_tag tag, const char *text,
		    struct fb_err *err)
{
	size_t size;
	uint8_t *p;

	if (!text)
		return 0;
	size = strlen(text) + 1;
	if (size > FB_SPEC_TEXT_MAX)
		return fb_err_set(err, -E2BIG, "'%.32s…': over %u bytes", text,
				  FB_SPEC_TEXT_MAX - 1);
	p = add(out, tag, size);
	if (p)
		memcpy(p, text, size);
	return 0;
}

static int add_texts(struct fb_str *out, enum fb_spec_tag tag,
		     char *const *texts, size_t count, struct fb_err *err)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = add_text(out, tag, texts[i], err);
	return r;
}

static void add_u64(struct fb_str *out, enum fb_spec_tag tag,
		    const uint64_t *values, size_t count)
{
	uint8_t *p = add(out, tag, 8 * count);

	for (size_t i = 0; p && i < count; i++)
		put(p + 8 * i, values[i], 8);
}

static void add_flag(struct fb_str *out, enum fb_spec_tag tag, bool set)
{
	if (set)
		(void)add(out, tag, 0);
}

static int encode_process(const struct fb_spec_process *process,
			  struct fb_str *out, struct fb_err *err)
{
	int r = add_texts(out, FB_SPEC_TAG_ARG, process->args,
			  process->arg_count, err);
	uint8_t *p;

	if (r == 0)
		r = add_texts(out, FB_SPEC_TAG_ENV, process->env,
			      process->env_count, err);
	if (r == 0)
		r = add_text(out, FB_SPEC_TAG_CWD, process->cwd, err);
	if (r == 0)
		r = add_text(out, FB_SPEC_TAG_USER, process->user, err);
	if (process->terminal) {
		p = add(out, FB_SPEC_TAG_TERMINAL, 4);
		if (p) {
			put(p, process->size.rows, 2);
			put(p + 2, process->size.cols, 2);
		}
	}
	add_flag(out, FB_SPEC_TAG_STDIN, process->stdin_open);
	for (size_t i = 0; i < process->rlimit_count; i++) {
		const struct fb_spec_rlimit *l = &process->rlimits[i];
		size_t size = strlen(l->name) + 1;

		p = add(out, FB_SPEC_TAG_RLIMIT, FB_SPEC_RLIMIT_FIXED + size);
		if (!p)
			break;
		put(p, l->soft, 8);
		put(p + 8, l->hard, 8);
		memcpy(p + FB_SPEC_RLIMIT_FIXED, l->name, size);
	}
	return r;
}

static int encode_root(const struct fb_spec_root *root, struct fb_str *out,
		       struct fb_err *err)
{
	size_t size = strlen(root->device) + 1;
	uint8_t *p = add(out, FB_SPEC_TAG_ROOT, 4 + size);

	if (p) {
		put(p, root->fs, 4);
		memcpy(p + 4, root->device, size);
	}
	if (root->upper_size_bytes)
		add_u64(out, FB_SPEC_TAG_UPPER_TMPFS, &root->upper_size_bytes,
			1);
	add_flag(out, FB_SPEC_TAG_READ_ONLY, root->read_only);
	add_flag(out, FB_SPEC_TAG_DISPOSABLE, root->disposable);
	return add_text(out, FB_SPEC_TAG_UPPER_DEVICE, root->upper_device, err);
}

static void encode_addr(const struct fb_spec_addr *addr, enum fb_spec_tag tag,
			size_t bytes, struct fb_str *out)
{
	uint8_t *p = addr->prefix ? add(out, tag, 2 + 2 * bytes) : NULL;

	if (!p)
		return;
	p[0] = addr->prefix;
	p[1] = addr->has_gateway;
	memcpy(p + 2, addr->addr, bytes);
	memcpy(p + 2 + bytes, addr->gateway, bytes);
}

static void encode_net(const struct fb_spec_net *net, struct fb_str *out)
{
	size_t size = strlen(net->name) + 1;
	uint8_t *p = net->name[0] ? add(out, FB_SPEC_TAG_NET,
					FB_SPEC_NET_FIXED + size)
				  : NULL;

	if (p) {
		memcpy(p, net->mac, 6);
		put(p + 6, 0, 2);
		put(p + 8, net->mtu, 4);
		memcpy(p + FB_SPEC_NET_FIXED, net->name, size);
	}
	encode_addr(&net->v4, FB_SPEC_TAG_ADDR4, 4, out);
	encode_addr(&net->v6, FB_SPEC_TAG_ADDR6, 16, out);
}

static int encode_tmpfs(const struct fb_spec_tmpfs *tmpfs, struct fb_str *out,
			struct fb_err *err)
{
	const char *options = tmpfs->options ? tmpfs->options : "";
	size_t path_size = strlen(tmpfs->path) + 1;
	size_t options_size = strlen(options) + 1;
	uint8_t *p;

	if (path_size + options_size > FB_SPEC_TEXT_MAX)
		return fb_err_set(err, -E2BIG, "tmpfs '%.32s…': over %u bytes",
				  tmpfs->path, FB_SPEC_TEXT_MAX);
	p = add(out, FB_SPEC_TAG_TMPFS, path_size + options_size);
	if (p) {
		memcpy(p, tmpfs->path, path_size);
		memcpy(p + path_size, options, options_size);
	}
	return 0;
}

static int encode_rest(const struct fb_guest_spec *spec, struct fb_str *out,
		       struct fb_err *err)
{
	const uint64_t cpu[] = { spec->cpu_quota_us, spec->cpu_period_us };
	int r = add_text(out, FB_SPEC_TAG_HOSTNAME, spec->hostname, err);
	uint8_t *p;

	if (r == 0)
		r = add_text(out, FB_SPEC_TAG_HOSTS, spec->hosts, err);
	if (r == 0)
		r = add_text(out, FB_SPEC_TAG_RESOLV_CONF, spec->resolv_conf,
			     err);
	for (size_t i = 0; i < spec->tmpfs_count && r == 0; i++)
		r = encode_tmpfs(&spec->tmpfs[i], out, err);
	add_flag(out, FB_SPEC_TAG_INIT, spec->init);
	add_flag(out, FB_SPEC_TAG_DEBUG, spec->debug);
	if (spec->cpu_quota_us)
		add_u64(out, FB_SPEC_TAG_CPU, cpu, 2);
	if (spec->pids_max)
		add_u64(out, FB_SPEC_TAG_PIDS, &spec->pids_max, 1);
	if (spec->has_clock) {
		p = add(out, FB_SPEC_TAG_CLOCK, 12);
		if (p) {
			put(p, spec->clock_sec, 8);
			put(p + 8, spec->clock_nsec, 4);
		}
	}
	if (spec->has_seed) {
		p = add(out, FB_SPEC_TAG_SEED, FB_SPEC_SEED_SIZE);
		if (p)
			memcpy(p, spec->seed, FB_SPEC_SEED_SIZE);
	}
	return r;
}

int fb_spec_encode(const struct fb_guest_spec *spec, struct fb_str *out,
		   struct fb_err *err)
{
	uint8_t head[FB_SPEC_HEAD];
	int r = fb_spec_check(spec, err);

	if (r < 0)
		return r;
	put(head, FB_GUEST_SPEC_MAGIC, 4);
	put(head + 4, FB_GUEST_SPEC_VERSION, 4);
	(void)fb_str_append(out, head, sizeof(head));
	r = encode_process(&spec->process, out, err);
	if (r == 0)
		r = encode_root(&spec->root, out, err);
	encode_net(&spec->net, out);
	if (r == 0)
		r = encode_rest(spec, out, err);
	if (r == 0 && out->err == -E2BIG)
		return fb_err_set(err, -E2BIG,
				  "arguments and environment are too long");
	if (r == 0 && out->err)
		return fb_err_set(err, out->err, "encode the spec: %m");
	return r;
}

void fb_spec_put_fresh(uint8_t *out, uint64_t sec, uint32_t nsec,
		       const uint8_t *seed)
{
	put(out, FB_SPEC_TAG_CLOCK, 4);
	put(out + 4, 12, 4);
	put(out + 8, sec, 8);
	put(out + 16, nsec, 4);
	out += FB_SPEC_RECORD_HEAD + 12;
	put(out, FB_SPEC_TAG_SEED, 4);
	put(out + 4, FB_SPEC_SEED_SIZE, 4);
	memcpy(out + FB_SPEC_RECORD_HEAD, seed, FB_SPEC_SEED_SIZE);
}
