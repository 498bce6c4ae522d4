/*
 * The part of hal/lua that runs a program, as an addon of Node: the same virtual machine, natives, base functions and
 * number text. Modules of the firmware run here, in one Lua state for a test file.
 */
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "base.h"
#include "bytes.h"
#include "crossing.h"

static lua_State *modules;

/* Not the board's arena: memory of the C library, in which the address sanitizer watches the ends of every buffer. */
static void *allocate(void *unused, void *block, size_t old_size, size_t new_size) {
  (void)unused, (void)old_size;
  if (new_size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, new_size);
}

/* One call from JavaScript: what it brought, and what it gets. */
struct call {
  napi_env env;
  size_t count;
  napi_value values[3];
  napi_value answer;
};

#define MUST(what) crossing_check(call->env, L, what)

static int32_t number_of(struct call *call, lua_State *L, int index) {
  int32_t number = 0;
  MUST(napi_get_value_int32(call->env, call->values[index], &number));
  return number;
}

/* Adds the lines that were being executed to an error, innermost first: device.ts leads them back to TypeScript. */
static int add_lines(lua_State *L) {
  if (crossing_is_exception(L, 1)) return 1;
  char text[300] = "";
  size_t length = 0;
  if (lua_type(L, 1) == LUA_TSTRING) {
    const char *message = lua_tostring(L, 1);
    length = strlen(message) < 160 ? strlen(message) : 160;
    memcpy(text, message, length);
  }
  lua_Debug frame;
  for (int level = 1, lines = 0; lines < 10 && lua_getstack(L, level, &frame); level += 1) {
    if (lua_getinfo(L, "l", &frame) == 0 || frame.currentline <= 0) continue;
    text[length++] = '\n';
    length += (size_t)number_text_integer(text + length, 12, frame.currentline);
    lines += 1;
  }
  lua_pushlstring(L, text, length);
  return 1;
}

static void throw_error(napi_env env, lua_State *L, int status) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) return;
  const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error without a text";
  if (status == LUA_ERRMEM) message = "Lua is out of memory";
  napi_throw_error(env, "LUA", message);
}

/* Runs `body` where Lua's errors are caught, and throws them in JavaScript. */
static napi_value enter(napi_env env, napi_callback_info info, lua_CFunction body) {
  struct call call = {.env = env, .count = 3};
  napi_get_cb_info(env, info, &call.count, call.values, NULL, NULL);
  lua_State *L = modules;
  int top = lua_gettop(L);
  int handles = crossing_open_handles();
  if (!lua_checkstack(L, 20)) {
    napi_throw_error(env, "LUA", "the Lua stack is full");
    return NULL;
  }
  lua_pushcfunction(L, add_lines);
  lua_pushcfunction(L, body);
  lua_pushlightuserdata(L, &call);
  int status = lua_pcall(L, 1, 0, top + 1);
  if (status != LUA_OK) {
    crossing_close_handles(env, handles);
    throw_error(env, L, status);
    call.answer = NULL;
  }
  lua_settop(L, top);
  return call.answer;
}

/* Begins a body: takes the call off the stack. */
static struct call *this_call(lua_State *L) {
  struct call *call = lua_touserdata(L, 1);
  lua_settop(L, 0);
  return call;
}

struct piece {
  const char *bytes;
  size_t size;
};

static const char *give_once(lua_State *L, void *data, size_t *size) {
  (void)L;
  struct piece *piece = data;
  *size = piece->size;
  piece->size = 0;
  return *size == 0 ? NULL : piece->bytes;
}

/* (bytecode, functions of Node): runs the bundle and gives its entry module. The bytecode is kept for ever. */
static int open_body(lua_State *L) {
  struct call *call = this_call(L);
  void *bytes;
  size_t size;
  MUST(napi_get_typedarray_info(call->env, call->values[0], NULL, &size, &bytes, NULL, NULL));
  /* Mode "B" runs it where it lies, and wants it aligned. */
  char *bytecode = aligned_alloc(16, (size + 15) / 16 * 16);
  memcpy(bytecode, bytes, size);
  bytes_open(L);
  bytes_open_natives(L);
  base_open(L);
  crossing_open(call->env, L, call->values[1]);
  struct piece piece = {bytecode, size};
  if (lua_load(L, give_once, &piece, "=modules", "B") != LUA_OK) lua_error(L);
  lua_call(L, 0, 1);
  call->answer = crossing_give(call->env, L, -1);
  return 0;
}

static int get_body(lua_State *L) {
  struct call *call = this_call(L);
  crossing_push_numbered(L, number_of(call, L, 0));
  crossing_push(call->env, L, call->values[1]);
  lua_gettable(L, 1);
  call->answer = crossing_give(call->env, L, -1);
  return 0;
}

static int set_body(lua_State *L) {
  struct call *call = this_call(L);
  crossing_push_numbered(L, number_of(call, L, 0));
  crossing_push(call->env, L, call->values[1]);
  crossing_push(call->env, L, call->values[2]);
  lua_settable(L, 1);
  return 0;
}

static int call_body(lua_State *L) {
  struct call *call = this_call(L);
  crossing_push_numbered(L, number_of(call, L, 0));
  uint32_t count;
  MUST(napi_get_array_length(call->env, call->values[1], &count));
  for (uint32_t i = 0; i < count; i += 1) {
    napi_value value;
    MUST(napi_get_element(call->env, call->values[1], i, &value));
    crossing_push(call->env, L, value);
  }
  lua_call(L, (int)count, 1);
  call->answer = crossing_give(call->env, L, -1);
  return 0;
}

static int keys_body(lua_State *L) {
  struct call *call = this_call(L);
  crossing_push_numbered(L, number_of(call, L, 0));
  MUST(napi_create_array(call->env, &call->answer));
  uint32_t count = 0;
  for (lua_pushnil(L); lua_next(L, 1) != 0; lua_pop(L, 1)) {
    MUST(napi_set_element(call->env, call->answer, count, crossing_give(call->env, L, -2)));
    count += 1;
  }
  return 0;
}

static int length_body(lua_State *L) {
  struct call *call = this_call(L);
  crossing_push_numbered(L, number_of(call, L, 0));
  MUST(napi_create_uint32(call->env, (uint32_t)lua_rawlen(L, 1), &call->answer));
  return 0;
}

static int allocate_body(lua_State *L) {
  struct call *call = this_call(L);
  size_t size = (size_t)number_of(call, L, 0);
  lua_newuserdatauv(L, size, 0);
  lua_getfield(L, LUA_REGISTRYINDEX, "bytes");
  lua_setmetatable(L, 1);
  call->answer = crossing_give(call->env, L, 1);
  return 0;
}

static int forget_body(lua_State *L) {
  struct call *call = this_call(L);
  crossing_forget(L, number_of(call, L, 0));
  return 0;
}

#define ENTRY(name)                                               \
  static napi_value name(napi_env env, napi_callback_info info) { \
    return enter(env, info, name##_body);                         \
  }

ENTRY(get)
ENTRY(set)
ENTRY(call)
ENTRY(keys)
ENTRY(length)
ENTRY(forget)

static napi_value open(napi_env env, napi_callback_info info) {
  modules = lua_newstate(allocate, NULL, 0);
  return enter(env, info, open_body);
}

static napi_value new_buffer(napi_env env, napi_callback_info info) {
  return enter(env, info, allocate_body);
}

static napi_value start(napi_env env, napi_value exports) {
  static const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
      {"open", open}, {"get", get},       {"set", set},           {"call", call},        {"keys", keys},
      {"length", length}, {"forget", forget}, {"allocate", new_buffer},
  };
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i += 1) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}

NAPI_MODULE(moth, start)
