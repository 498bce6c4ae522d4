/* What the files of this port know of each other. */
#ifndef MOTH_RP2040_CHIP_H
#define MOTH_RP2040_CHIP_H

#include <stdbool.h>
#include <stdint.h>
#include "registers.h"

#define CLK_SYS_HZ 125000000u

/* Brings the chip from its ring oscillator to the crystal: 125 MHz for the core and the UARTs, 48 for the converter. */
void clocks_start(void);
/* Lets blocks out of reset, and waits until they are. `blocks`: RESET_... */
void unreset(uint32_t blocks);

void timer_start(void);
void uart_start(void);
void pins_start(void);
void analog_start(void);
/* Reads the flash chip's number; the flash is away meanwhile. Before interrupts are on. */
void flash_start(void);

/* 64 bits that the flash chip was given when it was made, most significant byte first. */
extern uint8_t flash_id[8];

/* A byte came on either UART since it was last read. Asked with interrupts masked. */
bool uart_fresh(void);
/* An input changed since this was last asked. Asked with interrupts masked. */
bool pins_changed(void);

/* The pin's converter channel is a digital pin now. */
bool pin_is_digital(uint32_t pin);

/* Gives the watchdog the most patience that it has, whatever it was started with, until it is next fed. */
void watchdog_be_patient(void);

/* Lets an interrupt in. `priority`: 0 comes first, 3 last. */
void interrupt_enable(uint32_t irq, uint32_t priority);

/* Masks interrupts. Gives what to hand to interrupts_restore. */
static inline uint32_t interrupts_mask(void) {
  uint32_t before;
  __asm__ volatile("mrs %0, primask\n\tcpsid i" : "=r"(before)::"memory");
  return before;
}

static inline void interrupts_restore(uint32_t before) {
  __asm__ volatile("msr primask, %0" ::"r"(before) : "memory");
}

#endif
