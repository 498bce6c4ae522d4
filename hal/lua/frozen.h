/*
 * The words of a frozen program: C that compiler/freeze.c writes, in the layout of the chip's own Lua, since the chip's
 * own compiler reads it.
 *
 * What is FROZEN is never written to. Lua's collector passes by what is neither white nor in its lists, and no
 * collection is run anyway; the links between the strings of a bucket are made when the program is frozen. What may
 * change lies in RAM: variables of modules, buffers, and arrays, in which Lua notes where they end.
 */
#ifndef MOTH_FROZEN_H
#define MOTH_FROZEN_H

#include <stdint.h>

#include "lua.h"

#include "lgc.h"
#include "lobject.h"
#include "lstate.h"
#include "ltable.h"

#include "frozen-table.h"
#include "natives.h"

#define FROZEN __attribute__((section(".application")))
#define FROZEN_MARK bitmask(BLACKBIT)

extern const TString *const frozen_buckets[FROZEN_BUCKETS];
/* What the application's file exports by default. */
extern const TValue frozen_application;
extern const uint32_t frozen_build;

/* A buffer that a module made while it was set up. It comes empty; the runtime makes it one of Lua's. */
struct frozen_buffer {
  Udata0 header;
};
/* All of them, NULL after the last, and their sizes. */
extern struct frozen_buffer *const frozen_buffers[];
extern const size_t frozen_buffer_sizes[];

/* The upvalue through which functions see the globals; the runtime sets it. */
extern UpVal frozen_globals;

/* What stands for the link of the collector's lists, where there is one (short-function.h). */
#ifdef NO_GCLIST
#define GCLIST {}
#else
#define GCLIST NULL
#endif

#define THING(name) {.gc = (GCObject *)&name}

/* A short string carries its text where a long one has the address of it. */
#define SHORT_STRING(name, length, its_hash, next_in_bucket, text) \
  static const struct {                                            \
    CommonHeader;                                                  \
    lu_byte extra;                                                 \
    ls_byte shrlen;                                                \
    unsigned int hash;                                             \
    union {                                                        \
      size_t lnglen;                                               \
      struct TString *hnext;                                       \
    } u;                                                           \
    char contents[(length) + 1];                                   \
  } name FROZEN = {NULL, LUA_VSHRSTR, FROZEN_MARK, 0, (length), its_hash, {.hnext = next_in_bucket}, text};

/* The hash is there already (extra): Lua would write it down when it is first needed. */
#define LONG_STRING(name, length, its_hash, text)            \
  static const char name##_text[(length) + 1] FROZEN = text; \
  static const TString name FROZEN = {                       \
      NULL, LUA_VLNGSTR, FROZEN_MARK, 1, LSTRFIX, its_hash, {.lnglen = (length)}, (char *)name##_text, NULL, NULL};

/* Its first bytes lie within the header's last member. */
#define BUFFER(name, size)  \
  static union {            \
    Udata0 header;          \
    char room[offsetof(Udata0, bindata) + (size)]; \
  } name;

/*
 * What a function begins with, and how far it goes: one that makes no closures ends with its instructions, and one that
 * no closure will be made of without a list of upvalues. Lua reads nothing of what is not there (short-function.h).
 */
#ifdef BOARD_LOADS_BYTECODE
#define FUNCTION_TYPE Proto
#define MAKER_TYPE Proto
#define INNER_TYPE Proto
#define NAMELESS .upvalues = (Upvaldesc *)frozen_nameless,
#else
#define FUNCTION_HEAD   \
  CommonHeader;         \
  lu_byte numparams;    \
  lu_byte flag;         \
  lu_byte maxstacksize; \
  int sizeupvalues : 9; \
  TValue *k;            \
  Instruction *code
struct function {
  FUNCTION_HEAD;
};
struct maker_function {
  FUNCTION_HEAD;
  struct Proto **p;
};
struct inner_function {
  FUNCTION_HEAD;
  struct Proto **p;
  Upvaldesc *upvalues;
};
_Static_assert(offsetof(struct inner_function, k) == offsetof(Proto, k), "a function begins as Lua has it");
_Static_assert(offsetof(struct inner_function, upvalues) == offsetof(Proto, upvalues), "a function goes on as Lua has it");
#define FUNCTION_TYPE struct function
#define MAKER_TYPE struct maker_function
#define INNER_TYPE struct inner_function
#define NAMELESS
#endif

struct closed_function {
  ClosureHeader;
  FUNCTION_TYPE function;
};
struct closed_maker {
  ClosureHeader;
  MAKER_TYPE function;
};
_Static_assert(offsetof(struct closed_function, function) == offsetof(LClosure, p), "the link stands where the pointer is");

#define FUNCTION_FIELDS(number, link, parameters, flags, slots, upvalue_count, constants_at, code_at, ...)    \
  {                                                                                                           \
    .next = (GCObject *)(link), .tt = LUA_VPROTO, .marked = FROZEN_MARK, .numparams = parameters,             \
    .flag = (flags) | PF_FIXED, .maxstacksize = slots, .sizeupvalues = upvalue_count,                         \
    .k = (TValue *)constants + (constants_at), .code = (Instruction *)frozen_code + (code_at), __VA_ARGS__    \
  }
#define FUNCTION(number, type, ...) static const type x##number FROZEN = FUNCTION_FIELDS(number, NULL, __VA_ARGS__);
#define INNER(number) .p = (struct Proto **)inner##number,
#define UPVALUES(number) .upvalues = (Upvaldesc *)upvalues##number,

/*
 * A closure without upvalues and its function, when nothing else is made of that: where the closure points to the
 * function, the function has its link to the next thing, which nobody follows. One word is both.
 */
#define CLOSED(name, number, type, ...)                             \
  static const struct type name FROZEN __attribute__((aligned(8))) = { \
      NULL, LUA_VLCL, FROZEN_MARK, 0, GCLIST, FUNCTION_FIELDS(number, &name.function, __VA_ARGS__)};

/* The instructions of all functions, one after the other. */
extern const Instruction frozen_code[];

/* Upvalues without names: as many as any function has. */
extern const Upvaldesc frozen_nameless[];

/* A closure has as many upvalues as it has. */
#define CLOSURE_TYPE(count) \
  struct closure##count {   \
    ClosureHeader;          \
    const Proto *p;         \
    const UpVal *up[count]; \
  };
#define CLOSURE(name, count, function, ...)                                                      \
  static const struct closure##count name FROZEN = {                                             \
      NULL, LUA_VLCL, FROZEN_MARK, count, GCLIST, (const Proto *)&function, {__VA_ARGS__}};

#define UPVALUE(name, payload, tag) {NULL, LUA_VUPVAL, FROZEN_MARK, {(TValue *)&name.u.value}, {.value = {payload, tag}}}

#define NO_NODE \
  { {{NULL}, LUA_VEMPTY, LUA_TDEADKEY, 0, {NULL}} }
static const Node no_node FROZEN __attribute__((unused)) = NO_NODE;

#define TABLE(name, flag_bits, node_bits, array_size, array_at, nodes_at)                                       \
  static const Table name FROZEN = {NULL,       LUA_VTABLE,        FROZEN_MARK,      (flag_bits), (node_bits),  \
                                    array_size, (Value *)array_at, (Node *)nodes_at, NULL,        GCLIST};

#endif
