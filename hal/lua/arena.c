#include "arena.h"

#include <stdint.h>
#include <string.h>

/* A hole: its size and the next one, in the order of their addresses. The smallest block that Lua can get. */
struct hole {
  size_t size;
  struct hole *next;
};

#define GRANULE sizeof(struct hole)

static union {
  uint8_t bytes[BOARD_ARENA_SIZE];
  struct hole first;
} arena __attribute__((section(".arena"), aligned(16)));

static struct hole *holes;
static bool sealed;
static bool dying;
static struct arena_stats stats;
static size_t last_failure;

static size_t whole_granules(size_t size) {
  return (size + GRANULE - 1) / GRANULE * GRANULE;
}

void arena_reset(void) {
  holes = &arena.first;
  holes->size = sizeof arena.bytes / GRANULE * GRANULE;
  holes->next = NULL;
  sealed = false;
  dying = false;
  stats = (struct arena_stats){.size = holes->size};
}

static void count_used(size_t used) {
  stats.used = used;
  if (used > stats.peak) stats.peak = used;
}

/* First fit: low addresses fill up first, so the end stays in one piece. */
static void *take(size_t size) {
  for (struct hole **link = &holes; *link != NULL; link = &(*link)->next) {
    struct hole *hole = *link;
    if (hole->size < size) continue;
    if (hole->size == size) {
      *link = hole->next;
    } else {
      struct hole *rest = (struct hole *)((uint8_t *)hole + size);
      rest->size = hole->size - size;
      rest->next = hole->next;
      *link = rest;
    }
    count_used(stats.used + size);
    return hole;
  }
  return NULL;
}

static void merge_with_next(struct hole *hole) {
  if (hole->next == NULL || (uint8_t *)hole + hole->size != (uint8_t *)hole->next) return;
  hole->size += hole->next->size;
  hole->next = hole->next->next;
}

static void give_back(void *block, size_t size) {
  if (size == 0) return;
  struct hole *hole = block;
  struct hole *before = NULL;
  struct hole *after = holes;
  while (after != NULL && after < hole) {
    before = after;
    after = after->next;
  }
  hole->size = size;
  hole->next = after;
  merge_with_next(hole);
  if (before == NULL) {
    holes = hole;
  } else {
    before->next = hole;
    merge_with_next(before);
  }
  count_used(stats.used - size);
}

static void *hand_out(size_t size) {
  if (sealed && !dying) {
    arena_refused(size);
    return NULL;
  }
  stats.allocations += 1;
  void *block = take(whole_granules(size));
  if (block == NULL) last_failure = size;
  return block;
}

void *arena_allocate(void *unused, void *block, size_t old_size, size_t new_size) {
  (void)unused;
  /* Without a block, Lua says there what kind of object it wants. */
  size_t old = block == NULL ? 0 : whole_granules(old_size);
  size_t new = whole_granules(new_size);
  if (new_size == 0) {
    if (block != NULL) give_back(block, old);
    return NULL;
  }
  if (block == NULL) return hand_out(new_size);
  if (new <= old) {
    give_back((uint8_t *)block + new, old - new);
    return block;
  }
  void *moved = hand_out(new_size);
  if (moved == NULL) return NULL;
  memcpy(moved, block, old_size);
  give_back(block, old);
  return moved;
}

void arena_seal(void) {
  sealed = true;
}

bool arena_sealed(void) {
  return sealed;
}

void arena_hear_last_words(void) {
  dying = true;
}

struct arena_stats arena_stats(void) {
  struct arena_stats now = stats;
  for (const struct hole *hole = holes; hole != NULL; hole = hole->next) {
    if (hole->size > now.largest_free) now.largest_free = hole->size;
  }
  return now;
}

size_t arena_last_failure(void) {
  return last_failure;
}
