/*
 * What is known when a program dies: kept in RAM that a reset leaves alone, told at the next boot, forgotten when
 * somebody has it. Places in the program are instructions of what is frozen, or lines of the bundled Lua where bytecode is
 * loaded; `moth decode` leads both back to TypeScript.
 */
#ifndef MOTH_CRASH_H
#define MOTH_CRASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum crash_kind {
  CRASH_NONE,
  /* Memory was wanted after the seal, or more than there is: detail is how many bytes. */
  CRASH_ALLOCATION,
  /* A Lua error: message. */
  CRASH_ERROR,
  /* The processor took a fault. */
  CRASH_FAULT,
  /* The C stack ran into its end. */
  CRASH_STACK,
  /* The loop hung. */
  CRASH_WATCHDOG,
};

/* Looks for the record of the run before. Once, at boot. */
void crash_start(void);

/* The image's build, for the record. */
void crash_set_build(uint32_t build);

/* How the run before ended; CRASH_NONE when it ended without a crash. The same for the whole run. */
enum crash_kind crash_ended_last_run(void);

/* Whether that was before the program had booted: it would happen again at once. */
bool crash_was_at_boot(void);

/* Writes the record, with the places in Lua that are being executed, and restarts the chip. From anywhere. */
_Noreturn void crash_now(enum crash_kind kind, uint32_t detail, const char *message);

/* Whether a record is being written, for an interrupt that would look for a crash of its own. */
bool crash_in_progress(void);

/*
 * Writes the record as one line of ASCII, at most `room` characters, no terminator. Gives the length; 0: there is none.
 *
 *     crash error "attempt to index a nil value" build 1a2b3c4d at 1734 203
 */
size_t crash_text(char *into, size_t room);

void crash_forget(void);

#endif
