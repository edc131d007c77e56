/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ps_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "container/exit_record.h"
#include "oci/json.h"
#include "oci/reference.h"

#define CONFIG_FILE_MAX (64u << 20)
#define HEX_PREFIX_MIN 4

enum key { ANCESTOR, BEFORE, EXITED, ID, LABEL, NAME, SINCE, STATUS, KEYS };

static const char *const keys[] = {
	[ANCESTOR] = "ancestor", [BEFORE] = "before",
	[EXITED] = "exited",	 [ID] = "id",
	[LABEL] = "label",	 [NAME] = "name",
	[SINCE] = "since",	 [STATUS] = "status",
};
_Static_assert(FB_ARRAY_SIZE(keys) == KEYS, "every key has a name");

/* docker's; some of them no container of ours ever has */
static const char *const states[] = { "created",  "restarting", "running",
				      "removing", "paused",	"exited",
				      "dead" };

/**
 * struct fb_ps_condition - One of them
 * @value:  As typed (borrowed)
 * @regex:  Of NAME; @has_regex
 * @number: Of EXITED: the status; of BEFORE and SINCE: when that one was created
 */
struct fb_ps_condition {
	enum key key;
	const char *value;
	regex_t regex;
	bool has_regex;
	int64_t number;
};

void fb_ps_filter_release(struct fb_ps_filter *filter)
{
	for (size_t i = 0; i < filter->count; i++)
		if (filter->v[i].has_regex)
			regfree(&filter->v[i].regex);
	free(filter->v);
	*filter = (struct fb_ps_filter){ 0 };
}

static int invalid(const struct fb_ps_condition *c, struct fb_err *err)
{
	return fb_err_set(err, -EINVAL, "invalid filter '%s=%s'", keys[c->key],
			  c->value);
}

static int read_status(struct fb_ps_condition *c, struct fb_err *err)
{
	char *end;

	c->number = strtol(c->value, &end, 10);
	return *end || end == c->value ? invalid(c, err) : 0;
}

static int check_state(const struct fb_ps_condition *c, struct fb_err *err)
{
	for (size_t i = 0; i < FB_ARRAY_SIZE(states); i++)
		if (!strcmp(c->value, states[i]))
			return 0;
	return fb_err_hint(err, invalid(c, err),
			   "created, running, paused, exited, dead");
}

/* name, whole id, or the start of an id that only one has */
static int find_time(struct fb_ps_condition *c,
		     const struct fb_container_entries *list,
		     struct fb_err *err)
{
	const struct fb_container_entry *found = NULL;
	size_t len = strlen(c->value), starts = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct fb_container_entry *e = &list->v[i];

		if (!strcmp(e->name, c->value) || !strcmp(e->id, c->value)) {
			c->number = e->created_ns;
			return 0;
		}
		if (len > 0 && !strncmp(e->id, c->value, len)) {
			found = e;
			starts++;
		}
	}
	if (starts != 1)
		return fb_err_set(err, -ENOENT, "No such container: %s",
				  c->value);
	c->number = found->created_ns;
	return 0;
}

static int compile(struct fb_ps_condition *c, struct fb_err *err)
{
	if (regcomp(&c->regex, c->value, REG_EXTENDED | REG_NOSUB) != 0)
		return invalid(c, err);
	c->has_regex = true;
	return 0;
}

static int understand(struct fb_ps_condition *c,
		      const struct fb_container_entries *list,
		      struct fb_err *err)
{
	switch (c->key) {
	case EXITED:
		return read_status(c, err);
	case STATUS:
		return check_state(c, err);
	case BEFORE:
	case SINCE:
		return find_time(c, list, err);
	case NAME:
		return compile(c, err);
	case ANCESTOR:
	case ID:
	case LABEL:
	case KEYS:
		break;
	}
	return 0;
}

static int parse_word(const char *word, struct fb_ps_condition *ret,
		      struct fb_err *err)
{
	const char *eq = strchr(word, '=');
	size_t len = eq ? (size_t)(eq - word) : 0;
	int key = 0;

	if (!eq)
		return fb_err_set(err, -EINVAL,
				  "invalid argument \"%s\" for \"-f, "
				  "--filter\" flag: bad format of filter "
				  "(expected name=value)",
				  word);
	while (key < KEYS &&
	       (strlen(keys[key]) != len || memcmp(keys[key], word, len) != 0))
		key++;
	if (key == KEYS)
		return fb_err_set(err, -EINVAL, "invalid filter '%.*s'",
				  (int)len, word);
	*ret = (struct fb_ps_condition){ .key = (enum key)key,
					 .value = eq + 1 };
	return 0;
}

int fb_ps_filter_parse(const struct fb_strv *words,
		       const struct fb_container_entries *list,
		       struct fb_ps_filter *ret, struct fb_err *err)
{
	int r = 0;

	if (words->count > FB_PS_FILTERS_MAX)
		return fb_err_set(err, -EINVAL, "over %d filters",
				  FB_PS_FILTERS_MAX);
	ret->v = calloc(words->count ? words->count : 1, sizeof(*ret->v));
	if (!ret->v)
		return fb_err_set(err, -ENOMEM, "read filters: %m");
	for (size_t i = 0; i < words->count && r == 0; i++) {
		struct fb_ps_condition *c = &ret->v[i];

		r = parse_word(words->v[i], c, err);
		if (r == 0)
			r = understand(c, list, err);
		if (c->key == STATUS || c->key == EXITED)
			ret->all = true;
		ret->count++;
	}
	return r;
}

static bool is_same_image(const char *a, const char *b)
{
	char text_a[FB_REFERENCE_TEXT_MAX], text_b[FB_REFERENCE_TEXT_MAX];
	struct fb_reference ra, rb;

	return !strcmp(a, b) || (fb_reference_parse(a, &ra, NULL) == 0 &&
				 fb_reference_parse(b, &rb, NULL) == 0 &&
				 !strcmp(fb_reference_familiar(&ra, text_a),
					 fb_reference_familiar(&rb, text_b)));
}

static bool has_ancestor(const struct fb_container_entry *entry,
			 const char *value)
{
	char id[FB_DIGEST_TEXT_MAX];
	size_t len = strlen(value);
	const char *hex;

	if (is_same_image(entry->image, value))
		return true;
	hex = strchr(fb_digest_format(&entry->image_id, id), ':');
	return hex && (!strcmp(id, value) || (len >= HEX_PREFIX_MIN &&
					      !strncmp(hex + 1, value, len)));
}

/* "key" or "key=value" */
static bool has_label(int dir_fd, const char *value)
{
	FB_JSON json_t *config = NULL;
	FB_FREE char *text = NULL;
	size_t len = 0, n = strlen(value);
	const json_t *labels;

	if (fb_read_file_at(dir_fd, FB_CONTAINER_FILE_CONFIG, CONFIG_FILE_MAX,
			    &text, &len) < 0 ||
	    fb_json_load(text, len, "container config", &config, NULL) < 0)
		return false;
	labels = json_object_get(config, "Labels");
	for (size_t i = 0; i < json_array_size(labels); i++) {
		const char *label =
			json_string_value(json_array_get(labels, i));

		if (label && !strncmp(label, value, n) &&
		    (!label[n] || (label[n] == '=' && !strchr(value, '='))))
			return true;
	}
	return false;
}

static bool has_exited(const struct fb_container_entry *entry, int dir_fd,
		       int64_t status)
{
	struct fb_exit_record record;

	return entry->state == FB_CONTAINER_EXITED &&
	       fb_exit_record_read(dir_fd, &record, NULL) == 0 &&
	       fb_exit_record_status(&record) == status;
}

static bool holds(const struct fb_ps_condition *c,
		  const struct fb_container_entry *entry, int dir_fd)
{
	switch (c->key) {
	case ANCESTOR:
		return has_ancestor(entry, c->value);
	case BEFORE:
		return entry->created_ns < c->number;
	case EXITED:
		return has_exited(entry, dir_fd, c->number);
	case ID:
		return strstr(entry->id, c->value) != NULL;
	case LABEL:
		return has_label(dir_fd, c->value);
	case NAME:
		return regexec(&c->regex, entry->name, 0, NULL, 0) == 0;
	case SINCE:
		return entry->created_ns > c->number;
	case STATUS:
		return !strcmp(fb_container_state_name(entry->state), c->value);
	case KEYS:
		break;
	}
	return false;
}

bool fb_ps_filter_match(const struct fb_ps_filter *filter,
			const struct fb_container_entry *entry, int dir_fd)
{
	bool asked[KEYS] = { false }, held[KEYS] = { false };

	for (size_t i = 0; i < filter->count; i++) {
		const struct fb_ps_condition *c = &filter->v[i];
		bool is = holds(c, entry, dir_fd);

		if (c->key == LABEL && !is)
			return false;
		asked[c->key] = true;
		held[c->key] |= is;
	}
	for (size_t k = 0; k < KEYS; k++)
		if (asked[k] && !held[k])
			return false;
	return true;
}
