#include "timer.h"

#include "clock.h"
#include "parts.h"
#include "pins.h"
#include "port.h"
#include "registers.h"
#include "runtime.h"
#include "uart.h"

#define MICROS_PER_MS 1000u

static volatile uint32_t millis;
/* Where the counter was when `millis` began. */
static uint32_t counted;

void timer_start(void) {
  part_set(RCC_APB1ENR, RCC_APB1ENR_TIM2);
  part_divide(TIM2_PSC, clock_timers() / 1000000 - 1);
  core_write(TIM2_EGR, TIM2_EGR_UG);
  core_write(TIM2_CR1, TIM2_CR1_CEN);
  counted = timer_micros();
  core_write(SYSTICK_LOAD, clock_core() / 1000 - 1);
  core_write(SYSTICK_VAL, 0);
  core_write(SYSTICK_CTRL, SYSTICK_CTRL_CLKSOURCE | SYSTICK_CTRL_TICKINT | SYSTICK_CTRL_ENABLE);
}

/* Interrupts that were held back for long, as during an erase, come as one: the counter knows how many it should be. */
static void count(void) {
  uint32_t passed = (timer_micros() - counted) / MICROS_PER_MS;
  counted += passed * MICROS_PER_MS;
  millis = millis + passed;
}

void timer_tick(void) {
  count();
  runtime_tick();
}

uint32_t port_millis(void) {
  return millis;
}

static bool must_wake(uint32_t until) {
  return (int32_t)(until - millis) <= 0 || uart_received() || pins_changed();
}

void port_idle(uint32_t until) {
  while (!must_wake(until)) {
    /* An interrupt that comes after this look stays pending, and the processor does not fall asleep over it. */
    cpu_mask();
    if (!must_wake(until)) cpu_wait_for_interrupt();
    cpu_unmask();
  }
  pins_seen();
}
