/* The chip itself: its start, its resets, its watchdog, chance, and its number. */
#include "../lua/port.h"
#include "chip.h"

/*
 * The watchdog counts down twice a microsecond, not once (erratum RP2040-E1).
 * Its scratch register tells a hang from the resets that the boot ROM makes with the same timer, after it has taken
 * a new image.
 */
#define WATCHDOG_PER_MS 2000u
#define STARTED_BY_US 0x4d6f7468u

extern const uint16_t rom_function_table[1], rom_table_lookup[1];

static enum port_cause cause;
static uint32_t watchdog_load;

void interrupt_enable(uint32_t irq, uint32_t priority) {
  uint32_t shift = irq % 4 * 8;
  REGISTER(NVIC_IPR(irq)) = (REGISTER(NVIC_IPR(irq)) & ~(0xffu << shift)) | priority << (shift + 6);
  REGISTER(NVIC_ISER) = 1u << irq;
}

static enum port_cause cause_of_start(void) {
  uint32_t reason = REGISTER(WATCHDOG_REASON);
  if ((reason & WATCHDOG_REASON_FORCE) != 0) return PORT_RESTART;
  bool hung = (reason & WATCHDOG_REASON_TIMER) != 0 && REGISTER(WATCHDOG_SCRATCH0) == STARTED_BY_US;
  return hung ? PORT_WATCHDOG : PORT_POWER_ON;
}

void port_start(void) {
  uint32_t before = interrupts_mask();
  CLEAR(WATCHDOG_CTRL) = WATCHDOG_ENABLE;
  cause = cause_of_start();
  REGISTER(WATCHDOG_SCRATCH0) = 0;
  /* Everything but the oscillators, which take long to start and cannot hang. */
  REGISTER(PSM_WDSEL) = PSM_ALL & ~PSM_OSCILLATORS;
  clocks_start();
  flash_start();
  pins_start();
  analog_start();
  uart_start();
  timer_start();
  interrupts_restore(before);
}

enum port_cause port_cause(void) {
  return cause;
}

_Noreturn void port_restart(void) {
  REGISTER(PSM_WDSEL) = PSM_ALL & ~PSM_OSCILLATORS;
  SET(WATCHDOG_CTRL) = WATCHDOG_TRIGGER;
  for (;;) {
  }
}

bool port_boot_loader(void) {
  typedef void *(*lookup)(const uint16_t *table, uint32_t code);
  lookup find = (lookup)(uintptr_t)rom_table_lookup[0];
  void (*usb_boot)(uint32_t activity_pins, uint32_t disabled_interfaces) =
      (void (*)(uint32_t, uint32_t))(uintptr_t)find((const uint16_t *)(uintptr_t)rom_function_table[0], 'U' | 'B' << 8);
  CLEAR(WATCHDOG_CTRL) = WATCHDOG_ENABLE;
  REGISTER(WATCHDOG_SCRATCH0) = 0;
  interrupts_mask();
  usb_boot(0, 0);
  return false;
}

void port_watchdog_start(uint32_t ms) {
  watchdog_load = ms * WATCHDOG_PER_MS > WATCHDOG_LONGEST ? WATCHDOG_LONGEST : ms * WATCHDOG_PER_MS;
  REGISTER(WATCHDOG_SCRATCH0) = STARTED_BY_US;
  port_watchdog_feed();
  SET(WATCHDOG_CTRL) = WATCHDOG_ENABLE;
}

void port_watchdog_feed(void) {
  REGISTER(WATCHDOG_LOAD) = watchdog_load;
}

void watchdog_be_patient(void) {
  REGISTER(WATCHDOG_LOAD) = WATCHDOG_LONGEST;
}

/* Bits of the ring oscillator's phase. One alone is lopsided, and like its neighbours: 64 of them are mixed together. */
uint32_t port_random(void) {
  static uint32_t pool;
  for (uint32_t bit = 0; bit < 64; bit += 1) {
    pool = (pool << 1 | pool >> 31) ^ (REGISTER(ROSC_RANDOMBIT) & 1u);
    pool *= 0x9e3779b1u;
  }
  uint32_t mixed = pool ^ REGISTER(TIMER_TIMERAWL);
  mixed = (mixed ^ mixed >> 16) * 0x85ebca6bu;
  mixed = (mixed ^ mixed >> 13) * 0xc2b2ae35u;
  return mixed ^ mixed >> 16;
}

uint32_t port_id(uint8_t into[16]) {
  for (uint32_t at = 0; at < sizeof flash_id; at += 1) into[at] = flash_id[at];
  return sizeof flash_id;
}
