#include "settle.h"

#include <stdlib.h>
#include <string.h>

#include "lopcodes.h"
#include "ltable.h"

#define MOST_UPVALUES 255

/* What is known of each upvalue of a function: its value, or NULL. */
struct known {
  const TValue *values[MOST_UPVALUES];
};

static int constant(Proto *function, const TValue *value) {
  for (int i = 0; i < function->sizek; i += 1) {
    if (values_are_same(&function->k[i], value)) return i;
  }
  TValue *k = malloc(sizeof *k * (size_t)(function->sizek + 1));
  if (k == NULL) exit(1);
  if (function->sizek > 0) memcpy(k, function->k, sizeof *k * (size_t)function->sizek);
  k[function->sizek] = *value;
  function->k = k;
  function->sizek += 1;
  return function->sizek - 1;
}

/* The instruction that puts this value into a register. */
static Instruction load(Proto *function, int into, const TValue *value) {
  switch (ttypetag(value)) {
    case LUA_VNIL: return CREATE_ABCk(OP_LOADNIL, into, 0, 0, 0);
    case LUA_VFALSE: return CREATE_ABCk(OP_LOADFALSE, into, 0, 0, 0);
    case LUA_VTRUE: return CREATE_ABCk(OP_LOADTRUE, into, 0, 0, 0);
    case LUA_VNUMINT:
      if (ivalue(value) < -OFFSET_sBx || ivalue(value) > MAXARG_Bx - OFFSET_sBx) break;
      return CREATE_ABx(OP_LOADI, into, (unsigned)((int)ivalue(value) + OFFSET_sBx));
    default: break;
  }
  return CREATE_ABx(OP_LOADK, into, (unsigned)constant(function, value));
}

/*
 * What stands under a name in a table that no running program writes to: every table with names that a module made lies
 * in flash. NULL: it is no such table.
 */
static const TValue *field(const TValue *table, const TValue *name) {
  static TValue nothing;
  if (table == NULL || !ttistable(table) || !ttisshrstring(name)) return NULL;
  Table *fields = hvalue(table);
  if (isdummy(fields)) return NULL;
  for (int i = 0; i < (int)sizenode(fields); i += 1) {
    Node *node = gnode(fields, i);
    if (keyisshrstr(node) && keystrval(node) == tsvalue(name) && !isempty(gval(node))) return gval(node);
  }
  setnilvalue(&nothing);
  return &nothing;
}

/* The upvalues that an instruction cannot do without. */
static int upvalue_needed(const Proto *function, Instruction instruction, const struct known *known) {
  switch (GET_OPCODE(instruction)) {
    case OP_GETUPVAL:
      return known->values[GETARG_B(instruction)] == NULL ? GETARG_B(instruction) : -1;
    case OP_GETTABUP: {
      const TValue *found = field(known->values[GETARG_B(instruction)], &function->k[GETARG_C(instruction)]);
      return found == NULL ? GETARG_B(instruction) : -1;
    }
    case OP_SETUPVAL: return GETARG_B(instruction);
    case OP_SETTABUP: return GETARG_A(instruction);
    default: return -1;
  }
}

static Instruction settled(Proto *function, Instruction instruction, const struct known *known, const int *new_number) {
  int a = GETARG_A(instruction);
  switch (GET_OPCODE(instruction)) {
    case OP_GETUPVAL: {
      const TValue *value = known->values[GETARG_B(instruction)];
      if (value != NULL) return load(function, a, value);
      SETARG_B(instruction, (unsigned)new_number[GETARG_B(instruction)]);
      break;
    }
    case OP_GETTABUP: {
      const TValue *found = field(known->values[GETARG_B(instruction)], &function->k[GETARG_C(instruction)]);
      if (found != NULL) return load(function, a, found);
      SETARG_B(instruction, (unsigned)new_number[GETARG_B(instruction)]);
      break;
    }
    case OP_SETUPVAL: SETARG_B(instruction, (unsigned)new_number[GETARG_B(instruction)]); break;
    case OP_SETTABUP: SETARG_A(instruction, (unsigned)new_number[a]); break;
    default: break;
  }
  return instruction;
}

/* Writes the new number of each upvalue, -1 for one that is gone. */
static void settle_function(const struct graph *graph, Proto *function, const struct known *known, int *new_number) {
  bool needed[MOST_UPVALUES] = {false};
  for (int i = 0; i < function->sizecode; i += 1) {
    int upvalue = upvalue_needed(function, function->code[i], known);
    if (upvalue >= 0) needed[upvalue] = true;
  }
  for (int i = 0; i < function->sizep; i += 1) {
    Proto *inner = function->p[i];
    struct known to_inner = {{NULL}};
    for (int j = 0; j < inner->sizeupvalues; j += 1) {
      const Upvaldesc *up = &inner->upvalues[j];
      if (up->instack == 0) to_inner.values[j] = known->values[up->idx];
    }
    int unused[MOST_UPVALUES];
    /* Closures that a module has made of it share it with those that are still to be made, and have other values. */
    if (graph_closures_of(graph, inner) == 0) settle_function(graph, inner, &to_inner, unused);
    for (int j = 0; j < inner->sizeupvalues; j += 1) {
      if (inner->upvalues[j].instack == 0) needed[inner->upvalues[j].idx] = true;
    }
  }
  int count = 0;
  for (int i = 0; i < function->sizeupvalues; i += 1) {
    new_number[i] = needed[i] ? count : -1;
    if (needed[i]) function->upvalues[count++] = function->upvalues[i];
  }
  function->sizeupvalues = count;
  for (int i = 0; i < function->sizecode; i += 1) {
    function->code[i] = settled(function, function->code[i], known, new_number);
  }
  for (int i = 0; i < function->sizep; i += 1) {
    Proto *inner = function->p[i];
    for (int j = 0; j < inner->sizeupvalues; j += 1) {
      Upvaldesc *up = &inner->upvalues[j];
      if (up->instack == 0) up->idx = (lu_byte)new_number[up->idx];
    }
  }
}

/* A function that another in the graph can still make closures of: their upvalues are not known yet. */
static bool is_made_again(const struct graph *graph, const Proto *function) {
  for (int i = 0; i < graph->count; i += 1) {
    if (graph->things[i]->tt != LUA_VPROTO) continue;
    const Proto *maker = gco2p(graph->things[i]);
    for (int j = 0; j < maker->sizep; j += 1) {
      if (maker->p[j] == function) return true;
    }
  }
  return false;
}

static void settle_closure(const struct graph *graph, LClosure *closure) {
  struct known known = {{NULL}};
  for (int i = 0; i < closure->nupvalues; i += 1) {
    UpVal *upvalue = closure->upvals[i];
    bool changes = graph_is_globals(graph, upvalue) || graph_is_assigned(graph, upvalue);
    if (!changes) known.values[i] = upvalue->v.p;
  }
  int new_number[MOST_UPVALUES];
  int count = closure->nupvalues;
  settle_function(graph, closure->p, &known, new_number);
  for (int i = 0; i < count; i += 1) {
    if (new_number[i] >= 0) closure->upvals[new_number[i]] = closure->upvals[i];
  }
  closure->nupvalues = closure->p->sizeupvalues;
}

void settle(const struct graph *graph) {
  bool *ready = calloc((size_t)graph->count + 1, sizeof *ready);
  if (ready == NULL) exit(1);
  for (int i = 0; i < graph->count; i += 1) {
    if (graph->things[i]->tt != LUA_VLCL) continue;
    const LClosure *closure = gco2lcl(graph->things[i]);
    ready[i] = graph_closures_of(graph, closure->p) == 1 && !is_made_again(graph, closure->p);
  }
  for (int i = 0; i < graph->count; i += 1) {
    if (ready[i]) settle_closure(graph, gco2lcl(graph->things[i]));
  }
  free(ready);
}
