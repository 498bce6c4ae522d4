/* The processor's clock. */
#ifndef MOTH_STM32F405_CLOCK_H
#define MOTH_STM32F405_CLOCK_H

#include <stdint.h>

/*
 * Runs the chip at 168 MHz: from the crystal, or from the internal oscillator (1 %) when the crystal does not start,
 * or at the internal oscillator's 16 MHz when the PLL does not lock either. Takes up to 200 ms when nothing starts.
 */
void clock_start(void);

/* What came of it, in Hz: of the processor, of the two buses that the parts hang on, and of the timers. */
uint32_t clock_core(void);
/* USART2, USART3. */
uint32_t clock_bus1(void);
/* USART1, USART6, the converter. */
uint32_t clock_bus2(void);
/* TIM2. */
uint32_t clock_timers(void);

#endif
