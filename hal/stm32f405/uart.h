/* The two UARTs, each with a ring in both directions that its interrupt serves. */
#ifndef MOTH_STM32F405_UART_H
#define MOTH_STM32F405_UART_H

#include <stdbool.h>

/* Brings both up at 115200 baud. Clock and pins have to be up. */
void uart_start(void);

/* Whether a byte was received on either since the last read of it. */
bool uart_received(void);

/*
 * Moves bytes between the hardware and the rings, of both UARTs. The interrupts do it; also for who holds them back.
 * In RAM, as are its data.
 */
void uart_service(void);

#endif
