/* Obeys orders from the console, each of which tries one thing of the port. */
#include "port.h"
#include "runtime.h"
#include "say.h"

static uint32_t kept __attribute__((section(".noinit")));

static void tell_id(void) {
  uint8_t id[16];
  uint32_t length = port_id(id);
  for (uint32_t i = 0; i < length; i += 1) {
    say((char[]){ "0123456789abcdef"[id[i] >> 4], "0123456789abcdef"[id[i] & 15], '\0' });
  }
  say("\n");
}

static void hang(void) {
  for (;;) continue;
}

static void measure_idle(uint32_t ms) {
  uint32_t start = port_millis();
  port_idle(start + ms);
  say_value("idle", port_millis() - start);
}

static void obey(struct order order) {
  switch (order.letter) {
    case 'm':
      say_value("millis", port_millis());
      break;
    case 'a':
      say_value("analog", (uint32_t)port_analog((int32_t)order.number));
      break;
    case 'o':
      say_value("output", port_pin_configure((int32_t)order.number, PORT_OUTPUT));
      break;
    case 'i':
      say_value("input", port_pin_configure((int32_t)order.number, PORT_INPUT_PULL_UP));
      break;
    case 'f':
      say_value("floating", port_pin_configure((int32_t)order.number, PORT_INPUT));
      break;
    case 'h':
    case 'l':
      port_pin_write((int32_t)order.number, order.letter == 'h');
      say_value("level", port_pin_read((int32_t)order.number));
      break;
    case 'r':
      say_value("level", port_pin_read((int32_t)order.number));
      break;
    case 'R':
      port_reset_line(order.number != 0);
      say_value("held", order.number);
      break;
    case 'k':
      kept = order.number;
      say_value("kept", kept);
      break;
    case 'w':
      port_watchdog_start(order.number);
      say_value("watchdog", order.number);
      break;
    case 'F':
      for (uint32_t end = port_millis() + order.number; (int32_t)(end - port_millis()) > 0;) {
        port_watchdog_feed();
        port_idle(port_millis() + 20);
      }
      say_value("fed", order.number);
      break;
    case 'H':
      hang();
      break;
    case 'S':
      port_restart();
    case 'B':
      port_boot_loader();
      break;
    case '?':
      say_value("random", port_random());
      break;
    case 'I':
      tell_id();
      break;
    case 'd':
      measure_idle(order.number);
      break;
    case 'b':
      say_value("baud", port_set_baud(PORT_MODULE, order.number));
      break;
    default:
      say("what?\n");
  }
}

_Noreturn void runtime_main(void) {
  port_start();
  say_value("cause", port_cause());
  say_value("kept", kept);
  say("ready\n");
  for (;;) obey(next_order());
}
