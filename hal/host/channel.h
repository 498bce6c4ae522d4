/* Where a UART of the host runtime leads: a pair of file descriptors that never block. */
#ifndef MOTH_HOST_CHANNEL_H
#define MOTH_HOST_CHANNEL_H

#include <stdint.h>

struct channel {
  /* -1: nowhere. */
  int in;
  int out;
};

/*
 * Opens what `name` tells: stdio, pty, tcp:HOST:PORT, unix:PATH, fd:NUMBER. Ends the program, with a line on standard
 * error, when that is not possible. NULL opens a channel that leads nowhere.
 */
struct channel channel_open(const char *name, const char *what);

/* Reads what has come, 0 for nothing. When the other side is gone, the channel leads nowhere from then on. */
uint32_t channel_read(struct channel *channel, uint8_t *into, uint32_t room);
uint32_t channel_write(struct channel *channel, const uint8_t *from, uint32_t count);

#endif
