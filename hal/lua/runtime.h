/*
 * The device runtime: one Lua state that runs the application's bytecode where it lies in flash, in an arena of fixed
 * size, and refuses every allocation once the board has booted. Every port shares it.
 */
#ifndef MOTH_RUNTIME_H
#define MOTH_RUNTIME_H

#include <stdint.h>

/* Boots the application and turns its loop for ever. Called by the port, once, when RAM and vectors are in place. */
_Noreturn void runtime_main(void);

/*
 * Called by the port's timer interrupt every millisecond: looks after the stack and after a loop that hangs. Does not
 * return when it finds something: the crash record is written and the chip restarted.
 */
void runtime_tick(void);

/*
 * Called by the port's fault handler with what the processor stacked: where it was, where it was called from, and the
 * fault status word of the chip (0 where it has none). Writes the crash record and restarts the chip.
 */
_Noreturn void crash_fault(uintptr_t pc, uintptr_t lr, uint32_t status);

#endif
