/*
 * How the port reaches the chip's parts. A register is named by its address, see registers.h.
 *
 * There are two kinds of parts. For one kind, reading is a call of part_read(), which is not inlined: an emulator that
 * has no such part stands in for it there, and needs nothing else from the image but the two functions below. The hot
 * parts (UARTs, timers, NVIC) every emulator has, and they are read in place.
 *
 * The tests build the port's sources for the desktop with PART_MODEL, which makes every access a call of a model.
 */
#ifndef MOTH_STM32F405_PARTS_H
#define MOTH_STM32F405_PARTS_H

#include <stdint.h>

/* In RAM: what runs while the flash is being erased, as no instruction or constant can be fetched from it then. */
#define RAM_FUNCTION __attribute__((section(".ramfunc"), noinline))

/* The register at `address`. */
uint32_t part_read(uint32_t address);
/* Writes a word of flash memory, which is how the flash controller is given what to program. */
void part_store(uint32_t address, uint32_t word);
/* Writes a register by which a part divides the chip's clock: what tells an emulator how fast the part is to be. */
void part_divide(uint32_t address, uint32_t value);

#ifdef PART_MODEL

void part_write(uint32_t address, uint32_t value);
uint32_t core_read(uint32_t address);
void core_write(uint32_t address, uint32_t value);
const uint8_t *part_memory(uint32_t address);
void cpu_mask(void);
void cpu_unmask(void);
void cpu_wait_for_interrupt(void);
void cpu_spin(uint32_t turns);

#else

static inline void part_write(uint32_t address, uint32_t value) {
  *(volatile uint32_t *)address = value;
}

static inline uint32_t core_read(uint32_t address) {
  return *(volatile uint32_t *)address;
}

static inline void core_write(uint32_t address, uint32_t value) {
  *(volatile uint32_t *)address = value;
}

/* Flash as memory. */
static inline const uint8_t *part_memory(uint32_t address) {
  return (const uint8_t *)address;
}

/* Holds interrupts back. They stay pending, and end cpu_wait_for_interrupt() all the same. */
static inline void cpu_mask(void) {
  __asm__ volatile("cpsid i" ::: "memory");
}

static inline void cpu_unmask(void) {
  __asm__ volatile("cpsie i\n isb" ::: "memory");
}

static inline void cpu_wait_for_interrupt(void) {
  __asm__ volatile("dsb\n wfi" ::: "memory");
}

/* Lets some time pass: 3 to 4 cycles a turn. */
static inline void cpu_spin(uint32_t turns) {
  for (uint32_t turn = 0; turn < turns; turn += 1) __asm__ volatile("nop");
}

#endif

static inline void part_set(uint32_t address, uint32_t bits) {
  part_write(address, part_read(address) | bits);
}

static inline void part_clear(uint32_t address, uint32_t bits) {
  part_write(address, part_read(address) & ~bits);
}

/* Gives the bits of `mask` the value `bits`. */
static inline void part_change(uint32_t address, uint32_t mask, uint32_t bits) {
  part_write(address, (part_read(address) & ~mask) | bits);
}

#endif
