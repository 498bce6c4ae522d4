/*
 * Lua's memory: one array of BOARD_ARENA_SIZE bytes. Lua tells the size of what it frees, so a block needs no header.
 */
#ifndef MOTH_ARENA_H
#define MOTH_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_stats {
  size_t size;
  /* Bytes in blocks now, and at most, whole granules. */
  size_t used;
  size_t peak;
  /* The largest block that could be had now. */
  size_t largest_free;
  /* How many blocks were ever handed out or grown. */
  size_t allocations;
};

/* Makes the arena empty and open. */
void arena_reset(void);

/* A lua_Alloc. NULL when nothing fits. A sealed arena calls arena_refused for any block that is new or grows. */
void *arena_allocate(void *unused, void *block, size_t old_size, size_t new_size);

/* From now on nothing is handed out. */
void arena_seal(void);
bool arena_sealed(void);

/* The program is about to die of an error whose text Lua makes now: it may have what is left. The arena stays sealed. */
void arena_hear_last_words(void);

struct arena_stats arena_stats(void);

/* The size of the last block that did not fit; 0 when all did. */
size_t arena_last_failure(void);

/* Supplied by the runtime: somebody wants `size` bytes of a sealed arena. May return; then Lua gets NULL. */
void arena_refused(size_t size);

#endif
