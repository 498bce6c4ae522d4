#include "freeze.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ldebug.h"
#include "lopcodes.h"
#include "lstring.h"
#include "ltable.h"
#include "lvm.h"

#include "frozen-table.h"
#include "graph.h"
#include "natives.h"
#include "pool.h"
#include "settle.h"

static struct graph graph;
static struct pool pool;

/* What is known of each thing by its number. */
struct fact {
  /* An upvalue that some function assigns to. */
  bool changes;
  /* An upvalue that holds what this other one holds: one of them is enough when neither changes. */
  int same_as;
  /* A function that another one makes closures of. */
  bool is_inner;
  /* A closure without upvalues that is the only one of its function, or such a function: written as one thing. */
  bool is_closed;
  /* The closure of such a function. */
  int closure;
  /* Where the instructions of a function begin among those of all. */
  int code_at;
};
static struct fact *facts;

static int number_of(const void *thing) {
  return graph_number(&graph, thing);
}

/* --- values: what they are, and their tag --- */

static const char *native_name(lua_CFunction function) {
#define NAMED(name) \
  if (function == native_##name) return #name;
  NATIVES(NAMED)
#undef NAMED
  return NULL;
}

static void write_payload(const TValue *value) {
  switch (ttypetag(value)) {
    case LUA_VNUMINT: printf("{.i=%ld}", (long)ivalue(value)); break;
    case LUA_VNUMFLT:
      if (!isfinite(fltvalue(value))) graph.problem = "a module keeps a number that is infinite, or none";
      printf("{.n=%a}", (double)fltvalue(value));
      break;
    case LUA_VLCF: {
      const char *name = native_name(fvalue(value));
      if (name == NULL) graph.problem = "a module keeps a function of the base library";
      printf("{.f=native_%s}", name == NULL ? "?" : name);
      break;
    }
    default:
      if (iscollectable(value)) printf("THING(x%d)", number_of(gcvalue(value)));
      else printf("{NULL}");
  }
}

static void write_value(const TValue *value) {
  printf("{");
  write_payload(value);
  printf(",%d},", rawtt(value));
}

/* --- strings --- */

static void write_text(const char *text, size_t length) {
  putchar('"');
  for (size_t i = 0; i < length; i += 1) {
    unsigned char c = (unsigned char)text[i];
    if (c < ' ' || c > '~' || c == '"' || c == '\\' || c == '?') printf("\\%03o", c);
    else putchar(c);
  }
  putchar('"');
}

/* Links the strings of a bucket: the one written last is its head. */
static int heads[FROZEN_BUCKETS];

static void write_string(int number, TString *string) {
  size_t length;
  const char *text = getlstr(string, length);
  if (string->tt == LUA_VSHRSTR) {
    unsigned bucket = string->hash % FROZEN_BUCKETS;
    printf("SHORT_STRING(x%d, %zu, 0x%08xu, ", number, length, string->hash);
    if (heads[bucket] < 0) printf("NULL, ");
    else printf("(TString *)&x%d, ", heads[bucket]);
    heads[bucket] = number;
  } else {
    printf("LONG_STRING(x%d, %zu, 0x%08xu, ", number, length, luaS_hashlongstr(string));
  }
  write_text(text, length);
  printf(")\n");
}

static void write_buckets(void) {
  printf("const TString *const frozen_buckets[FROZEN_BUCKETS] FROZEN = {\n");
  for (int i = 0; i < FROZEN_BUCKETS; i += 1) {
    if (heads[i] >= 0) printf("[%d] = (const TString *)&x%d,\n", i, heads[i]);
  }
  printf("};\n");
}

/* What Lua says when it has no memory left: it is made before any frozen string is there. */
static bool is_reserved(lua_State *L, const TString *string) {
  return G(L)->memerrmsg == string;
}

static bool is_in_graph(const TString *string) {
  for (int i = 0; i < graph.count; i += 1) {
    if (graph.things[i] == obj2gco(string)) return true;
  }
  return false;
}

/* Strings that Lua and the runtime make at every boot: frozen, they are found rather than made. Numbered behind all else. */
static void write_boot_strings(lua_State *L) {
  static const char *const texts[] = {BOOT_TEXTS};
  int count = (int)(sizeof texts / sizeof texts[0]);
  for (int i = 0; i < TM_N + count; i += 1) {
    TString *string = i < TM_N ? G(L)->tmname[i] : luaS_new(L, texts[i - TM_N]);
    if (!is_in_graph(string)) write_string(graph.count + i, string);
  }
}

/* --- functions --- */

static bool jumps_to(const Proto *function, int target) {
  for (int i = 0; i < target; i += 1) {
    Instruction instruction = function->code[i];
    /* A test may skip the instruction behind it. */
    int to = testTMode(GET_OPCODE(instruction)) ? i + 2 : i;
    switch (GET_OPCODE(instruction)) {
      case OP_JMP: to = i + 1 + GETARG_sJ(instruction); break;
      case OP_FORPREP:
      case OP_TFORPREP: to = i + 1 + GETARG_Bx(instruction) + 1; break;
      case OP_LFALSESKIP: to = i + 2; break;
      default: break;
    }
    if (to == target) return true;
  }
  return false;
}

static bool returns(Instruction instruction) {
  OpCode operation = GET_OPCODE(instruction);
  return operation == OP_RETURN || operation == OP_RETURN0 || operation == OP_RETURN1;
}

/* Lua ends every function with a return, also one that has returned by then. */
static int code_size(const Proto *function) {
  int last = function->sizecode - 1;
  bool needed = last == 0 || !returns(function->code[last - 1]) || jumps_to(function, last);
  return needed ? last + 1 : last;
}

static void write_code(void) {
  int at = 0;
  printf("const Instruction frozen_code[] FROZEN = {\n");
  for (int i = 0; i < graph.count; i += 1) {
    if (graph.things[i]->tt != LUA_VPROTO) continue;
    const Proto *function = gco2p(graph.things[i]);
    int size = code_size(function);
    for (int j = 0; j < size; j += 1) printf("0x%xu,", (unsigned)function->code[j]);
    printf("\n");
    facts[i].code_at = at;
    at += size;
  }
  printf("};\n");
}

/* A closure that is there already needs only its upvalues' lack of names. */
static bool has_upvalue_list(int number, const Proto *function) {
  return facts[number].is_inner && function->sizeupvalues > 0;
}

/* Where a closure finds its upvalues when it is made. */
static void write_upvalue_list(int number, const Proto *function) {
  if (!has_upvalue_list(number, function)) return;
  printf("static const Upvaldesc upvalues%d[] FROZEN = {", number);
  for (int i = 0; i < function->sizeupvalues; i += 1) {
    const Upvaldesc *up = &function->upvalues[i];
    printf("{NULL,%d,%d,%d},", up->instack, up->idx, up->kind);
  }
  printf("};\n");
}

static void write_inner_functions(int number, const Proto *function) {
  if (function->sizep == 0) return;
  printf("static const Proto *const inner%d[] FROZEN = {", number);
  for (int i = 0; i < function->sizep; i += 1) printf("(const Proto *)&x%d,", number_of(function->p[i]));
  printf("};\n");
}

/* How far a function goes: see frozen.h. */
static const char *type_of_function(int number, const Proto *function) {
  if (has_upvalue_list(number, function)) return "INNER_TYPE";
  return function->sizep > 0 ? "MAKER_TYPE" : "FUNCTION_TYPE";
}

static const char *type_of_closed(const Proto *function) {
  return function->sizep > 0 ? "closed_maker" : "closed_function";
}

static void write_constants(void) {
  printf("static const TValue constants[] FROZEN __attribute__((aligned(8))) = {\n");
  for (int i = 0; i < pool.count; i += 1) write_value(&pool.values[i]);
  printf("};\n");
}

/* What the macros FUNCTION and CLOSED have in common. */
static void write_fields(int number, const Proto *function) {
  printf("%d, %d, %d, %d, %d, %d, ", function->numparams, function->flag, function->maxstacksize, function->sizeupvalues,
         pool.first[number], facts[number].code_at);
  if (function->sizep > 0) printf("INNER(%d) ", number);
  if (has_upvalue_list(number, function)) printf("UPVALUES(%d)", number);
  else printf("NAMELESS");
  printf(")\n");
}

static void write_function(int number, const Proto *function) {
  write_inner_functions(number, function);
  write_upvalue_list(number, function);
  if (facts[number].is_closed) printf("CLOSED(x%d, %d, %s, ", facts[number].closure, number, type_of_closed(function));
  else printf("FUNCTION(%d, %s, ", number, type_of_function(number, function));
  write_fields(number, function);
}

static int upvalue_number(const UpVal *upvalue) {
  return facts[number_of(upvalue)].same_as;
}

static void write_closure(int number, const LClosure *closure) {
  if (facts[number].is_closed) return;
  printf("CLOSURE(x%d, %d, x%d, ", number, closure->nupvalues, number_of(closure->p));
  for (int i = 0; i < closure->nupvalues; i += 1) {
    if (graph_is_globals(&graph, closure->upvals[i])) printf("&frozen_globals,");
    else printf("&x%d,", upvalue_number(closure->upvals[i]));
  }
  printf(")\n");
}

static void write_upvalue(int number, const UpVal *upvalue) {
  if (graph_is_globals(&graph, upvalue) || facts[number].same_as != number) return;
  bool changes = facts[number].changes;
  printf("static %sUpVal x%d %s= UPVALUE(x%d, ", changes ? "" : "const ", number, changes ? "" : "FROZEN ", number);
  write_payload(upvalue->v.p);
  printf(", %d);\n", rawtt(upvalue->v.p));
}

/* --- tables --- */

/* The values stand before the hint, the last one first, and their tags after it: as ltable.h has it. */
static void write_array(int number, const Table *table) {
  int size = (int)table->asize;
  printf("static struct {Value values[%d]; unsigned hint; lu_byte tags[%d];} array%d = {{", size, size, number);
  TValue value;
  for (int i = size - 1; i >= 0; i -= 1) {
    farr2val(table, i, *getArrTag(table, i), &value);
    write_payload(&value);
    printf(",");
  }
  printf("}, %u, {", *lenhint(table));
  for (int i = 0; i < size; i += 1) printf("%d,", *getArrTag(table, i));
  printf("}};\n");
}

static void write_node(const Node *node) {
  printf("{{");
  if (isempty(gval(node))) {
    printf("{NULL},LUA_VEMPTY,LUA_TNIL,%d,{NULL}", gnext(node));
  } else {
    write_payload(gval(node));
    printf(",%d,%d,%d,", rawtt(gval(node)), keytt(node), gnext(node));
    if (keyisshrstr(node)) printf("THING(x%d)", number_of(keystrval(node)));
    else printf("{.i=%ld}", (long)keyival(node));
  }
  printf("}},");
}

static void write_table(int number, const Table *table) {
  int size = isdummy(table) ? 0 : (int)sizenode(table);
  if (table->asize > 0) write_array(number, table);
  if (size > 0) {
    printf("static const Node nodes%d[] FROZEN = {", number);
    for (int i = 0; i < size; i += 1) write_node(gnode(table, i));
    printf("};\n");
  }
  char array[32] = "NULL";
  char nodes[32] = "&no_node";
  if (table->asize > 0) snprintf(array, sizeof array, "&array%d.hint", number);
  if (size > 0) snprintf(nodes, sizeof nodes, "nodes%d", number);
  printf("TABLE(x%d, %d, %d, %u, %s, %s)\n", number, size > 0 ? 0 : BITDUMMY, size > 0 ? table->lsizenode : 0,
         table->asize, array, nodes);
}

/* --- buffers --- */

static void write_buffer(int number, Udata *buffer) {
  const char *bytes = getudatamem(buffer);
  for (size_t i = 0; i < buffer->len; i += 1) {
    if (bytes[i] != 0) graph.problem = "a module writes into a buffer while it is set up: do it in boot";
  }
  printf("BUFFER(x%d, %zu)\n", number, buffer->len);
}

static void write_buffer_list(void) {
  printf("struct frozen_buffer *const frozen_buffers[] FROZEN = {");
  for (int i = 0; i < graph.count; i += 1) {
    if (graph.things[i]->tt == LUA_VUSERDATA) printf("(struct frozen_buffer *)&x%d,", i);
  }
  printf("NULL};\nconst size_t frozen_buffer_sizes[] FROZEN = {");
  for (int i = 0; i < graph.count; i += 1) {
    if (graph.things[i]->tt == LUA_VUSERDATA) printf("%zu,", gco2u(graph.things[i])->len);
  }
  printf("0};\n");
}

/* --- the whole --- */

static void find_same_upvalue(int number) {
  facts[number].same_as = number;
  const UpVal *upvalue = gco2upv(graph.things[number]);
  for (int i = 0; i < number; i += 1) {
    if (graph.things[i]->tt != LUA_VUPVAL || facts[i].changes || facts[number].changes) continue;
    if (!values_are_same(gco2upv(graph.things[i])->v.p, upvalue->v.p)) continue;
    facts[number].same_as = facts[i].same_as;
    return;
  }
}

static void find_closed(int number) {
  const LClosure *closure = gco2lcl(graph.things[number]);
  struct fact *function = &facts[number_of(closure->p)];
  if (closure->nupvalues > 0 || function->is_inner || graph_closures_of(&graph, closure->p) != 1) return;
  facts[number].is_closed = true;
  function->is_closed = true;
  function->closure = number;
}

static void find_facts(void) {
  facts = calloc((size_t)graph.count, sizeof *facts);
  if (facts == NULL) exit(1);
  for (int i = 0; i < graph.count; i += 1) {
    GCObject *thing = graph.things[i];
    if (thing->tt == LUA_VUPVAL) {
      facts[i].changes = graph_is_assigned(&graph, gco2upv(thing));
      find_same_upvalue(i);
    } else if (thing->tt == LUA_VPROTO) {
      for (int j = 0; j < gco2p(thing)->sizep; j += 1) facts[number_of(gco2p(thing)->p[j])].is_inner = true;
    }
  }
  for (int i = 0; i < graph.count; i += 1) {
    if (graph.things[i]->tt == LUA_VLCL) find_closed(i);
  }
}

static void declare_function(int number, const Proto *function) {
  if (!facts[number].is_closed) printf("static const %s x%d;\n", type_of_function(number, function), number);
}

static void declare_closure(int number, const LClosure *closure) {
  if (facts[number].is_closed) printf("static const struct %s x%d;\n", type_of_closed(closure->p), number);
  else printf("static const struct closure%d x%d;\n", closure->nupvalues, number);
}

static void declare_upvalue(int number, const UpVal *upvalue) {
  if (graph_is_globals(&graph, upvalue) || facts[number].same_as != number) return;
  printf("static %sUpVal x%d;\n", facts[number].changes ? "" : "const ", number);
}

/* Things refer to each other in circles: each is declared before any is defined. */
static void declare(int number, GCObject *thing) {
  switch (thing->tt) {
    case LUA_VPROTO: declare_function(number, gco2p(thing)); break;
    case LUA_VTABLE: printf("static const Table x%d;\n", number); break;
    case LUA_VLCL: declare_closure(number, gco2lcl(thing)); break;
    case LUA_VUPVAL: declare_upvalue(number, gco2upv(thing)); break;
    default: break;
  }
}

static void define(int number, GCObject *thing) {
  switch (thing->tt) {
    case LUA_VPROTO: write_function(number, gco2p(thing)); break;
    case LUA_VTABLE: write_table(number, gco2t(thing)); break;
    case LUA_VLCL: write_closure(number, gco2lcl(thing)); break;
    case LUA_VUPVAL: write_upvalue(number, gco2upv(thing)); break;
    default: break;
  }
}

static void define_leaf(lua_State *L, int number, GCObject *thing) {
  switch (thing->tt) {
    case LUA_VSHRSTR:
    case LUA_VLNGSTR:
      if (is_reserved(L, gco2ts(thing))) graph.problem = "a text is one that Lua keeps for itself (not enough memory): use another";
      write_string(number, gco2ts(thing));
      break;
    case LUA_VUSERDATA: write_buffer(number, gco2u(thing)); break;
    default: break;
  }
}

/* What is frozen, its functions settled. NULL, or why it cannot be done. */
static const char *gather(lua_State *L, const TValue *root) {
  graph = graph_of(L, root);
  if (graph.problem != NULL) return graph.problem;
  settle(&graph);
  graph = graph_of(L, root);
  if (graph.problem != NULL) return graph.problem;
  find_facts();
  pool = pool_of(&graph);
  return pool.problem;
}

static int most_upvalues(void) {
  int most = 1;
  for (int i = 0; i < graph.count; i += 1) {
    int count = 0;
    if (graph.things[i]->tt == LUA_VLCL) count = gco2lcl(graph.things[i])->nupvalues;
    if (graph.things[i]->tt == LUA_VPROTO) count = gco2p(graph.things[i])->sizeupvalues;
    if (count > most) most = count;
  }
  return most;
}

const char *freeze(lua_State *L) {
  const TValue *root = s2v(L->top.p - 1);
  const char *problem = gather(L, root);
  if (problem != NULL) return problem;
  int most = most_upvalues();
  printf("#include \"frozen.h\"\nconst Upvaldesc frozen_nameless[%d] FROZEN = {{0}};\n", most);
  for (int i = 0; i <= most; i += 1) printf("CLOSURE_TYPE(%d)\n", i);
  for (int i = 0; i < FROZEN_BUCKETS; i += 1) heads[i] = -1;
  for (int i = 0; i < graph.count; i += 1) define_leaf(L, i, graph.things[i]);
  write_boot_strings(L);
  for (int i = 0; i < graph.count; i += 1) declare(i, graph.things[i]);
  write_code();
  write_constants();
  for (int i = 0; i < graph.count; i += 1) define(i, graph.things[i]);
  write_buckets();
  write_buffer_list();
  printf("const TValue frozen_application FROZEN = ");
  printf("{");
  write_payload(root);
  printf(",%d};\nconst uint32_t frozen_build FROZEN = APPLICATION_BUILD;\n", rawtt(root));
  return graph.problem;
}

const char *freeze_lines(lua_State *L) {
  const char *problem = gather(L, s2v(L->top.p - 1));
  if (problem != NULL) return problem;
  for (int i = 0; i < graph.count; i += 1) {
    if (graph.things[i]->tt != LUA_VPROTO) continue;
    const Proto *function = gco2p(graph.things[i]);
    int size = code_size(function);
    for (int j = 0; j < size; j += 1) printf("%d\n", luaG_getfuncline(function, j));
  }
  return NULL;
}
