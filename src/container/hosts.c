/* SPDX-License-Identifier: Apache-2.0 */
#include "container/hosts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const char standard[] =
	"127.0.0.1\tlocalhost\n"
	"::1\tlocalhost ip6-localhost ip6-loopback\n"
	"fe00::0\tip6-localnet\n"
	"ff00::0\tip6-mcastprefix\n"
	"ff02::1\tip6-allnodes\n"
	"ff02::2\tip6-allrouters\n";

static int is_address(const char *text)
{
	uint8_t address[16];

	return inet_pton(AF_INET, text, address) == 1 ||
	       inet_pton(AF_INET6, text, address) == 1;
}

static int add_extra(const char *entry, const char *gateway, struct fb_str *out,
		     struct fb_err *err)
{
	const char *eq = strchr(entry, '='), *colon = strchr(entry, ':');
	const char *sep = eq ? eq : colon;
	FB_FREE char *copy = NULL;
	const char *address;
	size_t len;

	if (!sep || sep == entry || !sep[1] ||
	    strcspn(entry, " \t\n") < (size_t)(sep - entry))
		return fb_err_set(err, -EINVAL,
				  "bad format for add-host: \"%s\"", entry);
	address = sep + 1;
	len = strlen(address);
	if (address[0] == '[' && address[len - 1] == ']')
		copy = strndup(address + 1, len - 2);
	else
		copy = strdup(address);
	if (!copy)
		return fb_err_set(err, -ENOMEM, "add-host: %m");
	if (!strcmp(copy, "host-gateway")) {
		if (!gateway)
			return fb_err_set(err, -EINVAL,
					  "add-host: host-gateway needs a "
					  "network");
	} else if (!is_address(copy)) {
		return fb_err_set(err, -EINVAL,
				  "invalid IP address in add-host: \"%s\"",
				  address);
	} else {
		gateway = copy;
	}
	return fb_str_printf(out, "%s\t%.*s\n", gateway, (int)(sep - entry),
			     entry);
}

int fb_hosts_render(char *const *extra, const char *gateway,
		    const char *address, const char *hostname,
		    struct fb_str *out, struct fb_err *err)
{
	int r = fb_str_puts(out, standard);

	for (; extra && *extra && r == 0; extra++)
		r = add_extra(*extra, gateway, out, err);
	if (r < 0 || !address)
		return r;
	/* a full name is found by its first part as well */
	r = fb_str_printf(out, "%s\t%s", address, hostname);
	if (r == 0 && strchr(hostname, '.'))
		r = fb_str_printf(out, " %.*s", (int)strcspn(hostname, "."),
				  hostname);
	return r < 0 ? r : fb_str_puts(out, "\n");
}
