/* What the command line of a host runtime says. */
#ifndef MOTH_HOST_OPTIONS_H
#define MOTH_HOST_OPTIONS_H

#include <stdbool.h>

struct options {
  /* File with an application that runs in place of the built-in one; NULL: the built-in one. */
  const char *application;
  /* Where the module's UART and the console lead to: see channel.h. NULL: nowhere, and standard input and output. */
  const char *module;
  const char *console;
  /* A channel on which pins and voltages travel as lines, see control.h; NULL: none. */
  const char *control;
  /* File that plays the flash; NULL: flash that is forgotten at the end. */
  const char *storage;
  /* Flash writes after which the power fails; 0: never. */
  unsigned long cut_after;
  /* Seed of port_random. */
  unsigned long seed;
  /* What port_millis shows at the start. */
  unsigned long clock;
  bool watchdog;
};

extern struct options options;

/* Reads the arguments. Ends the program, with a line on standard error, when they make no sense, and after --help. */
void options_read(int argc, char **argv);

#endif
