/* Sends back whatever the module's UART hears; console orders set the rate and tell what was lost. */
#include "port.h"
#include "runtime.h"
#include "say.h"

static void echo(void) {
  uint8_t bytes[64];
  uint32_t count = port_read(PORT_MODULE, bytes, sizeof bytes);
  for (uint32_t sent = 0; sent < count;) {
    uint32_t taken = port_write(PORT_MODULE, bytes + sent, count - sent);
    if (taken == 0) port_idle(port_millis() + 1);
    sent += taken;
  }
}

static uint32_t number_follows(void) {
  uint32_t number = 0;
  uint8_t byte;
  for (;;) {
    if (port_read(PORT_CONSOLE, &byte, 1) == 0) continue;
    if (byte < '0' || byte > '9') return number;
    number = 10 * number + (uint32_t)(byte - '0');
  }
}

/* Fills the ring, and tells how much went in at once. */
static void fill(void) {
  uint8_t byte = 'x';
  uint32_t taken = 0;
  while (port_write(PORT_MODULE, &byte, 1) == 1) taken += 1;
  say_value("taken", taken);
}

_Noreturn void runtime_main(void) {
  port_start();
  say("ready\n");
  for (;;) {
    echo();
    uint8_t order;
    if (port_read(PORT_CONSOLE, &order, 1) == 1) {
      if (order == 'b') say_value("baud", port_set_baud(PORT_MODULE, number_follows()));
      if (order == 'l') say_value("lost", port_lost(PORT_MODULE));
      if (order == 'f') fill();
    }
    port_idle(port_millis() + 100);
  }
}
