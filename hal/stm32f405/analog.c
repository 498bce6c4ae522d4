#include "analog.h"

#include "parts.h"
#include "pins.h"
#include "port.h"
#include "registers.h"

#define TEMPERATURE_CHANNEL 16
/* A conversion takes 23 us. */
#define LOOKS 100000u

/* Channel n is on this pin. */
static const uint8_t pin_of[TEMPERATURE_CHANNEL] = {
  PIN(A, 0), PIN(A, 1), PIN(A, 2), PIN(A, 3), PIN(A, 4), PIN(A, 5), PIN(A, 6), PIN(A, 7),
  PIN(B, 0), PIN(B, 1), PIN(C, 0), PIN(C, 1), PIN(C, 2), PIN(C, 3), PIN(C, 4), PIN(C, 5),
};
/* The channels whose pins have been handed to the converter, a bit each. */
static uint32_t ready = 1u << TEMPERATURE_CHANNEL;

/* The longest sampling time, 480 cycles of 21 MHz, on every channel: the temperature sensor wants 10 us at least. */
void analog_start(void) {
  part_set(RCC_APB2ENR, RCC_APB2ENR_ADC1);
  part_write(ADC_CCR, ADC_CCR_ADCPRE_DIV4 | ADC_CCR_TSVREFE);
  part_write(ADC1_SMPR1, 0x07ffffffu);
  part_write(ADC1_SMPR2, 0x3fffffffu);
  part_write(ADC1_SQR1, 0);
  part_write(ADC1_CR2, ADC_CR2_ADON);
}

/* 0 to 4095; negative when the converter never finished. */
static int32_t convert(uint32_t channel) {
  part_write(ADC1_SQR3, channel);
  part_write(ADC1_SR, 0);
  part_write(ADC1_CR2, ADC_CR2_ADON | ADC_CR2_SWSTART);
  for (uint32_t look = 0; look < LOOKS; look += 1) {
    if ((part_read(ADC1_SR) & ADC_SR_EOC) != 0) return (int32_t)(part_read(ADC1_DR) & 0xfffu);
  }
  return -1;
}

int32_t port_analog(int32_t channel) {
  if (channel < 0 || channel > TEMPERATURE_CHANNEL) return -1;
  uint32_t bit = 1u << channel;
  if ((ready & bit) == 0) {
    if (!pins_use_for_analog(pin_of[channel])) return -1;
    ready |= bit;
  }
  int32_t code = convert((uint32_t)channel);
  /* 3.3 V over 4096 steps, to the nearest microvolt; fits 32 bits unsigned. */
  return code < 0 ? -1 : (int32_t)(((uint32_t)code * 825000u + 512u) / 1024u);
}

uint32_t analog_noise(void) {
  uint32_t noise = 0;
  for (uint32_t bits = 0; bits < 32; bits += 2) noise = (noise << 2) ^ (uint32_t)convert(TEMPERATURE_CHANNEL);
  return noise;
}
