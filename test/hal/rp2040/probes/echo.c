/* Sends back what comes from the module, and tells on the console what became of it. */
#include "probe.h"

void runtime_tick(void) {
}

_Noreturn void crash_fault(uintptr_t pc, uintptr_t lr, uint32_t status) {
  (void)pc;
  (void)lr;
  (void)status;
  port_restart();
}

/* What could not be sent back yet. */
static uint8_t held[4096];
static uint32_t begin, end, received, turns;

static void echo(void) {
  if (begin == end) begin = end = 0;
  uint32_t count = port_read(PORT_MODULE, held + end, sizeof held - end);
  end += count;
  received += count;
  begin += port_write(PORT_MODULE, held + begin, end - begin);
}

/* A busy program: it comes back to the rings only every few milliseconds. */
static void be_busy(uint32_t ms) {
  uint32_t until = port_millis() + ms;
  while ((int32_t)(port_millis() - until) < 0) {
  }
}

static void set_baud(uint32_t baud) {
  bool taken = port_set_baud(PORT_MODULE, baud);
  tell("baud taken", taken);
}

/* Two writes: the second comes while the first is still leaving. */
static void set_baud_early(void) {
  port_write(PORT_MODULE, (const uint8_t *)"0123456789", 10);
  set_baud(9600);
}

static void obey(char command, uint32_t *pause) {
  switch (command) {
    case 't':
      tell("received", (int32_t)received);
      tell("lost", (int32_t)port_lost(PORT_MODULE));
      tell("turns", (int32_t)turns);
      break;
    case 'b': *pause = 5; break;
    case 'd':
      be_busy(300);
      break;
    case 'e': set_baud_early(); break;
    case '1': set_baud(460800); break;
    case '2': set_baud(9600); break;
    case '3': set_baud(7000000); break;
    case '4': set_baud(10000000); break;
    case '5': set_baud(0); break;
    case 'm': {
      /* Interrupts masked, and then let in: what came in between shows as an overrun, not as silence. */
      uint32_t start = port_millis();
      __asm__ volatile("cpsid i");
      for (volatile uint32_t turn = 0; turn < 100000; turn = turn + 1) {
      }
      __asm__ volatile("cpsie i");
      tell("clock", (int32_t)(port_millis() - start));
      break;
    }
    default: break;
  }
  say("ok\n");
}

_Noreturn void runtime_main(void) {
  uint32_t pause = 0;
  port_start();
  say("up\n");
  for (;;) {
    uint8_t command;
    turns += 1;
    echo();
    if (port_read(PORT_CONSOLE, &command, 1) == 1) obey((char)command, &pause);
    if (pause > 0) be_busy(pause);
    if (begin == end) port_idle(port_millis() + 1000);
    else port_idle(port_millis() + 1);
  }
}
