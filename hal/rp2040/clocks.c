#include "chip.h"

#define XOSC_MHZ 12u
/* The crystal has 1 ms to settle, counted in steps of 256 of its clocks. */
#define XOSC_DELAY ((XOSC_MHZ * 1000u + 255u) / 256u)

/* Multiplies the crystal's 12 MHz by `factor`, to 750 to 1600 MHz, and divides it by two numbers from 1 to 7. */
static void pll_start(uint32_t pll, uint32_t factor, uint32_t divider1, uint32_t divider2) {
  REGISTER(pll + PLL_CS) = 1;
  REGISTER(pll + PLL_FBDIV) = factor;
  CLEAR(pll + PLL_PWR) = PLL_MAIN_OFF | PLL_VCO_OFF;
  while ((REGISTER(pll + PLL_CS) & PLL_LOCKED) == 0) {
  }
  REGISTER(pll + PLL_PRIM) = divider1 << 16 | divider2 << 12;
  CLEAR(pll + PLL_PWR) = PLL_DIVIDERS_OFF;
}

void unreset(uint32_t blocks) {
  CLEAR(RESETS_RESET) = blocks;
  while ((REGISTER(RESETS_DONE) & blocks) != blocks) {
  }
}

void clocks_start(void) {
  REGISTER(XOSC_STARTUP) = XOSC_DELAY;
  REGISTER(XOSC_CTRL) = XOSC_ENABLE | XOSC_1_TO_15_MHZ;
  while ((REGISTER(XOSC_STATUS) & XOSC_STABLE) == 0) {
  }
  REGISTER(CLK_REF_CTRL) = CLK_REF_FROM_XOSC;
  while ((REGISTER(CLK_REF_SELECTED) & 1u << CLK_REF_FROM_XOSC) == 0) {
  }
  /* The microsecond of the timer and of the watchdog. */
  REGISTER(WATCHDOG_TICK) = WATCHDOG_TICK_ENABLE | XOSC_MHZ;

  unreset(RESET_PLL_SYS | RESET_PLL_USB);
  pll_start(PLL_SYS, 125, 6, 2);
  pll_start(PLL_USB, 100, 5, 5);
  REGISTER(CLK_SYS_CTRL) = CLK_SYS_FROM_AUX;
  while ((REGISTER(CLK_SYS_SELECTED) & 1u << CLK_SYS_FROM_AUX) == 0) {
  }
  REGISTER(CLK_PERI_CTRL) = CLK_ENABLE;
  REGISTER(CLK_ADC_CTRL) = CLK_ENABLE;
}
