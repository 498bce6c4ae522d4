#include "graph.h"

#include <stdlib.h>
#include <string.h>

#include "lfunc.h"
#include "lopcodes.h"
#include "ltable.h"

static void visit(struct graph *graph, const TValue *value);

int graph_number(const struct graph *graph, const void *thing) {
  for (int i = 0; i < graph->count; i += 1) {
    if ((const void *)graph->things[i] == thing) return i;
  }
  return -1;
}

/* False when it was there already. */
static bool add(struct graph *graph, GCObject *thing) {
  if (graph_number(graph, thing) >= 0) return false;
  if (graph->count % 1024 == 0) {
    graph->things = realloc(graph->things, sizeof *graph->things * (size_t)(graph->count + 1024));
    if (graph->things == NULL) exit(1);
  }
  graph->things[graph->count++] = thing;
  return true;
}

static void visit_function(struct graph *graph, Proto *function) {
  if (!add(graph, obj2gco(function))) return;
  for (int i = 0; i < function->sizek; i += 1) visit(graph, &function->k[i]);
  for (int i = 0; i < function->sizep; i += 1) visit_function(graph, function->p[i]);
}

bool graph_is_globals(const struct graph *graph, const UpVal *upvalue) {
  return ttistable(upvalue->v.p) && hvalue(upvalue->v.p) == graph->globals;
}

static void visit_upvalue(struct graph *graph, UpVal *upvalue) {
  if (!add(graph, obj2gco(upvalue))) return;
  if (upisopen(upvalue)) graph->problem = "a function is still running";
  else if (!graph_is_globals(graph, upvalue)) visit(graph, upvalue->v.p);
}

static bool is_plain_key(const Node *node) {
  return keytt(node) == ctb(LUA_VSHRSTR) || keytt(node) == LUA_VNUMINT || keyisnil(node) || keyisdead(node);
}

static void visit_table(struct graph *graph, Table *table) {
  if (!add(graph, obj2gco(table))) return;
  if (table->metatable != NULL) graph->problem = "a table has a metatable: use plain records";
  if (table == graph->globals) graph->problem = "a module keeps the table of globals";
  for (unsigned i = 0; i < table->asize; i += 1) {
    TValue value;
    farr2val(table, i, *getArrTag(table, i), &value);
    visit(graph, &value);
  }
  if (isdummy(table)) return;
  for (int i = 0; i < (int)sizenode(table); i += 1) {
    Node *node = gnode(table, i);
    if (isempty(gval(node))) continue;
    if (!is_plain_key(node)) graph->problem = "a table has keys that are neither short texts nor whole numbers";
    if (keyisshrstr(node)) add(graph, obj2gco(keystrval(node)));
    visit(graph, gval(node));
  }
}

static void visit(struct graph *graph, const TValue *value) {
  if (!iscollectable(value)) return;
  GCObject *thing = gcvalue(value);
  switch (ttypetag(value)) {
    case LUA_VSHRSTR:
    case LUA_VLNGSTR:
    case LUA_VUSERDATA:
      add(graph, thing);
      break;
    case LUA_VTABLE:
      visit_table(graph, gco2t(thing));
      break;
    case LUA_VLCL: {
      LClosure *closure = gco2lcl(thing);
      if (!add(graph, thing)) break;
      visit_function(graph, closure->p);
      for (int i = 0; i < closure->nupvalues; i += 1) visit_upvalue(graph, closure->upvals[i]);
      break;
    }
    default:
      graph->problem = "a module keeps something that cannot be frozen";
      break;
  }
}

struct graph graph_of(lua_State *L, const TValue *root) {
  lua_pushglobaltable(L);
  struct graph graph = {.globals = hvalue(s2v(L->top.p - 1))};
  lua_pop(L, 1);
  visit(&graph, root);
  return graph;
}

/* A function assigns to its upvalue itself, or hands it to a function within it that does. */
static bool assigns(const Proto *function, int upvalue) {
  for (int i = 0; i < function->sizecode; i += 1) {
    Instruction instruction = function->code[i];
    if (GET_OPCODE(instruction) == OP_SETUPVAL && GETARG_B(instruction) == upvalue) return true;
  }
  for (int i = 0; i < function->sizep; i += 1) {
    const Proto *inner = function->p[i];
    for (int j = 0; j < inner->sizeupvalues; j += 1) {
      if (inner->upvalues[j].instack == 0 && inner->upvalues[j].idx == upvalue && assigns(inner, j)) return true;
    }
  }
  return false;
}

bool graph_is_assigned(const struct graph *graph, const UpVal *upvalue) {
  for (int i = 0; i < graph->count; i += 1) {
    if (graph->things[i]->tt != LUA_VLCL) continue;
    const LClosure *closure = gco2lcl(graph->things[i]);
    for (int j = 0; j < closure->nupvalues; j += 1) {
      if (closure->upvals[j] == upvalue && assigns(closure->p, j)) return true;
    }
  }
  return false;
}

int graph_closures_of(const struct graph *graph, const Proto *function) {
  int count = 0;
  for (int i = 0; i < graph->count; i += 1) {
    GCObject *thing = graph->things[i];
    if (thing->tt == LUA_VLCL && gco2lcl(thing)->p == function) count += 1;
  }
  return count;
}

bool values_are_same(const TValue *a, const TValue *b) {
  if (rawtt(a) != rawtt(b)) return false;
  switch (ttypetag(a)) {
    case LUA_VNIL:
    case LUA_VFALSE:
    case LUA_VTRUE: return true;
    case LUA_VNUMINT: return ivalue(a) == ivalue(b);
    /* By its bits: 0.0 and -0.0 are equal and not the same. */
    case LUA_VNUMFLT: return memcmp(&a->value_.n, &b->value_.n, sizeof a->value_.n) == 0;
    case LUA_VLCF: return fvalue(a) == fvalue(b);
    default: return iscollectable(a) && gcvalue(a) == gcvalue(b);
  }
}
