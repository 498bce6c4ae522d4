/*
 * Lua's virtual machine with short cuts. The first: an integer index into a buffer is answered here and now, as one into a
 * table is. Through the metamethod a byte costs 335 instructions on x86, this way about 20. What lies outside of the
 * buffer still goes the long way and ends in an error.
 *
 * What lvm.c uses for that is replaced by macros, lvm.c itself is as it came.
 */
#define lvm_c
#define LUA_CORE

#include "lua.h"

#include "lapi.h"
#include "ldo.h"
#include "lgc.h"
#include "lstate.h"
#include "lstring.h"
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

/* A name that lies in its own place in the table, as most do, is found without a call. */
static inline lu_byte get_name(Table *t, TString *key, TValue *res) {
  const Node *node = gnode(t, lmod(key->hash, sizenode(t)));
  if (l_likely(keyisshrstr(node) && keystrval(node) == key)) {
    const TValue *value = gval(node);
    if (l_likely(!ttisnil(value))) setobj((lua_State *)NULL, res, value);
    return ttypetag(value);
  }
  return luaH_getshortstr(t, key, res);
}
#define luaH_getshortstr get_name

/* And so is one that has a value already when it is given another. */
static inline int set_name(Table *t, TString *key, TValue *value) {
  Node *node = gnode(t, lmod(key->hash, sizenode(t)));
  if (l_likely(keyisshrstr(node) && keystrval(node) == key && !ttisnil(gval(node)))) {
    setobj((lua_State *)NULL, gval(node), value);
    return HOK;
  }
  return luaH_psetshortstr(t, key, value);
}
#define luaH_psetshortstr set_name

/*
 * As luaD_precall calls a C function that finds its room and its call record there already, and of which nothing or one
 * result is wanted. All but a watchdog's hook, which is told of returns: it may come while the function runs.
 */
static inline void call_native(lua_State *L, StkId func, int results, CallInfo *ci) {
  ci->func.p = func;
  ci->callstatus = (unsigned)(results + 1) | CIST_C;
  ci->top.p = L->top.p + LUA_MINSTACK;
  L->ci = ci;
  int count = fvalue(s2v(func))(L);
  if (l_unlikely(L->hookmask || results < 0 || results > 1)) {
    luaD_poscall(L, ci, count);
    return;
  }
  StkId into = ci->func.p;
  if (results == 1) {
    if (count == 0) {
      setnilvalue(s2v(into));
    } else {
      setobjs2s(L, into, L->top.p - count);
    }
    into += 1;
  }
  L->top.p = into;
  L->ci = ci->previous;
}

/* As luaD_precall does it, for a function that finds its room and its call record there already. */
static inline CallInfo *enter(lua_State *L, StkId func, int results) {
  CallInfo *ci = L->ci->next;
  if (l_likely(ttypetag(s2v(func)) == LUA_VLCL)) {
    Proto *p = clLvalue(s2v(func))->p;
    int size = p->maxstacksize;
    if (l_likely(L->stack_last.p - L->top.p > size && ci != NULL)) {
      L->ci = ci;
      ci->func.p = func;
      ci->callstatus = (unsigned)(results + 1);
      ci->top.p = func + 1 + size;
      ci->u.l.savedpc = p->code;
      for (StkId end = func + 1 + p->numparams; L->top.p < end;) setnilvalue(s2v(L->top.p++));
      return ci;
    }
  } else if (ttislcf(s2v(func)) && L->stack_last.p - L->top.p > LUA_MINSTACK && ci != NULL) {
    call_native(L, func, results, ci);
    return NULL;
  }
  return luaD_precall(L, func, results);
}
#define luaD_precall enter

#undef lvm_c
#undef LUA_CORE
#include "lvm.c"
