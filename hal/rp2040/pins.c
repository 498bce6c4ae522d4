/* Digital pins, and the line that resets the Wi-Fi module. */
#include "../lua/port.h"
#include "chip.h"

/* What a Pico brings out to its edge, and its LED on 25. 23, 24 and 29 have to do with its power supply. */
#ifndef BOARD_HEADER_PINS
#define BOARD_HEADER_PINS 0x1e7fffffu
#endif

#define PIN(n) (1u << (n))
#define RESET_LINE_WIRED (BOARD_MODULE_RESET_PIN >= 0)
#define RESET_PIN (RESET_LINE_WIRED ? BOARD_MODULE_RESET_PIN : 0)

#define CONSOLE_PINS (PIN(BOARD_CONSOLE_TX_PIN) | PIN(BOARD_CONSOLE_RX_PIN))
#define MODULE_PINS (PIN(BOARD_MODULE_TX_PIN) | PIN(BOARD_MODULE_RX_PIN))
#define RESET_PINS (RESET_LINE_WIRED ? PIN(RESET_PIN) : 0u)
#define FLOW_PINS (BOARD_FLOW_CONTROL ? PIN(BOARD_MODULE_CTS_PIN) | PIN(BOARD_MODULE_RTS_PIN) : 0u)
#define FREE_PINS (BOARD_HEADER_PINS & ~(CONSOLE_PINS | MODULE_PINS | RESET_PINS | FLOW_PINS))

#define GROUPS 4u
/* Four bits a pin in these registers: low, high, falling, rising. */
#define EDGES(pin) (0xcu << 4u * (pin) % 32u)
#define ALL_EDGES 0xccccccccu

static uint32_t digital;
static uint32_t outputs;
static volatile bool changed;

void pins_interrupt(void);

void pins_start(void) {
  unreset(RESET_IO_BANK0 | RESET_PADS_BANK0);
  if (RESET_LINE_WIRED) {
    REGISTER(SIO_GPIO_OUT_CLEAR) = PIN(RESET_PIN);
    REGISTER(SIO_GPIO_OE_CLEAR) = PIN(RESET_PIN);
    REGISTER(PAD(RESET_PIN)) = PAD_4_MA | PAD_SCHMITT | PAD_INPUT;
    REGISTER(IO_CTRL(RESET_PIN)) = IO_SIO;
  }
  interrupt_enable(IRQ_IO_BANK0, 3);
}

/* An input that flutters must not keep the processor from everything else: it is heard once a turn of the loop. */
void pins_interrupt(void) {
  REGISTER(NVIC_ICER) = 1u << IRQ_IO_BANK0;
  changed = true;
}

bool pins_changed(void) {
  if (!changed) return false;
  changed = false;
  for (uint32_t group = 0; group < GROUPS; group += 1) REGISTER(IO_INTR(group)) = ALL_EDGES;
  REGISTER(NVIC_ISER) = 1u << IRQ_IO_BANK0;
  return true;
}

bool pin_is_digital(uint32_t pin) {
  return (digital & PIN(pin)) != 0;
}

static bool is_free(int32_t pin) {
  return pin >= 0 && pin < 30 && (FREE_PINS & PIN(pin)) != 0;
}

bool port_pin_configure(int32_t pin, enum port_pin_mode mode) {
  if (!is_free(pin)) return false;
  uint32_t number = (uint32_t)pin, bit = PIN(number);
  bool output = mode == PORT_OUTPUT;
  digital |= bit;
  outputs = output ? outputs | bit : outputs & ~bit;
  REGISTER(SIO_GPIO_OUT_CLEAR) = bit;
  REGISTER(output ? SIO_GPIO_OE_SET : SIO_GPIO_OE_CLEAR) = bit;
  REGISTER(PAD(number)) = PAD_4_MA | PAD_SCHMITT | PAD_INPUT | (mode == PORT_INPUT_PULL_UP ? PAD_PULL_UP : 0);
  REGISTER(IO_CTRL(number)) = IO_SIO;
  REGISTER(IO_INTR(number / 8)) = EDGES(number);
  if (output) CLEAR(IO_PROC0_INTE(number / 8)) = EDGES(number);
  else SET(IO_PROC0_INTE(number / 8)) = EDGES(number);
  return true;
}

void port_pin_write(int32_t pin, bool high) {
  if (!is_free(pin) || (outputs & PIN(pin)) == 0) return;
  REGISTER(high ? SIO_GPIO_OUT_SET : SIO_GPIO_OUT_CLEAR) = PIN(pin);
}

bool port_pin_read(int32_t pin) {
  if (!is_free(pin)) return false;
  uint32_t levels = REGISTER((outputs & PIN(pin)) != 0 ? SIO_GPIO_OUT : SIO_GPIO_IN);
  return (levels & PIN(pin)) != 0;
}

bool port_reset_line_present(void) {
  return RESET_LINE_WIRED;
}

/* Pulled low or let go, never driven high: the module's own pull-up, and its button, hang on the same line. */
void port_reset_line(bool held) {
  if (RESET_LINE_WIRED) REGISTER(held ? SIO_GPIO_OE_SET : SIO_GPIO_OE_CLEAR) = PIN(RESET_PIN);
}
