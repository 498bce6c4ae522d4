#include "parts.h"

/* The compiler must not see through them: each is a place where an emulator may stop the processor. */

RAM_FUNCTION uint32_t part_read(uint32_t address) {
  return *(volatile uint32_t *)address;
}

RAM_FUNCTION void part_store(uint32_t address, uint32_t word) {
  *(volatile uint32_t *)address = word;
}

__attribute__((noinline)) void part_divide(uint32_t address, uint32_t value) {
  *(volatile uint32_t *)address = value;
}
