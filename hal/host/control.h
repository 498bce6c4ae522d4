/*
 * Pins and voltages of the host runtime, as lines of text on a channel.
 *
 * The host says:    pin NUMBER 0|1    it drives an output
 *                   reset 0|1         it holds the module in reset, or lets go
 *                   restart CAUSE     it starts anew: restart or watchdog
 * It is told:       pin NUMBER 0|1    the level at an input
 *                   analog CHANNEL MICROVOLTS
 * What it does not understand it passes over.
 */
#ifndef MOTH_HOST_CONTROL_H
#define MOTH_HOST_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "channel.h"

#define CONTROL_PINS 64
#define CONTROL_CHANNELS 32

void control_start(const char *name);
/* The channel's descriptor to wait for; -1: none. */
int control_descriptor(void);
/* Takes in what was told. */
void control_listen(void);

void control_say_pin(int32_t pin, bool high);
void control_say_reset(bool held);
/* May be called from a signal handler. */
void control_say_restart(const char *cause);

bool control_pin(int32_t pin);
/* Microvolts; -1: nobody has told. */
int32_t control_analog(int32_t channel);

#endif
