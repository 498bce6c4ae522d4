/* The pins. Pin n of port A is n, of port B 16 + n, of port C 32 + n: PIN(B, 6) is 22. */
#ifndef MOTH_STM32F405_PINS_H
#define MOTH_STM32F405_PINS_H

#include <stdbool.h>
#include <stdint.h>

#define PIN_PORT_A 0
#define PIN_PORT_B 16
#define PIN_PORT_C 32
#define PIN(port, index) (PIN_PORT_##port + (index))

/* Switches the ports' clocks on. First of all here. */
void pins_start(void);

/* The port takes these for itself; an application is refused them from then on. */
void pins_use_for_uart(int32_t transmit, int32_t receive, uint32_t function);
/* Pulled low or let go, never driven high: the module has a pull-up of its own. Comes let go. */
void pins_use_for_reset_line(int32_t pin);

/* Driven high for good: it switches on what the module and the sensors are fed from. */
void pins_use_for_power(int32_t pin);

/* Hands the pin to the converter. False: it is in use. */
bool pins_use_for_analog(int32_t pin);

/* Whether an input has changed since pins_seen(). */
bool pins_changed(void);
void pins_seen(void);

/* From the interrupts of input changes. */
void pins_note_change(void);

#endif
