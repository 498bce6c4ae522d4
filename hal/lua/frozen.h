/*
 * The words of a frozen program: C that compiler/freeze.c writes, in the layout of the chip's own Lua, since the chip's
 * own compiler reads it.
 *
 * Nothing of it is ever written to. Lua's collector passes by what is neither white nor in its lists; the links between
 * the strings of a bucket are made when the program is frozen.
 */
#ifndef MOTH_FROZEN_H
#define MOTH_FROZEN_H

#define LUA_CORE

#include <stdint.h>

#include "lua.h"

#include "lgc.h"
#include "lobject.h"
#include "lstate.h"

#include "frozen-table.h"

#define FROZEN __attribute__((section(".application")))
#define FROZEN_MARK bitmask(BLACKBIT)

extern const TString *const frozen_buckets[FROZEN_BUCKETS];
extern const Proto *const frozen_main;
extern const uint32_t frozen_build;

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

#define NIL {.tt_ = LUA_VNIL}
#define FALSE {.tt_ = LUA_VFALSE}
#define TRUE {.tt_ = LUA_VTRUE}
#define INTEGER(value) {.value_ = {.i = (value)}, .tt_ = LUA_VNUMINT}
#define FLOAT(value) {.value_ = {.n = (value)}, .tt_ = LUA_VNUMFLT}
#define SHORT(name) {.value_ = {.gc = (GCObject *)&name}, .tt_ = ctb(LUA_VSHRSTR)}
#define LONG(name) {.value_ = {.gc = (GCObject *)&name}, .tt_ = ctb(LUA_VLNGSTR)}

#define FUNCTION(name, number, parameters, flags, slots, upvalue_count, constant_count, code_size, line_count, \
                 inner_count, mark_count, line)                                                                \
  static const Proto name FROZEN = {                                                                           \
      .tt = LUA_VPROTO,                                                                                        \
      .marked = FROZEN_MARK,                                                                                   \
      .numparams = parameters,                                                                                 \
      .flag = (flags) | PF_FIXED,                                                                              \
      .maxstacksize = slots,                                                                                   \
      .sizeupvalues = upvalue_count,                                                                           \
      .sizek = constant_count,                                                                                 \
      .sizecode = code_size,                                                                                   \
      .sizelineinfo = line_count,                                                                              \
      .sizep = inner_count,                                                                                    \
      .sizeabslineinfo = mark_count,                                                                           \
      .linedefined = line,                                                                                     \
      .k = (TValue *)constants##number,                                                                        \
      .code = (Instruction *)code##number,                                                                     \
      .p = (struct Proto **)inner##number,                                                                     \
      .upvalues = (Upvaldesc *)upvalues##number,                                                               \
      .lineinfo = (ls_byte *)lines##number,                                                                    \
      .abslineinfo = (AbsLineInfo *)marks##number,                                                             \
  };

/* The build says who it is. */
#define MAIN(name)                             \
  const Proto *const frozen_main FROZEN = &name; \
  const uint32_t frozen_build FROZEN = APPLICATION_BUILD;

#endif
