#include "clock.h"

#include <stdbool.h>

#include "parts.h"
#include "registers.h"

#define MHZ 1000000u
#define INTERNAL_HZ (16u * MHZ)
#define FULL_HZ (168u * MHZ)
/* A look at a ready bit every 100 us at 16 MHz, and for how many looks: a crystal takes up to some 10 ms to start. */
#define SPIN_TURNS 400u
#define LOOKS 1000u

_Static_assert(BOARD_HSE_HZ % 1000000 == 0, "the PLL is fed with 1 MHz: HSE_HZ in board.json must be whole MHz");
_Static_assert(BOARD_HSE_HZ == 0 || (BOARD_HSE_HZ >= 4000000 && BOARD_HSE_HZ <= 26000000), "HSE_HZ: 4 to 26 MHz, or 0");

static uint32_t core_hz = INTERNAL_HZ;

/* Waits until the bits of `mask` are `bits`. False: they never were. */
static bool becomes(uint32_t address, uint32_t mask, uint32_t bits) {
  for (uint32_t look = 0; look < LOOKS; look += 1) {
    if ((part_read(address) & mask) == bits) return true;
    cpu_spin(SPIN_TURNS);
  }
  return false;
}

static bool crystal_runs(void) {
  if (BOARD_HSE_HZ == 0) return false;
  part_set(RCC_CR, RCC_CR_HSEON);
  if (becomes(RCC_CR, RCC_CR_HSERDY, RCC_CR_HSERDY)) return true;
  part_clear(RCC_CR, RCC_CR_HSEON);
  return false;
}

/* 1 MHz in, times 336, divided by 2: 168 MHz; divided by 7: the 48 MHz that the random number generator wants. */
static bool pll_locks(uint32_t source, uint32_t source_hz) {
  part_write(RCC_PLLCFGR, RCC_PLLCFGR_PLLM(source_hz / MHZ) | RCC_PLLCFGR_PLLN(336) | RCC_PLLCFGR_PLLP_2 | source |
                            RCC_PLLCFGR_PLLQ(7));
  part_set(RCC_CR, RCC_CR_PLLON);
  if (becomes(RCC_CR, RCC_CR_PLLRDY, RCC_CR_PLLRDY)) return true;
  part_clear(RCC_CR, RCC_CR_PLLON);
  return false;
}

static bool pll_drives(void) {
  part_change(RCC_CFGR, RCC_CFGR_PPRE_MASK, RCC_CFGR_PPRE1_DIV4 | RCC_CFGR_PPRE2_DIV2);
  part_change(RCC_CFGR, RCC_CFGR_SW_MASK, RCC_CFGR_SW_PLL);
  if (becomes(RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL)) return true;
  part_clear(RCC_CFGR, RCC_CFGR_SW_MASK | RCC_CFGR_PPRE_MASK);
  return false;
}

void clock_start(void) {
  /* The regulator's high-performance mode and five wait states are what 168 MHz takes at 3.3 V. */
  part_set(RCC_APB1ENR, RCC_APB1ENR_PWR);
  part_set(PWR_CR, PWR_CR_VOS);
  part_write(FLASH_ACR, FLASH_ACR_LATENCY(5) | FLASH_ACR_PRFTEN | FLASH_ACR_ICEN | FLASH_ACR_DCEN);
  bool locked = (crystal_runs() && pll_locks(RCC_PLLCFGR_PLLSRC_HSE, BOARD_HSE_HZ)) || pll_locks(0, INTERNAL_HZ);
  core_hz = locked && pll_drives() ? FULL_HZ : INTERNAL_HZ;
}

uint32_t clock_core(void) {
  return core_hz;
}

uint32_t clock_bus1(void) {
  return core_hz == FULL_HZ ? FULL_HZ / 4 : core_hz;
}

uint32_t clock_bus2(void) {
  return core_hz == FULL_HZ ? FULL_HZ / 2 : core_hz;
}

/* The timers of a bus that is divided run at twice its rate. */
uint32_t clock_timers(void) {
  return core_hz == FULL_HZ ? 2 * clock_bus1() : core_hz;
}
