/* Channels 0 to 2 are pins 26 to 28, channel 4 is the chip's own temperature sensor: 706 mV at 27 °C, -1.721 mV per °C. */
#include "../lua/port.h"
#include "chip.h"

#define FIRST_PIN 26
#define SENSOR_CHANNEL 4
/* A conversion takes 2 us; the converter that does not finish in fifty times that never will. */
#define PATIENCE 1250u

static bool is_ready(void) {
  return (REGISTER(ADC_CS) & ADC_CS_READY) != 0;
}

static bool await_ready(void) {
  for (uint32_t turn = 0; turn < PATIENCE; turn += 1) {
    if (is_ready()) return true;
  }
  return false;
}

void analog_start(void) {
  unreset(RESET_ADC);
  for (uint32_t pin = FIRST_PIN; pin < FIRST_PIN + 3; pin += 1) {
    REGISTER(PAD(pin)) = PAD_OUTPUT_OFF;
    REGISTER(IO_CTRL(pin)) = IO_NONE;
  }
  REGISTER(ADC_CS) = ADC_CS_ENABLE | ADC_CS_SENSOR;
  await_ready();
}

int32_t port_analog(int32_t channel) {
  bool is_pin = channel >= 0 && channel < 3;
  if (!is_pin && channel != SENSOR_CHANNEL) return -1;
  if (is_pin && pin_is_digital((uint32_t)channel + FIRST_PIN)) return -1;
  REGISTER(ADC_CS) = ADC_CS_ENABLE | ADC_CS_SENSOR | ADC_CS_START | ADC_CS_CHANNEL(channel);
  if (!await_ready() || (REGISTER(ADC_CS) & ADC_CS_ERROR) != 0) return -1;
  /* 4096 steps of 3300000 uV, shortened so that it stays within 32 bits. */
  return (int32_t)((REGISTER(ADC_RESULT) * 825000u + 512u) / 1024u);
}
