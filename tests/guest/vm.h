/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of one guest, for tests: boots a kernel under QEMU with our
 * initramfs, plays the host over a socket pair, and keeps what came.
 */
#ifndef FB_TESTS_GUEST_VM_H
#define FB_TESTS_GUEST_VM_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"
#include "wire/frame.h"
#include "wire/spec.h"
#include "wire/window.h"

/**
 * struct vm_config - What to boot
 * @root:  Image file of /dev/vda
 * @upper: File of /dev/vdb, or NULL
 * @memory_mb: 0 = 256
 * @network: A user-mode network card
 */
struct vm_config {
	const char *root;
	const char *upper;
	unsigned int memory_mb;
	bool network;
};

/**
 * struct vm - One guest
 * @out:    What came on stdout and stderr, unless @check takes it
 * @log:    Lines of LOG frames
 * @exit:   The record, once @exited; @text its text
 * @hold:   Give no window back for stdout
 * @check:  Called with stdout's bytes instead of keeping them
 * @protocol_error: Something that the guest must not send came
 * @gone:   The channel ended
 */
struct vm {
	pid_t qemu;
	int fd;
	struct fb_frame_reader reader;
	struct fb_str out[2];
	struct fb_str log;
	struct fb_recv_window window[2];
	struct fb_send_window input;
	bool hello;
	bool started;
	bool exited;
	bool input_refused;
	bool hold;
	bool gone;
	bool protocol_error;
	struct fb_guest_exit exit;
	char text[FB_GUEST_TEXT_MAX + 1];
	void (*check)(void *ctx, const uint8_t *data, size_t len);
	void *check_ctx;
};

/** vm_possible() - NULL, or why no guest can be booted here */
const char *vm_possible(void);

/** vm_folder() - Folder with root.sqfs, bare.sqfs, pattern; made on first use */
const char *vm_folder(void);

/** vm_path() - "vm_folder()/@name" (borrowed); @name is a literal, one of few */
const char *vm_path(const char *name);

/** vm_boot() - Start a guest and wait for its HELLO. Return: false when there was none */
bool vm_boot(struct vm *vm, const struct vm_config *config);

/** vm_spec() - A usual spec that runs `/bin/sh -c @script` */
struct fb_guest_spec vm_spec(const char *script);

/** vm_begin() - Send the spec */
void vm_begin(struct vm *vm, const struct fb_guest_spec *spec);

/** vm_send() - Send raw bytes to the guest */
void vm_send(struct vm *vm, const void *bytes, size_t len);

/** vm_send_input() - Send stdin's bytes within the window, serving output meanwhile */
void vm_send_input(struct vm *vm, const void *bytes, size_t len);

/** vm_send_end() - EOF of stdin */
void vm_send_end(struct vm *vm);

void vm_send_signal(struct vm *vm, unsigned int signal);

/** vm_step() - Wait for something to come, and take it; false at the channel's end */
bool vm_step(struct vm *vm);

/** vm_wait_output() - Until stdout holds @text, or nothing can come any more */
bool vm_wait_output(struct vm *vm, const char *text);

/** vm_finish() - Until EXIT; acknowledge; until the machine has reset. Return: it did */
bool vm_finish(struct vm *vm);

/** vm_abort() - Close the channel and wait for the reset. Return: QEMU ended by itself */
bool vm_abort(struct vm *vm);

/** vm_run() - Boot, begin, stdin at its end, finish. Return: all went its way */
bool vm_run(struct vm *vm, const struct vm_config *config,
	    const struct fb_guest_spec *spec);

/** vm_sh() - vm_run() of a shell script on root.sqfs */
bool vm_sh(struct vm *vm, const char *script);

void vm_release(struct vm *vm);

#endif
