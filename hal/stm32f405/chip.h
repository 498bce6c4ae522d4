/* Why the chip started, and how it leaves. */
#ifndef MOTH_STM32F405_CHIP_H
#define MOTH_STM32F405_CHIP_H

/* The very first thing after a reset, before memory is set up: leaves for the ROM boot loader if that was asked for. */
void chip_leave_if_asked(void);

/* Reads why the chip started. Once, before anything resets it. */
void chip_start(void);

/* Random bits from hardware. */
void random_start(void);

#endif
