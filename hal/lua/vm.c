/*
 * Lua's virtual machine with one short cut: an integer index into a buffer is answered here and now, as one into a
 * table is. Through the metamethod a byte costs 335 instructions on x86, this way about 20. What lies outside of the
 * buffer still goes the long way and ends in an error.
 *
 * The two macros that lvm.c uses for an integer index are replaced, lvm.c itself is as it came.
 */
#define lvm_c
#define LUA_CORE

#include "lua.h"

#include "lapi.h"
#include "ltable.h"
#include "lvm.h"

#define WITHIN(value, index) \
  (ttisfulluserdata(value) && l_castS2U(index) < (lua_Unsigned)uvalue(value)->len)

#undef luaV_fastgeti
#define luaV_fastgeti(t, k, res, tag)                                        \
  if (l_likely(ttistable(t))) {                                              \
    luaH_fastgeti(hvalue(t), k, res, tag);                                   \
  } else if (WITHIN(t, k)) {                                                 \
    setivalue(res, ((const lu_byte *)getudatamem(uvalue(t)))[l_castS2U(k)]); \
    tag = LUA_VNUMINT;                                                       \
  } else {                                                                   \
    tag = LUA_VNOTABLE;                                                      \
  }

#undef luaV_fastseti
#define luaV_fastseti(t, k, val, hres)                                               \
  if (l_likely(ttistable(t))) {                                                      \
    luaH_fastseti(hvalue(t), k, val, hres);                                          \
  } else if (WITHIN(t, k) && ttisinteger(val)) {                                     \
    ((lu_byte *)getudatamem(uvalue(t)))[l_castS2U(k)] = cast_byte(ivalue(val) & 255); \
    hres = HOK;                                                                      \
  } else {                                                                           \
    hres = HNOTATABLE;                                                               \
  }

/*
 * Lua notes down where it is before it calls whatever may raise an error, but not before it makes a table. Here that
 * is an error once the board is sealed, and the crash record has to name its line.
 */
#define luaH_new(L) (savepc(ci), luaH_new(L))

#undef lvm_c
#undef LUA_CORE
#include "lvm.c"
