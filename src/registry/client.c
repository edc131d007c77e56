/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/client.h"

#include <stdlib.h>
#include <string.h>

void fb_registry_manifest_release(struct fb_registry_manifest *m)
{
	free(m->bytes);
	memset(m, 0, sizeof(*m));
}
