/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel for tests of a VMM by itself: says one line on the serial port and resets.
 * A KVM that interprets needs 80 ms for it, from exec to exit.
 *
 * A word of its command line changes that: "tiny=wait" waits for ever without
 * working, "tiny=count" says a dot now and then, for ever, "tiny=panic" says what a
 * kernel says when it dies, "tiny=fault" stops the processor.
 *
 * Entered as Linux is in 64-bit mode: memory as it is, the boot parameters in %rsi.
 * No instruction here is one that an interpreter lacks.
 */
#include <stdint.h>

#define SERIAL 0x3f8
#define KEYBOARD 0x64
#define RESET 0xfe
#define CMDLINE_AT 0x228 /* of the boot parameters */

void tiny_main(const uint8_t *params);

__asm__(".globl _start\n"
	"_start:\n"
	"	movq %rsi, %rdi\n"
	"	leaq stack_end(%rip), %rsp\n"
	"	call tiny_main\n"
	".bss\n"
	".balign 16\n"
	".skip 4096\n"
	"stack_end:\n"
	".text\n");

static void out(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void say(const char *text)
{
	for (; *text; text++)
		out(SERIAL, (uint8_t)*text);
}

static int has_word(const char *line, const char *word)
{
	for (; *line; line++) {
		int i = 0;

		while (word[i] && line[i] == word[i])
			i++;
		if (!word[i])
			return 1;
	}
	return 0;
}

void tiny_main(const uint8_t *params)
{
	const char *line = (const char *)(uintptr_t)(*(
		const volatile uint32_t *)(params + CMDLINE_AT));

	say("tiny kernel\r\n");
	if (has_word(line, "tiny=panic"))
		say("[    0.1] Kernel panic - not syncing: tiny\r\n");
	if (has_word(line, "tiny=fault"))
		__asm__ volatile("lidt %0; ud2" : : "m"(*params));
	while (has_word(line, "tiny=wait"))
		__asm__ volatile("cli; hlt");
	while (has_word(line, "tiny=count")) {
		for (volatile int i = 0; i < 400; i++)
			;
		say(".");
	}
	out(KEYBOARD, RESET);
	for (;;)
		__asm__ volatile("hlt");
}
