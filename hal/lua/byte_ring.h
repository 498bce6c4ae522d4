/*
 * The ring between a UART's interrupt and the main loop: one side only puts, the other only takes, so neither needs a
 * lock. `size` is a power of two; the indices run on and wrap at 2^32, their difference is what the ring holds.
 */
#ifndef MOTH_BYTE_RING_H
#define MOTH_BYTE_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct byte_ring {
  uint8_t *bytes;
  uint32_t size;
  /* How many bytes were ever put and taken. Each is written by one side only. */
  volatile uint32_t put;
  volatile uint32_t taken;
  /* The most the ring ever held. Belongs to the putting side. */
  uint32_t high_water;
};

/* Compiler and, on a chip with one core, processor see the byte before they see the index that announces it. */
#define BYTE_RING_BARRIER() __asm__ volatile("" ::: "memory")

static inline uint32_t byte_ring_used(const struct byte_ring *ring) {
  return ring->put - ring->taken;
}

/* False, and the byte is not in the ring, when it is full. */
static inline bool byte_ring_put(struct byte_ring *ring, uint8_t byte) {
  uint32_t used = byte_ring_used(ring);
  if (used == ring->size) return false;
  ring->bytes[ring->put & (ring->size - 1)] = byte;
  BYTE_RING_BARRIER();
  ring->put = ring->put + 1;
  if (used + 1 > ring->high_water) ring->high_water = used + 1;
  return true;
}

/* The next byte, or -1 when the ring is empty. */
static inline int32_t byte_ring_take(struct byte_ring *ring) {
  if (byte_ring_used(ring) == 0) return -1;
  uint8_t byte = ring->bytes[ring->taken & (ring->size - 1)];
  BYTE_RING_BARRIER();
  ring->taken = ring->taken + 1;
  return byte;
}

/* Puts as many of `count` bytes as there is room for. Gives how many. */
static inline uint32_t byte_ring_write(struct byte_ring *ring, const uint8_t *from, uint32_t count) {
  uint32_t used = byte_ring_used(ring);
  if (count > ring->size - used) count = ring->size - used;
  uint32_t at = ring->put & (ring->size - 1);
  uint32_t first = count < ring->size - at ? count : ring->size - at;
  memcpy(ring->bytes + at, from, first);
  memcpy(ring->bytes, from + first, count - first);
  BYTE_RING_BARRIER();
  ring->put = ring->put + count;
  if (used + count > ring->high_water) ring->high_water = used + count;
  return count;
}

/* Takes up to `room` bytes. Gives how many. */
static inline uint32_t byte_ring_read(struct byte_ring *ring, uint8_t *into, uint32_t room) {
  uint32_t done = 0;
  while (done < room && byte_ring_used(ring) > 0) into[done++] = (uint8_t)byte_ring_take(ring);
  return done;
}

#endif
