#include "pins.h"

#include "parts.h"
#include "port.h"
#include "registers.h"

#define PORTS 3
#define PINS (16 * PORTS)

enum mode { MODE_INPUT = 0, MODE_OUTPUT = 1, MODE_FUNCTION = 2, MODE_ANALOG = 3 };
enum pull { PULL_NONE = 0, PULL_UP = 1 };

/* What the wiring of the board takes: the debugger's two and what board.json adds, a bit a pin. */
#define DEBUGGER ((1u << 13) | (1u << 14))
static uint16_t taken[PORTS] = { BOARD_RESERVED_A | DEBUGGER, BOARD_RESERVED_B, BOARD_RESERVED_C };
static uint16_t outputs[PORTS];
static uint16_t driven[PORTS];
static volatile bool changed;

static uint32_t port_of(int32_t pin) {
  return (uint32_t)pin / 16;
}

static uint32_t index_of(int32_t pin) {
  return (uint32_t)pin % 16;
}

static uint16_t bit_of(int32_t pin) {
  return (uint16_t)(1u << index_of(pin));
}

static bool is_free(int32_t pin) {
  return pin >= 0 && pin < PINS && (taken[port_of(pin)] & bit_of(pin)) == 0;
}

static void set_mode(int32_t pin, enum mode mode, enum pull pull) {
  uint32_t gpio = GPIO(port_of(pin));
  uint32_t shift = 2 * index_of(pin);
  part_change(gpio + GPIO_PUPDR, 3u << shift, (uint32_t)pull << shift);
  part_change(gpio + GPIO_MODER, 3u << shift, (uint32_t)mode << shift);
}

static void drive(int32_t pin, bool high) {
  uint32_t bit = bit_of(pin);
  driven[port_of(pin)] = (uint16_t)(high ? driven[port_of(pin)] | bit : driven[port_of(pin)] & ~bit);
  part_write(GPIO(port_of(pin)) + GPIO_BSRR, high ? bit : bit << 16);
}

/* From now on a change of the pin wakes the processor. Of pins with the same number the last one does. */
static void watch(int32_t pin) {
  uint32_t line = index_of(pin);
  uint32_t shift = 4 * (line % 4);
  part_change(SYSCFG_EXTICR(line), 0xfu << shift, port_of(pin) << shift);
  part_set(EXTI_RTSR, 1u << line);
  part_set(EXTI_FTSR, 1u << line);
  part_set(EXTI_IMR, 1u << line);
}

void pins_start(void) {
  part_set(RCC_AHB1ENR, RCC_AHB1ENR_GPIOABC);
  part_set(RCC_APB2ENR, RCC_APB2ENR_SYSCFG);
  /* The interrupts of the lines 0 to 4, 5 to 9, and 10 to 15. */
  core_write(NVIC_ISER + 0, (0x1fu << 6) | (1u << 23));
  core_write(NVIC_ISER + 4, 1u << (40 - 32));
}

static void use_for_function(int32_t pin, uint32_t function, enum pull pull) {
  uint32_t gpio = GPIO(port_of(pin));
  uint32_t index = index_of(pin);
  uint32_t shift = 4 * (index % 8);
  taken[port_of(pin)] |= bit_of(pin);
  part_change(gpio + GPIO_AFRL + 4 * (index / 8), 0xfu << shift, function << shift);
  set_mode(pin, MODE_FUNCTION, pull);
}

/* The pull-up keeps an input that nobody drives from hearing noise as bytes. */
void pins_use_for_uart(int32_t transmit, int32_t receive, uint32_t function) {
  use_for_function(transmit, function, PULL_NONE);
  use_for_function(receive, function, PULL_UP);
}

void pins_use_for_reset_line(int32_t pin) {
  taken[port_of(pin)] |= bit_of(pin);
  part_set(GPIO(port_of(pin)) + GPIO_OTYPER, bit_of(pin));
  drive(pin, true);
  set_mode(pin, MODE_OUTPUT, PULL_NONE);
}

void pins_use_for_power(int32_t pin) {
  taken[port_of(pin)] |= bit_of(pin);
  drive(pin, true);
  set_mode(pin, MODE_OUTPUT, PULL_NONE);
}

bool pins_use_for_analog(int32_t pin) {
  if (!is_free(pin) || (outputs[port_of(pin)] & bit_of(pin)) != 0) return false;
  set_mode(pin, MODE_ANALOG, PULL_NONE);
  return true;
}

bool pins_changed(void) {
  return changed;
}

void pins_seen(void) {
  changed = false;
}

void pins_note_change(void) {
  core_write(EXTI_PR, core_read(EXTI_PR));
  changed = true;
}

bool port_pin_configure(int32_t pin, enum port_pin_mode mode) {
  if (!is_free(pin)) return false;
  if (mode == PORT_OUTPUT) {
    drive(pin, false);
    set_mode(pin, MODE_OUTPUT, PULL_NONE);
    outputs[port_of(pin)] |= bit_of(pin);
    return true;
  }
  outputs[port_of(pin)] &= (uint16_t)~bit_of(pin);
  set_mode(pin, MODE_INPUT, mode == PORT_INPUT_PULL_UP ? PULL_UP : PULL_NONE);
  watch(pin);
  return true;
}

void port_pin_write(int32_t pin, bool high) {
  if (is_free(pin) && (outputs[port_of(pin)] & bit_of(pin)) != 0) drive(pin, high);
}

bool port_pin_read(int32_t pin) {
  if (pin < 0 || pin >= PINS) return false;
  if ((outputs[port_of(pin)] & bit_of(pin)) != 0) return (driven[port_of(pin)] & bit_of(pin)) != 0;
  return (part_read(GPIO(port_of(pin)) + GPIO_IDR) & bit_of(pin)) != 0;
}

bool port_reset_line_present(void) {
  return BOARD_MODULE_RESET_PIN >= 0;
}

void port_reset_line(bool held) {
  if (port_reset_line_present()) drive(BOARD_MODULE_RESET_PIN, !held);
}
