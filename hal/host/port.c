/* Linux as a board: channels for UARTs, a signal for the timer interrupt, lines of text for pins. */
#include "port.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "application.h"
#include "channel.h"
#include "control.h"
#include "flash.h"
#include "options.h"
#include "restart.h"
#include "runtime.h"

#define TICK_US 20000

static struct channel uarts[2];
static enum port_cause cause;
static struct timespec started;
static uint32_t random_state;

struct pin {
  bool output;
  bool high;
};
static struct pin pins[CONTROL_PINS];

int main(int argc, char **argv) {
  options_read(argc, argv);
  cause = restart_start(argv);
  runtime_main();
}

void port_start(void) {
  signal(SIGPIPE, SIG_IGN);
  clock_gettime(CLOCK_MONOTONIC, &started);
  random_state = options.seed != 0 ? (uint32_t)options.seed : (uint32_t)started.tv_nsec | 1;
  uarts[PORT_MODULE] = channel_open(options.module, "module");
  uarts[PORT_CONSOLE] = channel_open(options.console == NULL ? "stdio" : options.console, "console");
  control_start(options.control);
  flash_start();
  restart_keep(uarts[PORT_MODULE].in, control_descriptor());
}

const void *application_bytecode(void) {
  static uint64_t image[1 << 18];
  if (options.application == NULL || image[0] != 0) return options.application == NULL ? NULL : image;
  FILE *file = fopen(options.application, "rb");
  if (file == NULL || fread(image, 1, sizeof image, file) == 0) {
    fprintf(stderr, "moth-host: --application %s: cannot be read\n", options.application);
    exit(1);
  }
  fclose(file);
  return image;
}

uint32_t port_millis(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t ns = (int64_t)(now.tv_sec - started.tv_sec) * 1000000000 + (now.tv_nsec - started.tv_nsec);
  return (uint32_t)(ns / 1000000) + (uint32_t)options.clock;
}

void port_idle(uint32_t until) {
  int32_t left = (int32_t)(until - port_millis());
  struct pollfd waits[] = {
      {.fd = uarts[PORT_MODULE].in, .events = POLLIN},
      {.fd = uarts[PORT_CONSOLE].in, .events = POLLIN},
      {.fd = control_descriptor(), .events = POLLIN},
  };
  poll(waits, 3, left < 0 ? 0 : left);
  control_listen();
}

uint32_t port_read(enum port_uart uart, uint8_t *into, uint32_t room) {
  return channel_read(&uarts[uart], into, room);
}

uint32_t port_write(enum port_uart uart, const uint8_t *from, uint32_t count) {
  return channel_write(&uarts[uart], from, count);
}

/* The kernel keeps what a UART's ring would lose. */
uint32_t port_lost(enum port_uart uart) {
  (void)uart;
  return 0;
}

/* A channel has no rate. */
bool port_set_baud(enum port_uart uart, uint32_t baud) {
  (void)uart, (void)baud;
  return true;
}

static bool is_pin(int32_t pin) {
  return pin >= 0 && pin < CONTROL_PINS;
}

bool port_pin_configure(int32_t pin, enum port_pin_mode mode) {
  if (!is_pin(pin)) return false;
  pins[pin] = (struct pin){.output = mode == PORT_OUTPUT, .high = false};
  if (mode == PORT_OUTPUT) control_say_pin(pin, false);
  return true;
}

void port_pin_write(int32_t pin, bool high) {
  if (!is_pin(pin) || !pins[pin].output || pins[pin].high == high) return;
  pins[pin].high = high;
  control_say_pin(pin, high);
}

/*
 * What the world has told before now counts: a program that is asked over its console what a pin is, right after the
 * pin has changed, must not answer from before.
 */
bool port_pin_read(int32_t pin) {
  if (!is_pin(pin)) return false;
  if (pins[pin].output) return pins[pin].high;
  control_listen();
  return control_pin(pin);
}

int32_t port_analog(int32_t channel) {
  control_listen();
  return control_analog(channel);
}

bool port_reset_line_present(void) {
  return control_descriptor() >= 0;
}

void port_reset_line(bool held) {
  control_say_reset(held);
}

uint32_t port_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

uint32_t port_id(uint8_t into[16]) {
  memcpy(into, "hostruntime", 8);
  return 8;
}

enum port_cause port_cause(void) {
  return cause;
}

void port_restart(void) {
  control_say_restart("restart");
  restart_now(PORT_RESTART);
}

bool port_boot_loader(void) {
  return false;
}

static void tick(int unused) {
  (void)unused;
  runtime_tick();
}

/* The runtime's own watch is all there is: nothing behind it resets a program that the kernel still runs. */
void port_watchdog_start(uint32_t ms) {
  (void)ms;
  if (!options.watchdog) return;
  struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  const struct itimerval every = {{0, TICK_US}, {0, TICK_US}};
  setitimer(ITIMER_REAL, &every, NULL);
}

void port_watchdog_feed(void) {}
