/* Obeys one letter a command: each shows one part of the port. */
#include "probe.h"

static uint32_t ticks;
__attribute__((section(".noinit"))) static uint32_t kept[4];

void runtime_tick(void) {
  ticks += 1;
}

_Noreturn void crash_fault(uintptr_t pc, uintptr_t lr, uint32_t status) {
  kept[0] = 0x600df00d;
  kept[1] = (uint32_t)pc;
  kept[2] = (uint32_t)lr;
  kept[3] = status;
  port_restart();
}

static void clock_test(void) {
  uint32_t before = ticks;
  uint32_t start = port_millis();
  wait_ms(1000);
  tell("slept", (int32_t)(port_millis() - start));
  tell("ticks", (int32_t)(ticks - before));
}

static void pins_test(void) {
  tell("console pin", port_pin_configure(0, PORT_OUTPUT));
  tell("module pin", port_pin_configure(5, PORT_INPUT));
  tell("reset pin", port_pin_configure(3, PORT_OUTPUT));
  tell("no pin", port_pin_configure(64, PORT_OUTPUT));
  tell("relay", port_pin_configure(2, PORT_OUTPUT));
  port_pin_write(2, true);
  tell("relay reads", port_pin_read(2));
  wait_ms(2);
  port_pin_write(2, false);
  tell("button", port_pin_configure(15, PORT_INPUT_PULL_UP));
  wait_ms(1);
  tell("button reads", port_pin_read(15));
  port_pin_write(15, false);
  tell("floating pull-up", port_pin_configure(16, PORT_INPUT_PULL_UP) && port_pin_read(16));
}

static void button_test(void) {
  port_pin_configure(15, PORT_INPUT_PULL_UP);
  port_idle(port_millis() + 1);
  port_idle(port_millis() + 1);
  say("ready\n");
  wait_ms(20);
  uint32_t start = port_millis();
  port_idle(start + 5000);
  tell("woke after", (int32_t)(port_millis() - start));
  tell("level", port_pin_read(15));
}

static void fault_test(void) {
  /* An odd address, and the first instruction after it, are what the test looks for in the record. */
  __asm__ volatile(".global planted_fault\nplanted_fault:\n\tldr r0, [%0]" ::"r"(0x20000001u) : "r0");
}

static void stack_fault_test(void) {
  __asm__ volatile("mov sp, %0\n\tpush {r0}" ::"r"(0x1fff0000u));
}

static void record_test(void) {
  tell("cause", (int32_t)port_cause());
  for (uint32_t at = 0; at < 4; at += 1) {
    say_hex(kept[at]);
    say("\n");
  }
}

static void id_test(void) {
  uint8_t id[16];
  uint32_t length = port_id(id);
  tell("length", (int32_t)length);
  for (uint32_t at = 0; at < length; at += 4) {
    say_hex((uint32_t)id[at] << 24 | (uint32_t)id[at + 1] << 16 | (uint32_t)id[at + 2] << 8 | id[at + 3]);
  }
  say("\n");
}

static void obey(char command) {
  switch (command) {
    case 'c': clock_test(); break;
    case 'p': pins_test(); break;
    case 'b': button_test(); break;
    case 'a':
      for (int32_t channel = -1; channel < 6; channel += 1) tell("uV", port_analog(channel));
      break;
    case 'd':
      port_pin_configure(26, PORT_OUTPUT);
      tell("uV", port_analog(0));
      break;
    case 'l':
      tell("present", port_reset_line_present());
      port_reset_line(true);
      wait_ms(10);
      port_reset_line(false);
      break;
    case 'i': id_test(); break;
    case 'n':
      for (uint32_t turn = 0; turn < 4; turn += 1) {
        say_hex(port_random());
        say("\n");
      }
      break;
    case 'k':
      kept[0] = 0x12345678;
      port_restart();
      break;
    case 'r': record_test(); break;
    case 'f': fault_test(); break;
    case 's':
      port_watchdog_start(300);
      stack_fault_test();
      break;
    case 'w':
      port_watchdog_start(300);
      for (uint32_t turn = 0; turn < 10; turn += 1) {
        wait_ms(200);
        port_watchdog_feed();
      }
      say("fed\n");
      for (;;) {
      }
    case 'u': port_boot_loader(); break;
    default: break;
  }
  say("ok\n");
}

_Noreturn void runtime_main(void) {
  port_start();
  say("up\n");
  for (;;) obey(listen());
}
