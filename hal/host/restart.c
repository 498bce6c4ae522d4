#include "restart.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "options.h"

/* The linker names the ends of section `noinit`. */
extern char __start_noinit[];
extern char __stop_noinit[];

#define HANDED_ON "MOTH_HOST_RESTART"

extern char **environ;

static char **arguments;
static int kept_ram = -1;
static char handed_on[2][80];
static char *environments[2][64];
static char module_channel[16];
static char control_channel[16];

enum port_cause restart_start(char **argv) {
  arguments = argv;
  const char *text = getenv(HANDED_ON);
  int cause = PORT_POWER_ON;
  int module = -1;
  int control = -1;
  size_t size = (size_t)(__stop_noinit - __start_noinit);
  if (text != NULL && sscanf(text, "%d,%d,%d,%d", &cause, &kept_ram, &module, &control) == 4) {
    if (pread(kept_ram, __start_noinit, size, 0) != (ssize_t)size) cause = PORT_POWER_ON;
    snprintf(module_channel, sizeof module_channel, "fd:%d", module);
    snprintf(control_channel, sizeof control_channel, "fd:%d", control);
    if (module >= 0) options.module = module_channel;
    if (control >= 0) options.control = control_channel;
    unsetenv(HANDED_ON);
  } else {
    kept_ram = memfd_create("noinit", 0);
  }
  return (enum port_cause)cause;
}

void restart_keep(int module, int control) {
  for (int cause = PORT_RESTART; cause <= PORT_WATCHDOG; cause += 1) {
    char *text = handed_on[cause - PORT_RESTART];
    snprintf(text, sizeof handed_on[0], HANDED_ON "=%d,%d,%d,%d", cause, kept_ram, module, control);
    char **environment = environments[cause - PORT_RESTART];
    int count = 0;
    while (environ[count] != NULL && count < 62) {
      environment[count] = environ[count];
      count += 1;
    }
    environment[count] = text;
  }
}

void restart_now(enum port_cause cause) {
  size_t size = (size_t)(__stop_noinit - __start_noinit);
  ssize_t kept = pwrite(kept_ram, __start_noinit, size, 0);
  const struct itimerval never = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &never, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (kept == (ssize_t)size) execve("/proc/self/exe", arguments, environments[cause - PORT_RESTART]);
  _exit(70);
}
