/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding allocates once, the pointer arrays: the texts are used where they
 * lie in the blob, since they carry their NUL.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/spec_records.h"

static uint64_t get(const uint8_t *p, size_t bytes)
{
	uint64_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

/**
 * struct owned - The memory behind a decoded spec, in one allocation
 * @blob:     Where the texts are
 * @pointers: args, NULL, env, NULL
 */
struct owned {
	uint8_t *blob;
	struct fb_spec_tmpfs *tmpfs;
	char *pointers[];
};

/**
 * struct decoder - While a blob is read
 * @spec: What was read so far
 * @args: Next free slot in the owned arrays; likewise @env, @tmpfs
 */
struct decoder {
	struct fb_guest_spec spec;
	char **args;
	char **env;
	struct fb_spec_tmpfs *tmpfs;
	uint32_t seen;
};
static_assert(FB_SPEC_TAG_END <= 32, "a bit a tag");

struct record {
	unsigned int tag;
	unsigned int flags;
	size_t len;
	uint8_t *data;
};

/* Return: 1 with a record, 0 at the end, -EPROTO */
static int next_record(uint8_t *blob, size_t len, size_t *at,
		       struct record *ret)
{
	if (*at == len)
		return 0;
	if (len - *at < FB_SPEC_RECORD_HEAD)
		return -EPROTO;
	ret->tag = (unsigned int)get(blob + *at, 2);
	ret->flags = (unsigned int)get(blob + *at + 2, 2);
	ret->len = (size_t)get(blob + *at + 4, 4);
	*at += FB_SPEC_RECORD_HEAD;
	if (ret->len > len - *at)
		return -EPROTO;
	ret->data = blob + *at;
	*at += ret->len;
	return 1;
}

/* A text that fills the bytes exactly; NULL where it does not */
static char *text_in(uint8_t *data, size_t len)
{
	if (len == 0 || len > FB_SPEC_TEXT_MAX ||
	    memchr(data, '\0', len) != data + len - 1)
		return NULL;
	return (char *)data;
}

static int read_text(const struct record *rec, const char **ret)
{
	char *text = text_in(rec->data, rec->len);

	if (!text)
		return -EPROTO;
	*ret = text;
	return 0;
}

static int read_name(uint8_t *data, size_t len, char name[16])
{
	const char *text = text_in(data, len);

	if (!text || len > 16)
		return -EPROTO;
	memcpy(name, text, len);
	return 0;
}

static int read_rlimit(struct fb_spec_process *p, const struct record *rec)
{
	struct fb_spec_rlimit *l;

	if (p->rlimit_count == FB_SPEC_RLIMITS_MAX)
		return -E2BIG;
	if (rec->len <= FB_SPEC_RLIMIT_FIXED)
		return -EPROTO;
	l = &p->rlimits[p->rlimit_count++];
	l->soft = get(rec->data, 8);
	l->hard = get(rec->data + 8, 8);
	return read_name(rec->data + FB_SPEC_RLIMIT_FIXED,
			 rec->len - FB_SPEC_RLIMIT_FIXED, l->name);
}

static int read_root(struct fb_spec_root *root, const struct record *rec)
{
	if (rec->len <= 4)
		return -EPROTO;
	root->fs = (enum fb_spec_fs)get(rec->data, 4);
	root->device = text_in(rec->data + 4, rec->len - 4);
	return root->device ? 0 : -EPROTO;
}

static int read_net(struct fb_spec_net *net, const struct record *rec)
{
	if (rec->len <= FB_SPEC_NET_FIXED)
		return -EPROTO;
	memcpy(net->mac, rec->data, 6);
	net->mtu = (uint32_t)get(rec->data + 8, 4);
	return read_name(rec->data + FB_SPEC_NET_FIXED,
			 rec->len - FB_SPEC_NET_FIXED, net->name);
}

static int read_addr(struct fb_spec_addr *addr, const struct record *rec,
		     size_t bytes)
{
	if (rec->len != 2 + 2 * bytes || rec->data[0] == 0 || rec->data[1] > 1)
		return -EPROTO;
	addr->prefix = rec->data[0];
	addr->has_gateway = rec->data[1] != 0;
	memcpy(addr->addr, rec->data + 2, bytes);
	memcpy(addr->gateway, rec->data + 2 + bytes, bytes);
	return 0;
}

static int read_tmpfs(struct fb_spec_tmpfs *tmpfs, const struct record *rec)
{
	uint8_t *nul = memchr(rec->data, '\0', rec->len);

	if (!nul)
		return -EPROTO;
	nul++;
	tmpfs->path = (const char *)rec->data;
	tmpfs->options = text_in(nul, (size_t)(rec->data + rec->len - nul));
	return tmpfs->options ? 0 : -EPROTO;
}

static int read_u64(const struct record *rec, uint64_t *ret, size_t count)
{
	if (rec->len != 8 * count)
		return -EPROTO;
	for (size_t i = 0; i < count; i++)
		ret[i] = get(rec->data + 8 * i, 8);
	return 0;
}

static int read_flag(const struct record *rec, bool *ret)
{
	*ret = true;
	return rec->len == 0 ? 0 : -EPROTO;
}

static int read_terminal(struct fb_spec_process *p, const struct record *rec)
{
	if (rec->len != 4)
		return -EPROTO;
	p->terminal = true;
	p->size.rows = (uint16_t)get(rec->data, 2);
	p->size.cols = (uint16_t)get(rec->data + 2, 2);
	return 0;
}

static int read_clock(struct fb_guest_spec *spec, const struct record *rec)
{
	if (rec->len != 12)
		return -EPROTO;
	spec->has_clock = true;
	spec->clock_sec = get(rec->data, 8);
	spec->clock_nsec = (uint32_t)get(rec->data + 8, 4);
	return spec->clock_sec <= INT64_MAX && spec->clock_nsec < 1000000000u
		       ? 0
		       : -EPROTO;
}

static int read_seed(struct fb_guest_spec *spec, const struct record *rec)
{
	if (rec->len != FB_SPEC_SEED_SIZE)
		return -EPROTO;
	spec->has_seed = true;
	memcpy(spec->seed, rec->data, FB_SPEC_SEED_SIZE);
	return 0;
}

static int read_cpu(struct fb_guest_spec *spec, const struct record *rec)
{
	uint64_t values[2];
	int r = read_u64(rec, values, 2);

	if (r < 0)
		return r;
	spec->cpu_quota_us = values[0];
	spec->cpu_period_us = values[1];
	return 0;
}

static int read_repeated(struct decoder *d, const struct record *rec)
{
	char *text = text_in(rec->data, rec->len);

	switch (rec->tag) {
	case FB_SPEC_TAG_ARG:
		*d->args++ = text;
		return text ? 0 : -EPROTO;
	case FB_SPEC_TAG_ENV:
		*d->env++ = text;
		return text ? 0 : -EPROTO;
	case FB_SPEC_TAG_TMPFS:
		return read_tmpfs(d->tmpfs++, rec);
	case FB_SPEC_TAG_RLIMIT:
		return read_rlimit(&d->spec.process, rec);
	default:
		return 1; /* not one that may be repeated */
	}
}

static int read_single(struct fb_guest_spec *spec, const struct record *rec)
{
	switch (rec->tag) {
	case FB_SPEC_TAG_CWD:
		return read_text(rec, &spec->process.cwd);
	case FB_SPEC_TAG_USER:
		return read_text(rec, &spec->process.user);
	case FB_SPEC_TAG_TERMINAL:
		return read_terminal(&spec->process, rec);
	case FB_SPEC_TAG_STDIN:
		return read_flag(rec, &spec->process.stdin_open);
	case FB_SPEC_TAG_ROOT:
		return read_root(&spec->root, rec);
	case FB_SPEC_TAG_UPPER_DEVICE:
		return read_text(rec, &spec->root.upper_device);
	case FB_SPEC_TAG_UPPER_TMPFS:
		return read_u64(rec, &spec->root.upper_size_bytes, 1);
	case FB_SPEC_TAG_READ_ONLY:
		return read_flag(rec, &spec->root.read_only);
	case FB_SPEC_TAG_DISPOSABLE:
		return read_flag(rec, &spec->root.disposable);
	case FB_SPEC_TAG_INIT:
		return read_flag(rec, &spec->init);
	case FB_SPEC_TAG_DEBUG:
		return read_flag(rec, &spec->debug);
	case FB_SPEC_TAG_HOSTNAME:
		return read_text(rec, &spec->hostname);
	case FB_SPEC_TAG_HOSTS:
		return read_text(rec, &spec->hosts);
	case FB_SPEC_TAG_RESOLV_CONF:
		return read_text(rec, &spec->resolv_conf);
	case FB_SPEC_TAG_NET:
		return read_net(&spec->net, rec);
	case FB_SPEC_TAG_ADDR4:
		return read_addr(&spec->net.v4, rec, 4);
	case FB_SPEC_TAG_ADDR6:
		return read_addr(&spec->net.v6, rec, 16);
	case FB_SPEC_TAG_CPU:
		return read_cpu(spec, rec);
	case FB_SPEC_TAG_PIDS:
		return read_u64(rec, &spec->pids_max, 1);
	case FB_SPEC_TAG_CLOCK:
		return read_clock(spec, rec);
	case FB_SPEC_TAG_SEED:
		return read_seed(spec, rec);
	default:
		return -ENOTSUP;
	}
}

static int read_record(struct decoder *d, const struct record *rec)
{
	int r = read_repeated(d, rec);

	if (r <= 0)
		return r;
	if (rec->tag == 0 || rec->tag >= FB_SPEC_TAG_END)
		return rec->flags & FB_GUEST_SPEC_OPTIONAL ? 0 : -ENOTSUP;
	if (d->seen & 1u << rec->tag)
		return -EPROTO;
	d->seen |= 1u << rec->tag;
	return read_single(&d->spec, rec);
}

static int count_records(uint8_t *blob, size_t len,
			 size_t count[FB_SPEC_TAG_END])
{
	size_t at = FB_SPEC_HEAD;
	struct record rec;
	int r;

	while ((r = next_record(blob, len, &at, &rec)) > 0)
		if (rec.tag < FB_SPEC_TAG_END)
			count[rec.tag]++;
	if (r == 0 && (count[FB_SPEC_TAG_ARG] > FB_SPEC_ARGS_MAX ||
		       count[FB_SPEC_TAG_ENV] > FB_SPEC_ENV_MAX ||
		       count[FB_SPEC_TAG_TMPFS] > FB_SPEC_TMPFS_MAX))
		return -E2BIG;
	return r;
}

static struct owned *decoder_init(struct decoder *d, const size_t *count)
{
	size_t pointers =
		count[FB_SPEC_TAG_ARG] + 1 + count[FB_SPEC_TAG_ENV] + 1;
	size_t bytes = sizeof(struct owned) + pointers * sizeof(char *);
	struct owned *owned = calloc(1, bytes + count[FB_SPEC_TAG_TMPFS] *
							sizeof(*owned->tmpfs));

	if (!owned)
		return NULL;
	owned->tmpfs = (void *)&owned->pointers[pointers];
	d->args = owned->pointers;
	d->env = owned->pointers + count[FB_SPEC_TAG_ARG] + 1;
	d->tmpfs = owned->tmpfs;
	d->spec.process.args = d->args;
	d->spec.process.arg_count = count[FB_SPEC_TAG_ARG];
	d->spec.process.env = d->env;
	d->spec.process.env_count = count[FB_SPEC_TAG_ENV];
	d->spec.tmpfs = d->tmpfs;
	d->spec.tmpfs_count = count[FB_SPEC_TAG_TMPFS];
	return owned;
}

static int read_records(struct decoder *d, uint8_t *blob, size_t len,
			struct fb_err *err)
{
	size_t at = FB_SPEC_HEAD;
	struct record rec;
	int r;

	while ((r = next_record(blob, len, &at, &rec)) > 0) {
		r = read_record(d, &rec);
		if (r < 0)
			return fb_err_set(err, r,
					  "spec: record %u of %zu bytes",
					  rec.tag, rec.len);
	}
	return r < 0 ? r : fb_spec_check(&d->spec, err) < 0 ? -EPROTO : 0;
}

int fb_spec_decode(uint8_t *blob, size_t len, struct fb_guest_spec *ret,
		   struct fb_err *err)
{
	FB_FREE struct owned *owned = NULL;
	size_t count[FB_SPEC_TAG_END] = { 0 };
	struct decoder d = { 0 };
	int r;

	if (len > FB_GUEST_SPEC_MAX)
		return fb_err_set(err, -E2BIG, "spec of %zu bytes", len);
	if (len < FB_SPEC_HEAD || get(blob, 4) != FB_GUEST_SPEC_MAGIC)
		return fb_err_set(err, -EPROTO, "this is no spec");
	if (get(blob + 4, 4) != FB_GUEST_SPEC_VERSION)
		return fb_err_set(err, -ENOTSUP, "spec of another version");
	r = count_records(blob, len, count);
	if (r < 0)
		return fb_err_set(err, r, "spec: bad record");
	owned = decoder_init(&d, count);
	if (!owned)
		return fb_err_set(err, -ENOMEM, "spec: %m");
	r = read_records(&d, blob, len, err);
	if (r < 0)
		return r;
	owned->blob = blob;
	d.spec.owned = FB_TAKE_PTR(owned);
	*ret = d.spec;
	return 0;
}

void fb_spec_release(struct fb_guest_spec *spec)
{
	struct owned *owned = spec->owned;

	if (owned) {
		free(owned->blob);
		free(owned);
	}
	*spec = (struct fb_guest_spec){ 0 };
}
