/* SPDX-License-Identifier: Apache-2.0 */
/* Between http.c and http_outcome.c */
#ifndef FB_REGISTRY_HTTP_PRIVATE_H
#define FB_REGISTRY_HTTP_PRIVATE_H

#include "registry/http.h"

/**
 * fb_http_conclude() - Turn libcurl's verdict into an outcome and a text
 * @call: Ended; its handle is still there
 * @code: libcurl's verdict
 */
void fb_http_conclude(struct fb_http_call *call, CURLcode code);

#endif
