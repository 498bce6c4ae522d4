/* All that a value holds on to, each thing once, in the order in which it was found. */
#ifndef MOTH_GRAPH_H
#define MOTH_GRAPH_H

#include <stdbool.h>

#include "lobject.h"
#include "lstate.h"

struct graph {
  GCObject **things;
  int count;
  /* What upvalue _ENV holds: it is the board's own table, and not frozen. */
  const Table *globals;
  /* Why it cannot be frozen; NULL: it can. */
  const char *problem;
};

struct graph graph_of(lua_State *L, const TValue *root);

/* The number of a thing, which is its name. */
int graph_number(const struct graph *graph, const void *thing);

/* Whether an upvalue is the one that leads to the globals. */
bool graph_is_globals(const struct graph *graph, const UpVal *upvalue);

/* Whether any function in the graph assigns to this upvalue. */
bool graph_is_assigned(const struct graph *graph, const UpVal *upvalue);

/* How many closures of a function there are. */
int graph_closures_of(const struct graph *graph, const Proto *function);

/* Whether two values are one and the same, and not merely equal. */
bool values_are_same(const TValue *a, const TValue *b);

#endif
