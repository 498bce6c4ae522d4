#include "crossing.h"

#include <math.h>

#include "arguments.h"

/* Places in Lua's registry: their addresses are the keys. */
static const char objects;         /* number -> Lua value that JavaScript has a stand-in of */
static const char object_numbers;  /* the other way round */
static const char foreigners;      /* number -> stand-in of a JavaScript value, while Lua holds it */
static const char foreign_numbers; /* the other way round */
static const char stand_in;        /* the metatable of stand-ins of JavaScript objects */

static const char exception;

static napi_ref node_functions[NODE_FUNCTIONS];
static int32_t next_number = 1;

void crossing_check(napi_env env, lua_State *L, napi_status status) {
  if (status == napi_ok) return;
  if (status == napi_pending_exception) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)&exception);
  } else {
    const napi_extended_error_info *info;
    napi_get_last_error_info(env, &info);
    lua_pushstring(L, info->error_message == NULL ? "a call into Node failed" : info->error_message);
  }
  lua_error(L);
}

bool crossing_is_exception(lua_State *L, int index) {
  return lua_touserdata(L, index) == (const void *)&exception;
}

/* Raises what the result of `status` says, from inside of a function that has `env` and `L`. */
#define MUST(call) crossing_check(env, L, call)

static napi_value ask_node(napi_env env, lua_State *L, enum node_function which, size_t count, const napi_value *values) {
  napi_value function;
  napi_value nobody;
  napi_value answer;
  MUST(napi_get_reference_value(env, node_functions[which], &function));
  MUST(napi_get_undefined(env, &nobody));
  MUST(napi_call_function(env, nobody, function, count, values, &answer));
  return answer;
}

static napi_value give_number(napi_env env, lua_State *L, int32_t number) {
  napi_value value;
  MUST(napi_create_int32(env, number, &value));
  return value;
}

/* --- from Lua to JavaScript --- */

static napi_value give_text(napi_env env, lua_State *L, int index) {
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  napi_value value;
  MUST(napi_create_string_utf8(env, text, length, &value));
  return value;
}

/* The number of a value in one of the tables that lead to numbers; 0: it has none. */
static int32_t number_in(lua_State *L, const char *table, int index) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, table);
  lua_pushvalue(L, index);
  lua_rawget(L, -2);
  int32_t number = (int32_t)lua_tointeger(L, -1);
  lua_pop(L, 2);
  return number;
}

static void enter_both_ways(lua_State *L, const char *numbered, const char *numbers, int index, int32_t number) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, numbered);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, number);
  lua_rawgetp(L, LUA_REGISTRYINDEX, numbers);
  lua_pushvalue(L, index);
  lua_pushinteger(L, number);
  lua_rawset(L, -3);
  lua_pop(L, 2);
}

/* A buffer's memory itself, which JavaScript reads and writes from then on. */
static napi_value give_memory(napi_env env, lua_State *L, int index) {
  napi_value memory;
  size_t length = (size_t)lua_rawlen(L, index);
  if (length == 0) {
    MUST(napi_create_arraybuffer(env, 0, NULL, &memory));
  } else {
    MUST(napi_create_external_arraybuffer(env, lua_touserdata(L, index), length, NULL, NULL, &memory));
  }
  return memory;
}

/* A stand-in of what Lua made. Its kind is 0 for a table, 1 for a function, or a buffer's memory. */
static napi_value give_stand_in(napi_env env, lua_State *L, int index) {
  int32_t foreign = number_in(L, &foreign_numbers, index);
  int32_t number = foreign != 0 ? -foreign : number_in(L, &object_numbers, index);
  bool is_new = number == 0;
  if (is_new) {
    number = next_number++;
    enter_both_ways(L, &objects, &object_numbers, index, number);
  }
  napi_value values[2] = {give_number(env, L, number)};
  if (number > 0 && lua_type(L, index) == LUA_TUSERDATA) {
    /* Node may have let go of the memory's last holder; then this is the next. */
    values[1] = give_memory(env, L, index);
  } else {
    values[1] = give_number(env, L, lua_type(L, index) == LUA_TFUNCTION);
  }
  return ask_node(env, L, NODE_WRAP, 2, values);
}

napi_value crossing_give(napi_env env, lua_State *L, int index) {
  napi_value value;
  index = lua_absindex(L, index);
  if (!lua_checkstack(L, 8)) argument_error(L, "the Lua stack is full");
  switch (lua_type(L, index)) {
    case LUA_TNIL:
      MUST(napi_get_undefined(env, &value));
      return value;
    case LUA_TBOOLEAN:
      MUST(napi_get_boolean(env, lua_toboolean(L, index), &value));
      return value;
    case LUA_TNUMBER:
      if (lua_isinteger(L, index)) return give_number(env, L, (int32_t)lua_tointeger(L, index));
      MUST(napi_create_double(env, (double)lua_tonumber(L, index), &value));
      return value;
    case LUA_TSTRING:
      return give_text(env, L, index);
    default:
      return give_stand_in(env, L, index);
  }
}

/* --- from JavaScript to Lua --- */

static void push_number(napi_env env, lua_State *L, napi_value value) {
  double number;
  MUST(napi_get_value_double(env, value, &number));
  if (number >= INT32_MIN && number <= INT32_MAX && floor(number) == number) {
    lua_pushinteger(L, (lua_Integer)number);
  } else {
    lua_pushnumber(L, (lua_Number)number);
  }
}

static void push_text(napi_env env, lua_State *L, napi_value value) {
  size_t length;
  MUST(napi_get_value_string_utf8(env, value, NULL, 0, &length));
  char *text = lua_newuserdatauv(L, length + 1, 0);
  MUST(napi_get_value_string_utf8(env, value, text, length + 1, &length));
  lua_pushlstring(L, text, length);
  lua_remove(L, -2);
}

static int call_foreign(lua_State *L);

/* Pushes the stand-in of the JavaScript value with a number. */
static void push_foreigner(lua_State *L, int32_t number, bool is_function) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &foreigners);
  bool is_known = lua_rawgeti(L, -1, number) != LUA_TNIL;
  lua_remove(L, -2);
  if (is_known) return;
  lua_pop(L, 1);
  if (is_function) {
    lua_pushinteger(L, number);
    lua_pushcclosure(L, call_foreign, 1);
  } else {
    lua_createtable(L, 0, 0);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &stand_in);
    lua_setmetatable(L, -2);
  }
  enter_both_ways(L, &foreigners, &foreign_numbers, lua_gettop(L), number);
}

void crossing_push(napi_env env, lua_State *L, napi_value value) {
  napi_valuetype type;
  if (!lua_checkstack(L, 8)) argument_error(L, "the Lua stack is full");
  MUST(napi_typeof(env, value, &type));
  if (type == napi_undefined || type == napi_null) {
    lua_pushnil(L);
  } else if (type == napi_boolean) {
    bool truth;
    MUST(napi_get_value_bool(env, value, &truth));
    lua_pushboolean(L, truth);
  } else if (type == napi_number) {
    push_number(env, L, value);
  } else if (type == napi_string) {
    push_text(env, L, value);
  } else {
    int32_t number;
    MUST(napi_get_value_int32(env, ask_node(env, L, NODE_IDENTIFY, 1, &value), &number));
    if (number > 0) {
      crossing_push_numbered(L, number);
    } else {
      push_foreigner(L, -number, type == napi_function);
    }
  }
}

void crossing_push_numbered(lua_State *L, int32_t number) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &objects);
  lua_rawgeti(L, -1, number);
  lua_remove(L, -2);
}

void crossing_forget(lua_State *L, int32_t number) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &objects);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &object_numbers);
  if (lua_rawgeti(L, -2, number) != LUA_TNIL) {
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pushnil(L);
    lua_rawseti(L, -3, number);
  } else {
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
}

/* --- what Lua does with a stand-in --- */

static napi_env node_env;

/*
 * Handles live as long as a call from Lua takes: a board's loop is one call from Node, and must not pile them up. An
 * error leaves them open; crossing_close_handles closes those.
 */
static napi_handle_scope scopes[100];
static int open_scopes;

static void open_handles(napi_env env, lua_State *L) {
  if (open_scopes == sizeof scopes / sizeof scopes[0]) argument_error(L, "Lua and the test call each other too deep");
  MUST(napi_open_handle_scope(env, &scopes[open_scopes]));
  open_scopes += 1;
}

int crossing_open_handles(void) {
  return open_scopes;
}

void crossing_close_handles(napi_env env, int left) {
  while (open_scopes > left) {
    open_scopes -= 1;
    napi_close_handle_scope(env, scopes[open_scopes]);
  }
}

#define FROM_LUA(env)      \
  napi_env env = node_env; \
  open_handles(env, L)
#define BACK_TO_LUA(env) crossing_close_handles(env, open_scopes - 1)

static napi_value give_self(napi_env env, lua_State *L) {
  return give_number(env, L, -number_in(L, &foreign_numbers, 1));
}

static int get_foreign(lua_State *L) {
  FROM_LUA(env);
  const napi_value values[] = {give_self(env, L), crossing_give(env, L, 2)};
  crossing_push(env, L, ask_node(env, L, NODE_GET, 2, values));
  BACK_TO_LUA(env);
  return 1;
}

static int set_foreign(lua_State *L) {
  FROM_LUA(env);
  const napi_value values[] = {give_self(env, L), crossing_give(env, L, 2), crossing_give(env, L, 3)};
  ask_node(env, L, NODE_SET, 3, values);
  BACK_TO_LUA(env);
  return 0;
}

static int length_of_foreign(lua_State *L) {
  FROM_LUA(env);
  const napi_value self = give_self(env, L);
  crossing_push(env, L, ask_node(env, L, NODE_LENGTH, 1, &self));
  BACK_TO_LUA(env);
  return 1;
}

#define MOST_ARGUMENTS 12

static int call_foreign(lua_State *L) {
  FROM_LUA(env);
  int count = lua_gettop(L);
  if (count > MOST_ARGUMENTS) argument_error(L, "too many arguments for a function of the test");
  napi_value values[2];
  values[0] = give_number(env, L, -(int32_t)lua_tointeger(L, lua_upvalueindex(1)));
  MUST(napi_create_array_with_length(env, (size_t)count, &values[1]));
  for (int i = 0; i < count; i += 1) {
    MUST(napi_set_element(env, values[1], (uint32_t)i, crossing_give(env, L, i + 1)));
  }
  crossing_push(env, L, ask_node(env, L, NODE_CALL, 2, values));
  BACK_TO_LUA(env);
  return 1;
}

/* `pairs` of a stand-in walks over a copy of its keys; of anything else it is the runtime's own. */
static int next_of_foreign(lua_State *L) {
  lua_Integer at = lua_tointeger(L, lua_upvalueindex(3)) + 1;
  lua_pushinteger(L, at);
  lua_copy(L, -1, lua_upvalueindex(3));
  if (lua_rawgeti(L, lua_upvalueindex(2), at) == LUA_TNIL) return 1;
  lua_pushvalue(L, -1);
  lua_gettable(L, lua_upvalueindex(1));
  return 2;
}

static void push_keys_of_foreign(lua_State *L) {
  FROM_LUA(env);
  const napi_value self = give_self(env, L);
  napi_value keys = ask_node(env, L, NODE_KEYS, 1, &self);
  uint32_t count;
  MUST(napi_get_array_length(env, keys, &count));
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i += 1) {
    napi_value key;
    MUST(napi_get_element(env, keys, i, &key));
    crossing_push(env, L, key);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  BACK_TO_LUA(env);
}

static int pairs_of_anything(lua_State *L) {
  lua_settop(L, 1);
  if (!lua_istable(L, 1) || number_in(L, &foreign_numbers, 1) == 0) {
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 3);
    return 3;
  }
  push_keys_of_foreign(L);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, next_of_foreign, 3);
  return 1;
}

static void make_registry_table(lua_State *L, const char *place, const char *mode) {
  lua_createtable(L, 0, 0);
  if (mode != NULL) {
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, place);
}

void crossing_open(napi_env env, lua_State *L, napi_value functions) {
  static const char *const names[NODE_FUNCTIONS] = {"wrap", "identify", "get", "set", "keys", "length", "call"};
  node_env = env;
  for (int i = 0; i < NODE_FUNCTIONS; i += 1) {
    napi_value function;
    MUST(napi_get_named_property(env, functions, names[i], &function));
    MUST(napi_create_reference(env, function, 1, &node_functions[i]));
  }
  make_registry_table(L, &objects, NULL);
  make_registry_table(L, &object_numbers, NULL);
  make_registry_table(L, &foreigners, "v");
  make_registry_table(L, &foreign_numbers, "k");

  static const struct function stand_in_functions[] = {
      {"__index", get_foreign}, {"__newindex", set_foreign}, {"__len", length_of_foreign}};
  lua_createtable(L, 0, 3);
  SET_FUNCTIONS(L, stand_in_functions);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &stand_in);

  lua_getglobal(L, "pairs");
  lua_pushcclosure(L, pairs_of_anything, 1);
  lua_setglobal(L, "pairs");
}
