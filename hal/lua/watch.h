/*
 * Finds a program that hangs, a little before the hardware's watchdog would: so that the crash record can tell where.
 */
#ifndef MOTH_WATCH_H
#define MOTH_WATCH_H

#include <stdint.h>

/* The program has to feed every `timeout` ms from now on. The hardware's patience is a little longer. */
void watch_start(uint32_t timeout);
void watch_feed(void);

/* From the timer interrupt, every millisecond. Does not return when the program has hung for too long. */
void watch_tick(void);

#endif
