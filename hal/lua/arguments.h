/*
 * Arguments and results of C functions, read straight from Lua's stack: a board spends much of its time in small
 * native calls, and lua_tointeger and its like would double their cost.
 *
 * A wrong kind of argument is a bug in the program: it raises a Lua error that ends in a crash record with the line.
 */
#ifndef MOTH_ARGUMENTS_H
#define MOTH_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lua.h"

#include "lobject.h"
#include "lstate.h"
#include "lvm.h"

/* Raises `message`, a string literal. Allocates nothing when the message is one that bytes_open has named before. */
_Noreturn void argument_error(lua_State *L, const char *message);

extern const char NOT_A_NUMBER[];
extern const char NOT_A_BUFFER[];
extern const char NOT_A_TEXT[];
extern const char OUT_OF_RANGE[];

struct bytes {
  uint8_t *at;
  int32_t length;
};

struct text {
  const char *at;
  int32_t length;
};

/* Argument `index`, from 1. One that the caller left out is an error, as a wrong one is. */
static inline const TValue *argument(lua_State *L, int index) {
  StkId slot = L->ci->func.p + index;
  if (slot >= L->top.p) argument_error(L, NOT_A_NUMBER);
  return s2v(slot);
}

static inline int32_t integer_argument(lua_State *L, int index) {
  const TValue *value = argument(L, index);
  if (ttisinteger(value)) return ivalue(value);
  lua_Integer whole;
  if (!luaV_tointegerns(value, &whole, F2Ieq)) argument_error(L, NOT_A_NUMBER);
  return whole;
}

/* The size of a buffer, 1 to 65535. */
static inline int32_t size_argument(lua_State *L, int index) {
  int32_t size = integer_argument(L, index);
  if (size < 1 || size > UINT16_MAX) argument_error(L, OUT_OF_RANGE);
  return size;
}

/* A new buffer of `size` bytes, all 0, on top of the stack. */
struct bytes new_bytes(lua_State *L, int32_t size);

/* What is neither false nor nil is true. */
static inline bool boolean_argument(lua_State *L, int index) {
  return !l_isfalse(argument(L, index));
}

/* Every full userdata in this runtime is a buffer. */
static inline struct bytes bytes_argument(lua_State *L, int index) {
  const TValue *value = argument(L, index);
  if (!ttisfulluserdata(value)) argument_error(L, NOT_A_BUFFER);
  Udata *udata = uvalue(value);
  return (struct bytes){(uint8_t *)getudatamem(udata), (int32_t)udata->len};
}

static inline struct text text_argument(lua_State *L, int index) {
  const TValue *value = argument(L, index);
  if (!ttisstring(value)) argument_error(L, NOT_A_TEXT);
  size_t length;
  const char *at = getlstr(tsvalue(value), length);
  return (struct text){at, (int32_t)length};
}

/* The `count` bytes at `at`, or an error when they do not all lie within the buffer. */
static inline uint8_t *range(lua_State *L, struct bytes bytes, int32_t at, int32_t count) {
  if (at < 0 || count < 0 || at > bytes.length || count > bytes.length - at) argument_error(L, OUT_OF_RANGE);
  return bytes.at + at;
}

/* The range that three arguments from `index` on tell: buffer, offset, count. */
static inline uint8_t *range_argument(lua_State *L, int index, int32_t count) {
  return range(L, bytes_argument(L, index), integer_argument(L, index + 1), count);
}

static inline int give_integer(lua_State *L, int32_t value) {
  setivalue(s2v(L->top.p), value);
  L->top.p += 1;
  return 1;
}

static inline int give_boolean(lua_State *L, bool value) {
  if (value) {
    setbtvalue(s2v(L->top.p));
  } else {
    setbfvalue(s2v(L->top.p));
  }
  L->top.p += 1;
  return 1;
}

/* A name and the C function behind it. */
struct function {
  const char *name;
  lua_CFunction call;
};

/* Puts functions into the table on top of the stack. */
void set_functions(lua_State *L, const struct function *functions, int count);

#define SET_FUNCTIONS(L, functions) set_functions(L, functions, (int)(sizeof(functions) / sizeof((functions)[0])))

#endif
