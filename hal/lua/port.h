/*
 * What a chip supplies to the runtime: the whole of a port. Each port defines every function here, once.
 *
 * Rules for all of them:
 * - Nothing blocks, but port_idle, the two flash functions that say so, and the ones that never return.
 * - Nothing allocates, and nothing is called from an interrupt unless it says so.
 * - A pointer that is handed in belongs to the caller and is not kept.
 *
 * A port calls back into the runtime in three places, see runtime.h: runtime_main() once, after reset, with RAM, the
 * stack and the interrupt vectors in place; runtime_tick() every millisecond from its timer interrupt; and
 * crash_fault() from its fault handler.
 */
#ifndef MOTH_PORT_H
#define MOTH_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Brings up clocks, the millisecond timer, both UARTs at 115200 baud 8N1, and the converter. Called first, once. */
void port_start(void);

/* --- time --- */

/* Milliseconds since power-on, wrapping at 2^32. Never stands still, never goes back. May be called from interrupts. */
uint32_t port_millis(void);

/*
 * Sleeps until `until` (in port_millis, compared by difference), until a byte was received on either UART since the
 * last read of it, or until an input pin changed where the chip can tell; whichever is first. At once when `until` has
 * passed. May return early. The check and the sleep are one step: a byte that comes between them is not slept over.
 */
void port_idle(uint32_t until);

/* --- UARTs: interrupt-driven rings in both directions, see byte_ring.h --- */

enum port_uart { PORT_MODULE, PORT_CONSOLE };

/* Moves up to `room` received bytes to `into`. Gives how many; 0 when none has come. */
uint32_t port_read(enum port_uart uart, uint8_t *into, uint32_t room);
/* Queues up to `count` bytes. Gives how many were taken; 0 when the ring is full. */
uint32_t port_write(enum port_uart uart, const uint8_t *from, uint32_t count);
/* Received bytes that were lost since power-on: ring full, or the hardware's overrun flag (counts 1 each). */
uint32_t port_lost(enum port_uart uart);
/* Changes the rate of both directions. False, nothing changed: bytes are still leaving, or more than 3 % off. */
bool port_set_baud(enum port_uart uart, uint32_t baud);

/* --- pins and converter --- */

enum port_pin_mode { PORT_INPUT, PORT_INPUT_PULL_UP, PORT_OUTPUT };

/* Sets what a pin is for; an output starts low. False: no such pin, or the board uses it for something else. */
bool port_pin_configure(int32_t pin, enum port_pin_mode mode);
/* Drives an output. Does nothing to a pin that is not an output. */
void port_pin_write(int32_t pin, bool high);
/* The level of an input, or what an output is driven to. False for a pin that does not exist. */
bool port_pin_read(int32_t pin);

/* The voltage on a channel in microvolts; negative when there is no such channel. Takes microseconds. */
int32_t port_analog(int32_t channel);

/* --- the module's reset line --- */

bool port_reset_line_present(void);
/* Holds the module in reset, or lets go. Does nothing without the line. */
void port_reset_line(bool held);

/* --- the chip itself --- */

/* 32 random bits for backoff jitter; not for keys. */
uint32_t port_random(void);
/* Writes the chip's unique number, most significant byte first. Gives its length, 1 to 16. */
uint32_t port_id(uint8_t into[16]);

enum port_cause { PORT_POWER_ON, PORT_RESTART, PORT_WATCHDOG };

/* Why the chip started: power or its reset pin, port_restart(), or the hardware watchdog. The same for the whole run. */
enum port_cause port_cause(void);
/* Resets the chip at once. RAM in section .noinit keeps what it holds. May be called from interrupts and faults. */
_Noreturn void port_restart(void);
/* Leaves for the boot loader that takes new firmware. Returns false only where the chip has none. */
bool port_boot_loader(void);

/* Starts the hardware watchdog with this patience, 100 to 8300 ms, or the most it has. It cannot be stopped. */
void port_watchdog_start(uint32_t ms);
/* Restarts the watchdog's patience. */
void port_watchdog_feed(void);

/*
 * --- flash for storage ---
 * Two areas of the same size, readable as memory. Erased bytes are 0xFF; programming can only turn ones into zeros,
 * in steps of 8 bytes that lie on multiples of 8. The layout within an area is the runtime's business: storage.h.
 */

/* Bytes of one area: a multiple of 8, 16384 to 524280. */
uint32_t port_flash_size(void);
/* Where area 0 or 1 lies in memory. Aligned to 8 bytes. */
const uint8_t *port_flash_at(uint32_t area);
/* Erases an area; blocks up to 2 s, during which the port feeds its watchdog. False: the chip reported an error. */
bool port_flash_erase(uint32_t area);
/* Programs `count` bytes (a multiple of 8) at offset `at` (too); blocks up to 5 ms. False: an error, or read back wrong. */
bool port_flash_program(uint32_t area, uint32_t at, const uint8_t *from, uint32_t count);

#endif
