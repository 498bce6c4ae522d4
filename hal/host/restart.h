/*
 * How a program without a reset button starts anew: it executes itself. What a chip keeps over a reset is handed on:
 * the RAM that is not initialised, in a nameless file, and the open channels.
 */
#ifndef MOTH_HOST_RESTART_H
#define MOTH_HOST_RESTART_H

#include "port.h"

/* Takes over what the run before handed on. Gives why this run began. */
enum port_cause restart_start(char **argv);

/* Before the first restart: the channels as they are now, -1 for none. */
void restart_keep(int module, int control);

/* May be called from a signal handler. */
_Noreturn void restart_now(enum port_cause cause);

#endif
