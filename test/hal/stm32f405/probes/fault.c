/* Faults on order; the handler leaves what it was told for the next run. */
#include "port.h"
#include "runtime.h"
#include "say.h"

struct record {
  uint32_t magic;
  uint32_t pc;
  uint32_t lr;
  uint32_t status;
};

#define WRITTEN 0x600df00du
static struct record record __attribute__((section(".noinit")));

/* The handler is to fault itself. */
static bool twice;

_Noreturn void crash_fault(uintptr_t pc, uintptr_t lr, uint32_t status) {
  if (twice) __asm__ volatile("udf #1");
  record = (struct record){ WRITTEN, (uint32_t)pc, (uint32_t)lr, status };
  port_restart();
}

__attribute__((noinline, used)) void touch_nothing(void) {
  /* Not mapped, on any chip of the family. */
  *(volatile uint32_t *)0x60000000u = 1;
}

__attribute__((noinline, used)) void run_no_code(void) {
  __asm__ volatile("udf #0");
}

/* Each level keeps 256 bytes of stack, and uses them, so that no compiler turns it into a loop. */
static volatile uint32_t deepest = UINT32_MAX;

__attribute__((noinline, used)) uint32_t recurse(uint32_t depth) {
  volatile uint32_t room[64];
  room[depth % 64] = depth;
  if (depth == deepest) return 0;
  return recurse(depth + 1) + room[depth % 64];
}

static float volatile half = 0.5f;

_Noreturn void runtime_main(void) {
  port_start();
  if (record.magic == WRITTEN) {
    say_value("pc", record.pc);
    say_value("lr", record.lr);
    say_value("status", record.status);
    record.magic = 0;
  }
  say("ready\n");
  for (;;) {
    switch (next_order().letter) {
      case 'n':
        touch_nothing();
        break;
      case 'u':
        run_no_code();
        break;
      case 't':
        twice = true;
        run_no_code();
        break;
      case 's':
        say_value("depth", recurse(1));
        break;
      case 'f':
        /* The frame of an interrupted program that uses the FPU is longer. */
        half = half * 3.0f;
        touch_nothing();
        break;
    }
  }
}
