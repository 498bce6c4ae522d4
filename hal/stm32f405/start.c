/* From reset to the runtime: vectors, memory, the FPU, and where faults go. */
#include "analog.h"
#include "chip.h"
#include "clock.h"
#include "parts.h"
#include "pins.h"
#include "port.h"
#include "registers.h"
#include "runtime.h"
#include "timer.h"
#include "uart.h"

/* Its size is board.json's; the linker script puts it where an overflow leaves the chip's memory. */
static uint8_t stack[BOARD_STACK_SIZE] __attribute__((section(".stack"), aligned(8), used));

extern uint32_t __stack_bottom[], __stack_top[];
extern uint32_t __data_start[], __data_end[], __bss_start[], __bss_end[];
extern const uint32_t __data_in_flash[];

static void set_up_memory(void) {
  const uint32_t *from = __data_in_flash;
  for (uint32_t *into = __data_start; into < __data_end; into += 1) *into = *from++;
  for (uint32_t *into = __bss_start; into < __bss_end; into += 1) *into = 0;
}

static void switch_fpu_on(void) {
  core_write(SCB_CPACR, core_read(SCB_CPACR) | SCB_CPACR_FPU);
  __asm__ volatile("dsb\n isb" ::: "memory");
}

extern const struct vectors vectors;

static _Noreturn void reset_entry(void) {
  set_up_memory();
  chip_leave_if_asked();
  switch_fpu_on();
  core_write(SCB_VTOR, (uint32_t)&vectors);
  runtime_main();
}

void port_start(void) {
  chip_start();
  clock_start();
  /* The UARTs' interrupts before the timer's: a byte waits for 10 us at most, the timer may take longer. */
  core_write(SCB_SHPR3, 0xc0u << 24);
  pins_start();
  uart_start();
  if (BOARD_HEADER_POWER_PIN >= 0) pins_use_for_power(BOARD_HEADER_POWER_PIN);
  if (BOARD_MODULE_RESET_PIN >= 0) pins_use_for_reset_line(BOARD_MODULE_RESET_PIN);
  analog_start();
  random_start();
  timer_start();
}

/*
 * Every fault, and every interrupt that nobody asked for. What the processor stacked is at the stack pointer: the
 * caller's address at 20, the program's at 24. After an overflow the stack pointer is outside of the stack, nothing
 * was stacked, and both are given as 0; the status word says "stacking". The stack is not needed any more, and its
 * top is a sound place to go on from.
 */
__attribute__((naked)) void fault_entry(void);
__attribute__((naked)) void fault_entry(void) {
  __asm__ volatile(
    "  mrs r2, msp\n"
    "  movs r0, #0\n"
    "  movs r1, #0\n"
    "  ldr r3, =__stack_bottom\n"
    "  cmp r2, r3\n"
    "  blo 1f\n"
    "  ldr r3, =__stack_top - 32\n"
    "  cmp r2, r3\n"
    "  bhi 1f\n"
    "  ldr r0, [r2, #24]\n"
    "  ldr r1, [r2, #20]\n"
    "1:\n"
    "  ldr r2, =0xe000ed28\n"
    "  ldr r2, [r2]\n"
    "  ldr r3, =__stack_top\n"
    "  mov sp, r3\n"
    "  b crash_fault\n"
    "  .ltorg\n");
}

typedef void (*handler)(void);

#define INTERRUPTS 82

/* What the processor reads at the start of the flash. */
struct vectors {
  uint32_t *stack;
  handler reset;
  handler exceptions[14];
  handler interrupts[INTERRUPTS];
};

/* Several entries of a range, then a few of them otherwise: what the warning is about is meant. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
__attribute__((section(".vectors"), used)) const struct vectors vectors = {
  .stack = __stack_top,
  .reset = reset_entry,
  .exceptions = { [0 ... 12] = fault_entry, [13] = timer_tick },
  .interrupts = {
    [0 ... INTERRUPTS - 1] = fault_entry,
    [6 ... 10] = pins_note_change,
    [23] = pins_note_change,
    [37 ... 39] = uart_service,
    [40] = pins_note_change,
    [71] = uart_service,
  },
};
#pragma GCC diagnostic pop
