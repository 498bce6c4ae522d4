#include "bytes.h"

#include <math.h>
#include <string.h>

#include "arguments.h"
#include "natives.h"
#include "utf8-check.h"

const char NOT_A_NUMBER[] = "not an integer";
const char NOT_A_BUFFER[] = "not a buffer";
const char NOT_A_TEXT[] = "not a text";
const char OUT_OF_RANGE[] = "outside of a buffer";

void argument_error(lua_State *L, const char *message) {
  lua_pushstring(L, message);
  lua_error(L);
  __builtin_unreachable();
}

void set_functions(lua_State *L, const struct function *functions, int count) {
  for (int i = 0; i < count; i += 1) {
    lua_pushcfunction(L, functions[i].call);
    lua_setfield(L, -2, functions[i].name);
  }
}

struct bytes new_bytes(lua_State *L, int32_t size) {
  uint8_t *at = memset(lua_newuserdatauv(L, (size_t)size, 0), 0, (size_t)size);
  lua_getfield(L, LUA_REGISTRYINDEX, "bytes");
  lua_setmetatable(L, -2);
  return (struct bytes){at, size};
}

int native_allocate(lua_State *L) {
  new_bytes(L, size_argument(L, 1));
  return 1;
}

int native_byteAt(lua_State *L) {
  return give_integer(L, *range_argument(L, 1, 1));
}

int native_u16At(lua_State *L) {
  const uint8_t *two = range_argument(L, 1, 2);
  return give_integer(L, two[0] << 8 | two[1]);
}

int native_findU16(lua_State *L) {
  int32_t count = integer_argument(L, 3);
  int32_t value = integer_argument(L, 4);
  if (count < 0 || count > INT32_MAX / 2) count = INT32_MAX / 2;
  const uint8_t *list = range_argument(L, 1, 2 * count);
  for (int32_t place = 0; place < count; place += 1) {
    if ((list[2 * place] << 8 | list[2 * place + 1]) == value) return give_integer(L, place);
  }
  return give_integer(L, -1);
}

int native_putU16(lua_State *L) {
  uint8_t *two = range_argument(L, 1, 2);
  int32_t value = integer_argument(L, 3);
  two[0] = (uint8_t)(value >> 8);
  two[1] = (uint8_t)value;
  return 0;
}

int native_copy(lua_State *L) {
  int32_t count = integer_argument(L, 5);
  const uint8_t *from = range_argument(L, 1, count);
  memmove(range_argument(L, 3, count), from, (size_t)count);
  return 0;
}

int native_find(lua_State *L) {
  int32_t count = integer_argument(L, 3);
  const uint8_t *from = range_argument(L, 1, count);
  const uint8_t *found = count == 0 ? NULL : memchr(from, integer_argument(L, 4) & 255, (size_t)count);
  return give_integer(L, found == NULL ? -1 : integer_argument(L, 2) + (int32_t)(found - from));
}

int native_same(lua_State *L) {
  int32_t count = integer_argument(L, 5);
  const uint8_t *a = range_argument(L, 1, count);
  const uint8_t *b = range_argument(L, 3, count);
  return give_boolean(L, memcmp(a, b, (size_t)count) == 0);
}

int native_putText(lua_State *L) {
  struct text text = text_argument(L, 3);
  memcpy(range_argument(L, 1, text.length), text.at, (size_t)text.length);
  return give_integer(L, text.length);
}

int native_textLength(lua_State *L) {
  return give_integer(L, text_argument(L, 1).length);
}

int native_isText(lua_State *L) {
  int32_t count = integer_argument(L, 3);
  const uint8_t *bytes = range_argument(L, 1, count);
  struct text text = text_argument(L, 4);
  return give_boolean(L, count == text.length && memcmp(bytes, text.at, (size_t)count) == 0);
}

int native_startsWith(lua_State *L) {
  int32_t count = integer_argument(L, 3);
  const uint8_t *bytes = range_argument(L, 1, count);
  struct text text = text_argument(L, 4);
  return give_boolean(L, count >= text.length && memcmp(bytes, text.at, (size_t)text.length) == 0);
}

int native_putDecimal(lua_State *L) {
  int32_t value = integer_argument(L, 3);
  uint8_t digits[11];
  int32_t count = 0;
  uint32_t rest = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
  do {
    digits[count++] = (uint8_t)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (value < 0) digits[count++] = '-';
  uint8_t *into = range_argument(L, 1, count);
  for (int32_t i = 0; i < count; i += 1) into[i] = digits[count - 1 - i];
  return give_integer(L, count);
}

int native_decimalAt(lua_State *L) {
  int32_t count = integer_argument(L, 3);
  if (count < 1 || count > 10) return give_integer(L, -1);
  const uint8_t *digits = range_argument(L, 1, count);
  int64_t value = 0;
  for (int32_t i = 0; i < count; i += 1) {
    if (digits[i] < '0' || digits[i] > '9') return give_integer(L, -1);
    value = value * 10 + (digits[i] - '0');
  }
  return give_integer(L, value > INT32_MAX ? -1 : (int32_t)value);
}

int native_isUtf8(lua_State *L) {
  int32_t count = integer_argument(L, 3);
  return give_boolean(L, utf8_check(range_argument(L, 1, count), (size_t)count));
}

static bool holds(const uint8_t *text, int32_t count, int32_t byte) {
  return count > 0 && memchr(text, byte & 255, (size_t)count) != NULL;
}

int native_isUtf8Without(lua_State *L) {
  int32_t count = integer_argument(L, 3);
  const uint8_t *text = range_argument(L, 1, count);
  bool without = !holds(text, count, integer_argument(L, 4)) && !holds(text, count, integer_argument(L, 5));
  return give_boolean(L, without && utf8_check(text, (size_t)count));
}

/* '+' stands for a level, '#' for all that follow, and for the '/' before it. In a filter they stand alone. */
static bool filter_matches(const uint8_t *filter, int32_t filter_count, const uint8_t *topic, int32_t count) {
  if (filter_count == count && memcmp(filter, topic, (size_t)count) == 0) return true;
  if ((filter[0] == '+' || filter[0] == '#') && count > 0 && topic[0] == '$') return false;
  const uint8_t *filter_end = filter + filter_count;
  const uint8_t *end = topic + count;
  while (filter < filter_end) {
    if (*filter == '#') return true;
    if (*filter == '+') {
      while (topic < end && *topic != '/') topic += 1;
    } else if (topic == end) {
      return filter_end - filter == 2 && filter[1] == '#';
    } else if (*topic++ != *filter) {
      return false;
    }
    filter += 1;
  }
  return topic == end;
}

int native_matchFilter(lua_State *L) {
  struct bytes filters = bytes_argument(L, 1);
  int32_t from = integer_argument(L, 2);
  int32_t count = integer_argument(L, 5);
  const uint8_t *topic = range_argument(L, 3, count);
  int32_t next = 0;
  for (int32_t place = 0;; place += 1) {
    const uint8_t *two = range(L, filters, next, 2);
    int32_t length = two[0] << 8 | two[1];
    if (length == 0) return give_integer(L, -1);
    const uint8_t *filter = range(L, filters, next + 2, length);
    if (place >= from && filter_matches(filter, length, topic, count)) return give_integer(L, place);
    next += 2 + length;
  }
}

int native_textAt(lua_State *L) {
  int32_t count = integer_argument(L, 3);
  lua_pushlstring(L, (const char *)range_argument(L, 1, count), (size_t)count);
  return 1;
}

/* Halves away from 0. */
int native_round(lua_State *L) {
  const TValue *value = argument(L, 1);
  if (ttisinteger(value)) return give_integer(L, ivalue(value));
  if (!ttisfloat(value)) argument_error(L, NOT_A_NUMBER);
  float number = fltvalue(value);
  /* Written so that what is not a number fails, too. */
  if (!(number >= -2147483648.0f && number < 2147483648.0f)) argument_error(L, NOT_A_NUMBER);
  int32_t whole = (int32_t)number;
  float rest = number - (float)whole;
  return give_integer(L, whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0));
}

#define ENTRY(name) {#name, native_##name},
static const struct function natives[] = {NATIVES(ENTRY)};
#undef ENTRY

/* vm.c answers an integer key that lies within the buffer; what it does not answer comes here. */
static int index_bytes(lua_State *L) {
  struct bytes bytes = bytes_argument(L, 1);
  const TValue *key = argument(L, 2);
  if (ttisstring(key)) {
    struct text name = text_argument(L, 2);
    if (name.length == 6 && memcmp(name.at, "length", 6) == 0) return give_integer(L, bytes.length);
    argument_error(L, OUT_OF_RANGE);
  }
  return give_integer(L, *range(L, bytes, integer_argument(L, 2), 1));
}

static int set_index_bytes(lua_State *L) {
  uint8_t *byte = range_argument(L, 1, 1);
  *byte = (uint8_t)integer_argument(L, 3);
  return 0;
}

static const struct function index_functions[] = {{"__index", index_bytes}, {"__newindex", set_index_bytes}};

void bytes_open(lua_State *L) {
  lua_createtable(L, 0, 2);
  SET_FUNCTIONS(L, index_functions);
  lua_setfield(L, LUA_REGISTRYINDEX, "bytes");

  /* Interned for good, so that raising one after the seal allocates nothing. */
  static const char *const messages[] = {NOT_A_NUMBER, NOT_A_BUFFER, NOT_A_TEXT, OUT_OF_RANGE};
  lua_createtable(L, 4, 0);
  for (int i = 0; i < 4; i += 1) {
    lua_pushstring(L, messages[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, LUA_REGISTRYINDEX, "messages");
}

void bytes_open_natives(lua_State *L) {
  lua_createtable(L, 0, (int)(sizeof natives / sizeof natives[0]));
  SET_FUNCTIONS(L, natives);
  lua_setglobal(L, "moth");
}
