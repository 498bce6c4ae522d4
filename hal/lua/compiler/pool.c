#include "pool.h"

#include <stdlib.h>

#include "lopcodes.h"

/* What 8 bits can number. */
#define WINDOW 256

/* Constants that a window has or a function uses, by their numbers among all different ones. */
struct set {
  int members[WINDOW];
  int count;
};

/* All constants of all functions, each once. */
static TValue *all;
static int all_count;

static int number_of_value(const TValue *value) {
  for (int i = 0; i < all_count; i += 1) {
    if (values_are_same(&all[i], value)) return i;
  }
  if (all_count % 1024 == 0) {
    all = realloc(all, sizeof *all * (size_t)(all_count + 1024));
    if (all == NULL) exit(1);
  }
  all[all_count] = *value;
  all_count += 1;
  return all_count - 1;
}

/* Where in an instruction constants are numbered: gives how many there are, two at most. */
static int operands(Instruction instruction, int *positions) {
  int count = 0;
  switch (GET_OPCODE(instruction)) {
    case OP_LOADK: positions[count++] = POS_Bx; break;
    case OP_GETTABUP:
    case OP_GETFIELD:
    case OP_SELF:
    case OP_ADDK:
    case OP_SUBK:
    case OP_MULK:
    case OP_MODK:
    case OP_POWK:
    case OP_DIVK:
    case OP_IDIVK:
    case OP_BANDK:
    case OP_BORK:
    case OP_BXORK: positions[count++] = POS_C; break;
    case OP_EQK:
    case OP_MMBINK: positions[count++] = POS_B; break;
    case OP_SETTABUP:
    case OP_SETFIELD:
      positions[count++] = POS_B;
      if (TESTARG_k(instruction)) positions[count++] = POS_C;
      break;
    case OP_SETTABLE:
    case OP_SETI:
      if (TESTARG_k(instruction)) positions[count++] = POS_C;
      break;
    default: break;
  }
  return count;
}

static int size_of(int position) {
  return position == POS_Bx ? SIZE_Bx : position == POS_B ? SIZE_B : SIZE_C;
}

static int place_in(const struct set *set, int member) {
  for (int i = 0; i < set->count; i += 1) {
    if (set->members[i] == member) return i;
  }
  return -1;
}

static bool add(struct set *set, int member) {
  if (place_in(set, member) >= 0) return true;
  if (set->count == WINDOW) return false;
  set->members[set->count++] = member;
  return true;
}

/* The constants that a function needs in its window. There are not more than 8 bits can number. */
static struct set near_constants(const Proto *function) {
  struct set near = {.count = 0};
  for (int i = 0; i < function->sizecode; i += 1) {
    int positions[2];
    int count = operands(function->code[i], positions);
    for (int j = 0; j < count; j += 1) {
      if (positions[j] == POS_Bx) continue;
      add(&near, number_of_value(&function->k[getarg(function->code[i], positions[j], size_of(positions[j]))]));
    }
  }
  return near;
}

static int missing_in(const struct set *window, const struct set *wanted) {
  int missing = 0;
  for (int i = 0; i < wanted->count; i += 1) {
    if (place_in(window, wanted->members[i]) < 0) missing += 1;
  }
  return missing;
}

struct windows {
  struct set *sets;
  int count;
  /* How many constants there are in the windows before each. */
  int *begins;
};

/* The window that lacks least of what is wanted, and has room for that; a new one when none has. */
static int best_window(struct windows *windows, const struct set *wanted) {
  int best = -1;
  int least = 0;
  for (int i = 0; i < windows->count; i += 1) {
    int missing = missing_in(&windows->sets[i], wanted);
    if (windows->sets[i].count + missing > WINDOW || (best >= 0 && missing >= least)) continue;
    best = i;
    least = missing;
  }
  if (best >= 0) return best;
  windows->sets = realloc(windows->sets, sizeof *windows->sets * (size_t)(windows->count + 1));
  if (windows->sets == NULL) exit(1);
  windows->sets[windows->count].count = 0;
  windows->count += 1;
  return windows->count - 1;
}

static int append(struct pool *pool, int member) {
  pool->values = realloc(pool->values, sizeof *pool->values * (size_t)(pool->count + 1));
  if (pool->values == NULL) exit(1);
  pool->values[pool->count] = all[member];
  pool->count += 1;
  return pool->count - 1;
}

/* Where in the pool, from `first` on, a constant is: it is put at the end when it is not there. */
static int place_from(struct pool *pool, int first, int member) {
  for (int i = first; i < pool->count; i += 1) {
    if (values_are_same(&pool->values[i], &all[member])) return i;
  }
  return append(pool, member);
}

static void renumber(struct pool *pool, Proto *function, int first) {
  for (int i = 0; i < function->sizecode; i += 1) {
    Instruction *instruction = &function->code[i];
    int positions[2];
    int count = operands(*instruction, positions);
    for (int j = 0; j < count; j += 1) {
      int size = size_of(positions[j]);
      int member = number_of_value(&function->k[getarg(*instruction, positions[j], size)]);
      int number = place_from(pool, first, member) - first;
      if (number >= 1 << size) pool->problem = "the program has more constants than instructions can number";
      setarg(*instruction, (unsigned)number, positions[j], size);
    }
  }
}

struct pool pool_of(const struct graph *graph) {
  struct pool pool = {.first = calloc((size_t)graph->count, sizeof *pool.first)};
  int *window_of = calloc((size_t)graph->count, sizeof *window_of);
  struct windows windows = {.count = 0};
  if (pool.first == NULL || window_of == NULL) exit(1);
  for (int i = 0; i < graph->count; i += 1) {
    if (graph->things[i]->tt != LUA_VPROTO) continue;
    struct set near = near_constants(gco2p(graph->things[i]));
    window_of[i] = best_window(&windows, &near);
    for (int j = 0; j < near.count; j += 1) add(&windows.sets[window_of[i]], near.members[j]);
  }
  windows.begins = calloc((size_t)windows.count + 1, sizeof *windows.begins);
  if (windows.begins == NULL) exit(1);
  for (int i = 0; i < windows.count; i += 1) {
    windows.begins[i] = pool.count;
    for (int j = 0; j < windows.sets[i].count; j += 1) append(&pool, windows.sets[i].members[j]);
  }
  for (int i = 0; i < graph->count; i += 1) {
    if (graph->things[i]->tt != LUA_VPROTO) continue;
    pool.first[i] = windows.begins[window_of[i]];
    renumber(&pool, gco2p(graph->things[i]), pool.first[i]);
  }
  return pool;
}
