/* Each case drives the port's own sources against the model. Called with a case's name; says what went wrong, or nothing. */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "model.h"
#include "parts.h"
#include "port.h"
#include "registers.h"
#include "runtime.h"
#include "timer.h"
#include "uart.h"

static const char *complaint;

#define CHECK(condition) \
  do { \
    if (!(condition) && complaint == NULL) complaint = #condition; \
  } while (0)

void runtime_tick(void) {}

static const uint8_t sixteen[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

/* --- clocks */

static void clock_from_crystal(void) {
  clock_start();
  CHECK(clock_core() == 168000000 && clock_bus1() == 42000000 && clock_bus2() == 84000000);
  CHECK(clock_timers() == 84000000);
  CHECK(model_register(RCC_PLLCFGR) == (25u | 336u << 6 | 1u << 22 | 7u << 24));
}

static void clock_without_crystal(void) {
  model.crystal_dead = true;
  clock_start();
  CHECK(clock_core() == 168000000);
  CHECK(model_register(RCC_PLLCFGR) == (16u | 336u << 6 | 7u << 24));
  CHECK((model_register(RCC_CR) & RCC_CR_HSEON) == 0);
  CHECK(seen.looks < 3000);
}

static void clock_without_pll(void) {
  model.pll_dead = true;
  clock_start();
  CHECK(clock_core() == 16000000 && clock_bus1() == 16000000 && clock_bus2() == 16000000);
  CHECK(clock_timers() == 16000000);
  CHECK((model_register(RCC_CFGR) & RCC_CFGR_SW_MASK) == 0);
  CHECK(seen.looks < 6000);
}

static void clock_that_does_not_switch(void) {
  model.switch_dead = true;
  clock_start();
  CHECK(clock_core() == 16000000);
  CHECK((model_register(RCC_CFGR) & (RCC_CFGR_SW_MASK | RCC_CFGR_PPRE_MASK)) == 0);
}

/* --- flash */

static void flash_erases(void) {
  CHECK(port_flash_program(1, 64, sixteen, 16));
  CHECK(port_flash_erase(1));
  CHECK(seen.erased_sector == 11 && seen.was_masked_at_erase && !seen.masked);
  CHECK(port_flash_at(1)[64] == 0xff);
  CHECK((model_register(FLASH_CR) & FLASH_CR_LOCK) != 0);
  CHECK(seen.cache_flushed && (model_register(FLASH_ACR) & FLASH_ACR_DCEN) != 0);
}

static void flash_feeds_while_erasing(void) {
  model.flash_looks = 1000;
  CHECK(port_flash_erase(0));
  CHECK(seen.feeds >= 900);
}

static void flash_erase_never_ends(void) {
  model.flash_looks = UINT32_MAX;
  model.micros_per_look = 100;
  CHECK(!port_flash_erase(0));
  CHECK(!seen.masked);
  CHECK(seen.looks < 50000);
}

static void flash_programs(void) {
  CHECK(port_flash_program(0, 8, sixteen, 16));
  CHECK(seen.words == 4);
  CHECK(memcmp(port_flash_at(0) + 8, sixteen, 16) == 0);
  CHECK(port_flash_at(0)[7] == 0xff && port_flash_at(0)[24] == 0xff);
  CHECK((model_register(FLASH_CR) & FLASH_CR_LOCK) != 0);
}

static void flash_reports_each_error(void) {
  static const uint32_t errors[] = { FLASH_SR_OPERR, FLASH_SR_WRPERR, FLASH_SR_PGAERR, FLASH_SR_PGPERR, FLASH_SR_PGSERR };
  for (uint32_t i = 0; i < 5; i += 1) {
    model.flash_errors = errors[i];
    CHECK(!port_flash_erase(0));
    CHECK(!port_flash_program(0, 0, sixteen, 16));
    model.flash_errors = 0;
    CHECK(port_flash_erase(0));
  }
}

static void flash_stops_at_the_first_error(void) {
  model.flash_errors = FLASH_SR_WRPERR;
  CHECK(!port_flash_program(0, 0, sixteen, 16));
  CHECK(seen.words == 1);
}

static void flash_word_never_done(void) {
  model.flash_looks = UINT32_MAX;
  CHECK(!port_flash_program(0, 0, sixteen, 16));
  CHECK(seen.words == 1);
}

/* --- watchdog */

static uint32_t watchdog_ticks(void) {
  return (model_register(IWDG_RLR) + 1) * (4u << model_register(IWDG_PR));
}

static void watchdog_waits_long_enough(void) {
  for (uint32_t ms = 100; ms <= 8300; ms += 1) {
    model_reset();
    port_watchdog_start(ms);
    /* Its clock: 47 kHz at the fastest, 32 usually. */
    CHECK(watchdog_ticks() >= 47 * ms);
    CHECK(watchdog_ticks() <= 48 * ms + 300);
    CHECK(seen.feeds == 1);
  }
}

static void watchdog_never_ready(void) {
  model.watchdog_never_ready = true;
  port_watchdog_start(1000);
  CHECK(seen.feeds == 1);
}

static void watchdog_is_fed_once_a_millisecond(void) {
  clock_start();
  timer_start();
  for (uint32_t ms = 1; ms <= 10; ms += 1) {
    model_set_register(TIM2_CNT, model_register(TIM2_CNT) + 1000);
    timer_tick();
    port_watchdog_feed();
    port_watchdog_feed();
    CHECK(seen.feeds == ms);
  }
}

/* --- UART */

static void uart_counts_overruns(void) {
  uint8_t bytes[8];
  model_receive('a', false);
  model_receive('b', true);
  uart_service();
  CHECK(port_lost(PORT_MODULE) == 1);
  CHECK(uart_received());
  CHECK(port_read(PORT_MODULE, bytes, 8) == 2 && bytes[0] == 'a' && bytes[1] == 'b');
  CHECK(!uart_received());
}

static void uart_counts_what_the_ring_has_no_room_for(void) {
  for (uint32_t i = 0; i < BOARD_MODULE_RX_RING + 5; i += 1) {
    model_reset();
    model_receive((uint8_t)i, false);
    uart_service();
  }
  CHECK(port_lost(PORT_MODULE) == 5);
}

static void uart_sends_as_the_hardware_has_room(void) {
  CHECK(port_write(PORT_MODULE, (const uint8_t *)"hello", 5) == 5);
  CHECK(seen.interrupts_asked == 1);
  uart_service();
  CHECK(seen.sent_count == 2);
  CHECK((model_register(USART6 + USART_CR1) & USART_CR1_TXEIE) != 0);
  /* It will interrupt by itself. */
  CHECK(port_write(PORT_MODULE, (const uint8_t *)"!", 1) == 1);
  CHECK(seen.interrupts_asked == 1);
  model.room_to_send = 6;
  uart_service();
  CHECK(memcmp(seen.sent, "hello!", 6) == 0 && seen.sent_count == 6);
  uart_service();
  CHECK((model_register(USART6 + USART_CR1) & USART_CR1_TXEIE) == 0);
  CHECK(port_write(PORT_MODULE, (const uint8_t *)"?", 1) == 1);
  CHECK(seen.interrupts_asked == 2);
}

static void uart_keeps_its_rate_while_bytes_leave(void) {
  clock_start();
  model.still_sending = true;
  CHECK(!port_set_baud(PORT_MODULE, 460800));
  model.still_sending = false;
  CHECK(port_set_baud(PORT_MODULE, 460800));
  CHECK(model_register(USART6 + USART_BRR) == 182);
  CHECK(port_write(PORT_MODULE, sixteen, 16) == 16);
  CHECK(!port_set_baud(PORT_MODULE, 115200));
}

/* --- the rest */

static void random_without_its_clock(void) {
  model.random_errors = RNG_SR_CECS;
  uint32_t first = port_random();
  CHECK(first != port_random() && first != 0x12345678);
}

static void random_never_ready(void) {
  CHECK(port_random() == 0x12345678);
  model.random_never_ready = true;
  CHECK(port_random() != port_random());
}

static void converter_never_done(void) {
  model.converter_dead = true;
  CHECK(port_analog(0) == -1);
}

static void timer_counts_what_it_slept_over(void) {
  clock_start();
  timer_start();
  uint32_t began = port_millis();
  model_set_register(TIM2_CNT, model_register(TIM2_CNT) + 2500);
  timer_tick();
  CHECK(port_millis() - began == 2);
  model_set_register(TIM2_CNT, model_register(TIM2_CNT) + 500);
  timer_tick();
  CHECK(port_millis() - began == 3);
  /* Over the end of the counter. */
  for (uint32_t step = 0; step < 5000; step += 1) {
    model_set_register(TIM2_CNT, model_register(TIM2_CNT) + 1000000);
    timer_tick();
  }
  CHECK(port_millis() - began == 5000003);
}

static void input_change_wakes(void) {
  CHECK(port_pin_configure(19, PORT_INPUT));
  CHECK((model_register(SYSCFG_EXTICR(3)) >> 12 & 15) == 1);
  CHECK(model_register(EXTI_IMR) == 8 && model_register(EXTI_RTSR) == 8 && model_register(EXTI_FTSR) == 8);
}

#define CASE(name) { #name, name }
static const struct {
  const char *name;
  void (*run)(void);
} cases[] = {
  CASE(clock_from_crystal),
  CASE(clock_without_crystal),
  CASE(clock_without_pll),
  CASE(clock_that_does_not_switch),
  CASE(flash_erases),
  CASE(flash_feeds_while_erasing),
  CASE(flash_erase_never_ends),
  CASE(flash_programs),
  CASE(flash_reports_each_error),
  CASE(flash_stops_at_the_first_error),
  CASE(flash_word_never_done),
  CASE(watchdog_waits_long_enough),
  CASE(watchdog_never_ready),
  CASE(watchdog_is_fed_once_a_millisecond),
  CASE(uart_counts_overruns),
  CASE(uart_counts_what_the_ring_has_no_room_for),
  CASE(uart_sends_as_the_hardware_has_room),
  CASE(uart_keeps_its_rate_while_bytes_leave),
  CASE(random_without_its_clock),
  CASE(random_never_ready),
  CASE(converter_never_done),
  CASE(timer_counts_what_it_slept_over),
  CASE(input_change_wakes),
};
#define CASES (sizeof cases / sizeof cases[0])

int main(int count, char **arguments) {
  for (uint32_t i = 0; i < CASES; i += 1) {
    if (count < 2) puts(cases[i].name);
    if (count < 2 || strcmp(arguments[1], cases[i].name) != 0) continue;
    model_reset();
    cases[i].run();
    if (complaint == NULL) complaint = seen.wrong;
    if (complaint != NULL) puts(complaint);
    return complaint == NULL ? 0 : 1;
  }
  return count < 2 ? 0 : 2;
}
