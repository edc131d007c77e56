/* SPDX-License-Identifier: Apache-2.0 */
/* The stand-in's guest on its network: one question that libslirp answers. */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "standin.h"

/* before each frame, as IFF_VNET_HDR has it */
#define VIRTIO_HEADER 10
#define FRAME_MAX 65600
#define TYPE_AT 12
#define OPERATION_AT 20
#define SENDER_AT 22
/* an interface takes a moment to be up: asked again each second, as kernels do */
#define TRIES 20

static const uint8_t arp[] = { 0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1 };

static size_t make_question(const uint8_t mac[6], uint8_t *out)
{
	static const uint8_t guest[] = { 10, 0, 2, 15 },
			     host[] = { 10, 0, 2, 2 };
	uint8_t *at = out;

	at += VIRTIO_HEADER;
	memset(at, 0xff, 6);
	memcpy(at + 6, mac, 6);
	memcpy(at + 12, arp, sizeof(arp));
	at += 12 + sizeof(arp);
	memcpy(at, mac, 6);
	memcpy(at + 6, guest, 4);
	memcpy(at + 16, host, 4);
	return (size_t)(at + 20 - out);
}

static bool read_mac(const struct standin *s, uint8_t mac[6])
{
	const char *text = json_string_value(json_object_get(
		json_array_get(json_object_get(s->config, "network-interfaces"),
			       0),
		"guest_mac"));

	return text && sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0],
			      &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) == 6;
}

/* Return: it was the answer */
static bool read_answer(const struct standin *s, char *answer)
{
	static uint8_t frame[FRAME_MAX];
	const uint8_t *at = frame + VIRTIO_HEADER;
	ssize_t n = read(s->tap, frame, sizeof(frame));

	if (n < VIRTIO_HEADER + SENDER_AT + 6 ||
	    memcmp(at + TYPE_AT, arp, 2) != 0 || at[OPERATION_AT + 1] != 2)
		return false;
	at += SENDER_AT;
	(void)snprintf(answer, STANDIN_ANSWER_MAX, "%02x%02x%02x%02x%02x%02x",
		       at[0], at[1], at[2], at[3], at[4], at[5]);
	return true;
}

void standin_ask_gateway(const struct standin *s,
			 char answer[STANDIN_ANSWER_MAX])
{
	uint8_t question[128] = { 0 }, mac[6];
	struct pollfd p = { .fd = s->tap, .events = POLLIN };
	size_t len;

	(void)snprintf(answer, STANDIN_ANSWER_MAX, "no network");
	if (s->tap <= 0 || !read_mac(s, mac))
		return;
	len = make_question(mac, question);
	(void)snprintf(answer, STANDIN_ANSWER_MAX, "no answer");
	for (int i = 0; i < TRIES; i++) {
		ssize_t n = write(s->tap, question, len);

		(void)n;
		while (poll(&p, 1, 1000) > 0)
			if (read_answer(s, answer))
				return;
	}
}
