/* SPDX-License-Identifier: Apache-2.0 */
/* What index and manifest share; used inside src/oci/ only. */
#ifndef FB_OCI_DESCRIPTOR_H
#define FB_OCI_DESCRIPTOR_H

#include <jansson.h>

#include "oci/manifest.h"

/** fb_document_by_type() - By media type alone; parameters are ignored */
enum fb_document fb_document_by_type(const char *media_type);

/** fb_config_type_is_image() - A manifest's config of this type is an image's */
bool fb_config_type_is_image(const char *media_type);

/**
 * fb_schema_check() - The document says schemaVersion 2, or nothing
 *
 * Return: 0; -EBADMSG.
 */
int fb_schema_check(const json_t *document, struct fb_err *err);

/**
 * fb_descriptor_string() - Copy a string member into a field
 * @object: Where (borrowed); NULL counts as empty
 * @key:    Which
 * @to:     @size bytes; "" where it is missing or null; undefined on failure
 * @size:   Of @to
 *
 * Return: 0; -EBADMSG no string, or too long.
 */
int fb_descriptor_string(const json_t *object, const char *key, char *to,
			 size_t size, struct fb_err *err);

/**
 * fb_descriptor_parse() - One descriptor
 *
 * Return: 0; -EBADMSG malformed.
 */
int fb_descriptor_parse(const json_t *json, struct fb_descriptor *ret,
			struct fb_err *err);

/**
 * fb_descriptors_parse() - A list of them
 * @object: Document (borrowed)
 * @key:    Its member
 * @max:    Most entries
 * @ret:    malloc'ed (returned), also where empty; on success only
 *
 * Return: 0; -EBADMSG malformed; -E2BIG; -ENOMEM.
 */
int fb_descriptors_parse(const json_t *object, const char *key, size_t max,
			 struct fb_descriptor **ret, size_t *ret_count,
			 struct fb_err *err);

#endif
