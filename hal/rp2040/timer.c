/* Milliseconds, and the sleep between them. */
#include "../lua/port.h"
#include "../lua/runtime.h"
#include "chip.h"

#define TICK_US 1000u

static volatile uint32_t millis;
/* When the next tick is due, on the timer's microseconds. Belongs to the interrupt. */
static uint32_t next_tick;

void timer_interrupt(void);

/* The alarm goes off when the timer equals it: one that is set too late would wait for 71 minutes. */
static void arm(void) {
  REGISTER(TIMER_ALARM0) = next_tick;
  while ((int32_t)(REGISTER(TIMER_TIMERAWL) - next_tick) >= 0) {
    next_tick += TICK_US;
    millis = millis + 1;
    REGISTER(TIMER_ALARM0) = next_tick;
  }
}

void timer_interrupt(void) {
  REGISTER(TIMER_INTR) = 1;
  next_tick += TICK_US;
  millis = millis + 1;
  arm();
  runtime_tick();
}

void timer_start(void) {
  unreset(RESET_TIMER);
  next_tick = REGISTER(TIMER_TIMERAWL) + TICK_US;
  REGISTER(TIMER_INTE) = 1;
  interrupt_enable(IRQ_TIMER0, 2);
  arm();
}

uint32_t port_millis(void) {
  return millis;
}

/*
 * With interrupts masked, a byte that comes after the check stays pending, and a pending interrupt ends the sleep all
 * the same. It is served as soon as they are let in again.
 */
void port_idle(uint32_t until) {
  bool awake = false;
  while (!awake) {
    uint32_t before = interrupts_mask();
    awake = (int32_t)(millis - until) >= 0 || uart_fresh() || pins_changed();
    if (!awake) __asm__ volatile("dsb\n\twfi" ::: "memory");
    interrupts_restore(before);
  }
}
