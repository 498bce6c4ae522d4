#include "crash.h"

#include <string.h>

#include "application.h"
#include "arena.h"
#include "checksum.h"
#include "lua.h"
#include "number-text.h"
#include "port.h"
#include "runtime.h"
#include "lua-state.h"

#ifndef BOARD_NOINIT
#define BOARD_NOINIT ".noinit"
#endif

#define MOST_PLACES 12
#define LONGEST_MESSAGE 80

struct crash_record {
  uint32_t kind;
  uint32_t build;
  uint32_t detail;
  uint32_t pc;
  uint32_t return_to;
  uint32_t status;
  /* The run that follows the crash has not begun yet. */
  uint32_t fresh;
  /* The program had not booted yet. */
  uint32_t at_boot;
  uint32_t place_count;
  int32_t places[MOST_PLACES];
  char message[LONGEST_MESSAGE];
  /* Over all that comes before. RAM after power-on holds anything, but not this. */
  uint32_t check;
};

static struct crash_record record __attribute__((section(BOARD_NOINIT)));
static enum crash_kind last_kind;
static bool last_at_boot;
static uint32_t build;

static uint32_t check_of_record(void) {
  return ~checksum(0, &record, offsetof(struct crash_record, check));
}

void crash_start(void) {
  last_kind = CRASH_NONE;
  if (record.check != check_of_record() || record.kind == CRASH_NONE) {
    crash_forget();
    return;
  }
  if (record.fresh != 0) {
    last_kind = (enum crash_kind)record.kind;
    last_at_boot = record.at_boot != 0;
  }
  record.fresh = 0;
  record.check = check_of_record();
}

void crash_set_build(uint32_t number) {
  build = number;
}

enum crash_kind crash_ended_last_run(void) {
  return last_kind;
}

bool crash_was_at_boot(void) {
  return last_at_boot;
}

void crash_forget(void) {
  memset(&record, 0, sizeof record);
}

static void begin_record(enum crash_kind kind, uint32_t detail, const char *message) {
  memset(&record, 0, sizeof record);
  record.kind = kind;
  record.build = build;
  record.detail = detail;
  record.fresh = 1;
  record.at_boot = !arena_sealed();
  for (size_t i = 0; message != NULL && message[i] != '\0' && i < LONGEST_MESSAGE - 1; i += 1) {
    char c = message[i];
    record.message[i] = c < ' ' || c > '~' || c == '"' ? '\'' : c;
  }
  record.check = check_of_record();
}

/* Where the program was, innermost first: see application_place. Should this fault, the record is there without it. */
static void add_places(void) {
  if (vm == NULL) return;
  lua_Debug frame;
  int32_t places[MOST_PLACES];
  uint32_t count = 0;
  for (int level = 0; count < MOST_PLACES && lua_getstack(vm, level, &frame); level += 1) {
    int32_t place = application_place(vm, &frame);
    if (place < 0) continue;
    places[count] = place;
    count += 1;
  }
  memcpy(record.places, places, count * sizeof places[0]);
  record.place_count = count;
  record.check = check_of_record();
}

/* A record is being written: what goes wrong meanwhile, from an interrupt too, has no record of its own. */
static volatile bool crashing;

bool crash_in_progress(void) {
  return crashing;
}

void crash_now(enum crash_kind kind, uint32_t detail, const char *message) {
  if (!crashing) {
    crashing = true;
    begin_record(kind, detail, message);
    add_places();
  }
  port_restart();
}

void crash_fault(uintptr_t pc, uintptr_t lr, uint32_t status) {
  if (!crashing) {
    crashing = true;
    begin_record(CRASH_FAULT, 0, NULL);
    record.pc = (uint32_t)pc;
    record.return_to = (uint32_t)lr;
    record.status = status;
    record.check = check_of_record();
    add_places();
  }
  port_restart();
}

/* A text that is being written, cut where its room ends. */
struct line {
  char *at;
  size_t length;
  size_t room;
};

static void put_text(struct line *line, const char *text) {
  for (; *text != '\0' && line->length < line->room; text += 1) line->at[line->length++] = *text;
}

static void put_number(struct line *line, int32_t value) {
  char digits[24];
  number_text_integer(digits, sizeof digits, value);
  put_text(line, digits);
}

static void put_hex(struct line *line, uint32_t value) {
  char digits[9] = "";
  for (int i = 7; i >= 0; i -= 1, value >>= 4) digits[i] = "0123456789abcdef"[value & 15];
  put_text(line, digits);
}

static void put_address(struct line *line, const char *name, uint32_t value) {
  put_text(line, name);
  put_hex(line, value);
}

static void put_details(struct line *line) {
  switch (record.kind) {
    case CRASH_ALLOCATION:
      put_text(line, "allocation ");
      put_number(line, (int32_t)record.detail);
      put_text(line, " bytes");
      break;
    case CRASH_ERROR:
      put_text(line, "error \"");
      put_text(line, record.message);
      put_text(line, "\"");
      break;
    case CRASH_FAULT:
      put_address(line, "fault pc 0x", record.pc);
      put_address(line, " lr 0x", record.return_to);
      put_address(line, " status 0x", record.status);
      break;
    case CRASH_STACK:
      put_text(line, "stack");
      break;
    default:
      put_text(line, "watchdog");
      break;
  }
}

size_t crash_text(char *into, size_t room) {
  if (record.kind == CRASH_NONE) return 0;
  struct line line = {into, 0, room};
  put_text(&line, "crash ");
  put_details(&line);
  put_address(&line, " build ", record.build);
  put_text(&line, application_place_name());
  for (uint32_t i = 0; i < record.place_count; i += 1) {
    put_text(&line, " ");
    put_number(&line, record.places[i]);
  }
  return line.length;
}
