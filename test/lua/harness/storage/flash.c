/*
 * hal/lua/storage.c over a flash whose power a test cuts, as an addon of Node. The flash is an array of the test's, so
 * it outlives the cut.
 */
#include <setjmp.h>
#include <string.h>

#include <node_api.h>

#include "port.h"
#include "storage.h"

#define UNIT 8u

/* What a write that the power failed in leaves: nothing, the first half, or all of it. */
enum cut_style { NOTHING, HALF, ALL };

static uint8_t *areas;
static uint32_t area_size;
static uint32_t writes;
static uint32_t cut_at;
static enum cut_style style;
/* Erases since power-on. */
static uint32_t erases;
/* Units that were programmed without having been erased: chips with error correction refuse that. */
static uint32_t overwritten;
static jmp_buf power_cut;

static bool power_fails(void) {
  writes += 1;
  return writes == cut_at;
}

static uint32_t left_of(uint32_t size) {
  return style == NOTHING ? 0 : style == HALF ? size / 2 : size;
}

uint32_t port_flash_size(void) {
  return area_size;
}

const uint8_t *port_flash_at(uint32_t area) {
  return areas + area * area_size;
}

bool port_flash_erase(uint32_t area) {
  bool fails = power_fails();
  erases += 1;
  memset(areas + area * area_size, 0xFF, fails ? left_of(area_size) : area_size);
  if (fails) longjmp(power_cut, 1);
  return true;
}

static void program_unit(uint8_t *into, const uint8_t *from, uint32_t count) {
  for (uint32_t i = 0; i < UNIT; i += 1) {
    if (into[i] != 0xFF) overwritten += 1;
  }
  for (uint32_t i = 0; i < count; i += 1) into[i] &= from[i];
}

bool port_flash_program(uint32_t area, uint32_t at, const uint8_t *from, uint32_t count) {
  if (at % UNIT != 0 || count % UNIT != 0 || at > area_size || count > area_size - at) return false;
  uint8_t *into = areas + area * area_size + at;
  for (uint32_t begin = 0; begin < count; begin += UNIT) {
    bool fails = power_fails();
    program_unit(into + begin, from + begin, fails ? left_of(UNIT) : UNIT);
    if (fails) longjmp(power_cut, 1);
  }
  return memcmp(into, from, count) == 0;
}

static int32_t number_of(napi_env env, napi_value value) {
  int32_t number = 0;
  napi_get_value_int32(env, value, &number);
  return number;
}

static uint8_t *bytes_of(napi_env env, napi_value array, size_t *size) {
  void *bytes = NULL;
  napi_get_typedarray_info(env, array, NULL, size, &bytes, NULL, NULL);
  return bytes;
}

static napi_value give(napi_env env, int32_t number) {
  napi_value value;
  napi_create_int32(env, number, &value);
  return value;
}

#define ARGUMENTS(most)   \
  size_t count = (most);  \
  napi_value values[most]; \
  napi_get_cb_info(env, info, &count, values, NULL, NULL)

/* (flash of two areas, the write to fail in or 0, its style): power on. 1, or -1 when the power was cut meanwhile. */
static napi_value start(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  size_t size;
  areas = bytes_of(env, values[0], &size);
  area_size = (uint32_t)size / 2;
  writes = erases = 0;
  cut_at = (uint32_t)number_of(env, values[1]);
  style = (enum cut_style)number_of(env, values[2]);
  if (setjmp(power_cut) != 0) return give(env, -1);
  storage_start();
  return give(env, 1);
}

/* (slot, record): 1 for saved, 0 for refused, -1 when the power was cut. */
static napi_value save(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  size_t size = 0;
  const uint8_t *record = bytes_of(env, values[1], &size);
  if (setjmp(power_cut) != 0) return give(env, -1);
  return give(env, storage_save(number_of(env, values[0]), record, (int32_t)size));
}

/* (slot, buffer): the length, as hal.ts has it. */
static napi_value load(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  size_t size = 0;
  uint8_t *into = bytes_of(env, values[1], &size);
  return give(env, storage_load(number_of(env, values[0]), into, (int32_t)size));
}

/* How many writes, and erases among them, there were since power-on; and how many bytes were programmed that had not been erased, ever. */
static napi_value count_writes(napi_env env, napi_callback_info info) {
  (void)info;
  return give(env, (int32_t)writes);
}

static napi_value count_erases(napi_env env, napi_callback_info info) {
  (void)info;
  return give(env, (int32_t)erases);
}

static napi_value count_overwritten(napi_env env, napi_callback_info info) {
  (void)info;
  return give(env, (int32_t)overwritten);
}

static napi_value export_all(napi_env env, napi_value exports) {
  static const struct {
    const char *name;
    napi_callback call;
  } functions[] = {
      {"start", start}, {"save", save}, {"load", load}, {"writes", count_writes}, {"erases", count_erases}, {"overwritten", count_overwritten}};
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i += 1) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}

NAPI_MODULE(storage, export_all)
