/* From reset to runtime_main(), and what to do with an exception that nobody expects. */
#include "../lua/runtime.h"
#include "chip.h"

extern uint32_t __data_start[], __data_end[], __bss_start[], __bss_end[], __stack_top[];
extern const uint32_t __data_load[];

/* The linker script puts __stack_bottom and __stack_top around it. */
__attribute__((section(".stack"), used, aligned(8))) static uint8_t stack[BOARD_STACK_SIZE];

_Noreturn void reset(void);
void timer_interrupt(void);
void pins_interrupt(void);
void console_interrupt(void);
void module_interrupt(void);

_Noreturn void reset(void) {
  const uint32_t *from = __data_load;
  for (uint32_t *into = __data_start; into < __data_end; into += 1) *into = *from++;
  for (uint32_t *into = __bss_start; into < __bss_end; into += 1) *into = 0;
  runtime_main();
}

/*
 * A fault, and every interrupt that this port never lets in. The frame that the processor stacked holds lr at 20 and
 * pc at 24. What follows gets a fresh stack: the old one may be what went wrong.
 */
__attribute__((naked, used)) static void fault(void) {
  __asm__ volatile(
      "mrs r2, msp\n\t"
      "ldr r0, [r2, #24]\n\t"
      "ldr r1, [r2, #20]\n\t"
      "ldr r2, =__stack_top\n\t"
      "mov sp, r2\n\t"
      "movs r2, #0\n\t"
      "bl crash_fault\n\t"
      ".ltorg");
}

typedef void (*vector)(void);

#define EXCEPTIONS 16
#define INTERRUPTS 32

/* The first word is where the stack begins. */
struct vector_table {
  uint32_t *stack;
  vector exceptions[EXCEPTIONS - 1];
  vector interrupts[INTERRUPTS];
};

__attribute__((section(".vectors"), used)) static const struct vector_table table = {
  .stack = __stack_top,
  .exceptions = { [0] = reset, [1 ... EXCEPTIONS - 2] = fault },
  .interrupts = {
    [IRQ_TIMER0] = timer_interrupt,
    [IRQ_TIMER0 + 1 ... IRQ_IO_BANK0 - 1] = fault,
    [IRQ_IO_BANK0] = pins_interrupt,
    [IRQ_IO_BANK0 + 1 ... IRQ_UART0 - 1] = fault,
    [IRQ_UART0] = console_interrupt,
    [IRQ_UART1] = module_interrupt,
    [IRQ_UART1 + 1 ... INTERRUPTS - 1] = fault,
  },
};
