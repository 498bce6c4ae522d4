/*
 * Read before every file of Lua's (gcc -include): 32-bit numbers, and our own text of numbers, so that neither printf
 * nor strtod of the C library comes along. Lua's own luaconf.h is read here first; where it is read again, its guard
 * makes it nothing.
 */
#ifndef MOTH_LUA_CONFIG_H
#define MOTH_LUA_CONFIG_H

#define LUA_32BITS

/* A depth of Lua or C calls that a board's loop never needs, and that its C stack can bear. */
#define LUAI_MAXCCALLS 60
/* Slots of the Lua stack; only a runaway recursion wants more. */
#define LUAI_MAXSTACK 4000
/* The table of strings begins as it will be: what Lua would begin with is larger. */
#define MINSTRTABSIZE FROZEN_BUCKETS
/* C names strings at boot; later only the loop does, and always the same. */
#define STRCACHE_N 4
#define STRCACHE_M 1
/* Text is never a number in device code, and a number becomes text at boot only. */
#define LUA_NOCVTS2N

#include "luaconf.h"

#include "frozen-table.h"
#include "number-text.h"

#undef l_sprintf
#define l_sprintf(into, size, format, value) number_text(into, size, value)
#undef lua_pointer2str
#define lua_pointer2str(into, size, value) number_text(into, size, (intptr_t)(value))
#undef lua_str2number
#define lua_str2number(text, end) text_number(text, end)
#undef lua_strx2number
#define lua_strx2number(text, end) text_number(text, end)
#undef lua_getlocaledecpoint
#define lua_getlocaledecpoint() '.'

/* A chip would carry 2 KB for `**`, which device code has no use for. */
#define luai_numpow(L, a, b) ((void)(a), (void)(b), luaG_runerror(L, "no ** on a board"), 0)

#ifndef BOARD_LOADS_BYTECODE
#include "short-function.h"
#endif

#endif
