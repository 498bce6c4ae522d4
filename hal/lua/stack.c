#include "stack.h"

#ifdef BOARD_STACK_SIZE

/* From the linker script. The stack grows down from top to bottom. */
extern uint32_t __stack_bottom[];
extern uint32_t __stack_top[];

#define PAINT 0xA5A5A5A5u
/* Left alone below the painter's own frame, in words. */
#define MARGIN 32
#define GUARD 8

void stack_paint(void) {
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  volatile uint32_t *word = __stack_bottom;
  for (; (uintptr_t)(word + MARGIN) < here; word += 1) *word = PAINT;
}

bool stack_is_whole(void) {
  for (int i = 0; i < GUARD; i += 1) {
    if (__stack_bottom[i] != PAINT) return false;
  }
  return true;
}

uint32_t stack_peak(void) {
  const uint32_t *word = __stack_bottom;
  while (word < __stack_top && *word == PAINT) word += 1;
  return (uint32_t)(__stack_top - word) * (uint32_t)sizeof *word;
}

#else /* An operating system looks after the stack. */

void stack_paint(void) {}

bool stack_is_whole(void) {
  return true;
}

uint32_t stack_peak(void) {
  return 0;
}

#endif
