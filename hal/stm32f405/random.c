#include "analog.h"
#include "chip.h"
#include "parts.h"
#include "port.h"
#include "registers.h"

/* The generator has 32 new bits every 40 cycles of 48 MHz. */
#define LOOKS 1000u

void random_start(void) {
  part_set(RCC_AHB2ENR, RCC_AHB2ENR_RNG);
  part_write(RNG_CR, RNG_CR_RNGEN);
}

/* Spreads what little chance there is over all bits. */
static uint32_t stir(uint32_t bits) {
  bits ^= bits >> 16;
  bits *= 0x7feb352du;
  bits ^= bits >> 15;
  bits *= 0x846ca68bu;
  return bits ^ bits >> 16;
}

/* For a chip whose PLL gives the generator no clock: the converter's noise and the moment of the call. */
static uint32_t noise(void) {
  static uint32_t state;
  state = stir(state ^ analog_noise()) ^ core_read(SYSTICK_VAL) ^ port_millis();
  return stir(state);
}

uint32_t port_random(void) {
  for (uint32_t look = 0; look < LOOKS; look += 1) {
    uint32_t status = part_read(RNG_SR);
    if ((status & (RNG_SR_CECS | RNG_SR_SECS)) != 0) break;
    if ((status & RNG_SR_DRDY) != 0) return part_read(RNG_DR);
  }
  return noise();
}
