/* Time: a counter of microseconds, and an interrupt every millisecond. */
#ifndef MOTH_STM32F405_TIMER_H
#define MOTH_STM32F405_TIMER_H

#include <stdint.h>

#include "parts.h"
#include "registers.h"

/* Starts both. The clock has to be up. */
void timer_start(void);

/* Microseconds, wrapping at 2^32, which is 71 minutes. Also for what runs in RAM. */
static inline __attribute__((always_inline)) uint32_t timer_micros(void) {
  return core_read(TIM2_CNT);
}

/* From the timer's interrupt. */
void timer_tick(void);

#endif
