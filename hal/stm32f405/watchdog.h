/* The independent watchdog. */
#ifndef MOTH_STM32F405_WATCHDOG_H
#define MOTH_STM32F405_WATCHDOG_H

#include "parts.h"
#include "registers.h"

/* Feeding one that was not started does nothing. Also for what runs in RAM. */
static inline __attribute__((always_inline)) void watchdog_feed(void) {
  part_write(IWDG_KR, IWDG_KR_FEED);
}

#endif
