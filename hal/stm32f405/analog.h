/* The converter. */
#ifndef MOTH_STM32F405_ANALOG_H
#define MOTH_STM32F405_ANALOG_H

#include <stdint.h>

/* Switches it on. Clock and pins have to be up. */
void analog_start(void);

/* The lowest bits of the chip's temperature, which are noise. */
uint32_t analog_noise(void);

#endif
