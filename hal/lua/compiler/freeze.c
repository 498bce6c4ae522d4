#include "freeze.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lstate.h"
#include "lstring.h"

#include "frozen-table.h"

/* Each string once. Their number in this list is their name. */
static const TString **strings;
static int string_count;
static int function_count;

static int number_of(const TString *string) {
  for (int i = 0; i < string_count; i += 1) {
    if (strings[i] == string) return i;
  }
  if (string_count % 256 == 0) strings = realloc(strings, sizeof *strings * (size_t)(string_count + 256));
  if (strings == NULL) exit(1);
  strings[string_count] = string;
  return string_count++;
}

static void collect_strings(const Proto *function) {
  for (int i = 0; i < function->sizek; i += 1) {
    if (ttisstring(&function->k[i])) number_of(tsvalue(&function->k[i]));
  }
  for (int i = 0; i < function->sizep; i += 1) collect_strings(function->p[i]);
}

static void write_text(const char *text, size_t length) {
  putchar('"');
  for (size_t i = 0; i < length; i += 1) {
    unsigned char c = (unsigned char)text[i];
    if (c < ' ' || c > '~' || c == '"' || c == '\\' || c == '?') printf("\\%03o", c);
    else putchar(c);
  }
  putchar('"');
}

static bool is_short(const TString *string) {
  return string->tt == LUA_VSHRSTR;
}

/* Links the strings of a bucket: the one written last is its head. */
static int heads[FROZEN_BUCKETS];

static void write_string(int number) {
  size_t length;
  const char *text = getlstr(strings[number], length);
  if (is_short(strings[number])) {
    unsigned bucket = strings[number]->hash % FROZEN_BUCKETS;
    printf("SHORT_STRING(s%d, %zu, 0x%08xu, ", number, length, strings[number]->hash);
    if (heads[bucket] < 0) printf("NULL, ");
    else printf("(TString *)&s%d, ", heads[bucket]);
    heads[bucket] = number;
  } else {
    printf("LONG_STRING(s%d, %zu, 0x%08xu, ", number, length, luaS_hashlongstr((TString *)(uintptr_t)strings[number]));
  }
  write_text(text, length);
  printf(")\n");
}

/* Strings that Lua itself makes when it starts, and marks as its own. */
static bool is_reserved(lua_State *L, const TString *string) {
  for (int i = 0; i < TM_N; i += 1) {
    if (G(L)->tmname[i] == string) return true;
  }
  return G(L)->memerrmsg == string;
}

static void write_buckets(void) {
  printf("const TString *const frozen_buckets[FROZEN_BUCKETS] FROZEN = {\n");
  for (int i = 0; i < FROZEN_BUCKETS; i += 1) {
    if (heads[i] >= 0) printf("[%d] = (const TString *)&s%d,\n", i, heads[i]);
  }
  printf("};\n");
}

static void write_constant(const TValue *constant) {
  switch (ttypetag(constant)) {
    case LUA_VNIL: printf("NIL"); break;
    case LUA_VFALSE: printf("FALSE"); break;
    case LUA_VTRUE: printf("TRUE"); break;
    case LUA_VNUMINT: printf("INTEGER(%ld)", (long)ivalue(constant)); break;
    case LUA_VNUMFLT: printf("FLOAT(%a)", (double)fltvalue(constant)); break;
    case LUA_VSHRSTR: printf("SHORT(s%d)", number_of(tsvalue(constant))); break;
    default: printf("LONG(s%d)", number_of(tsvalue(constant))); break;
  }
  printf(", ");
}

static int write_function(const Proto *function) {
  int *inner = malloc(sizeof *inner * (size_t)(function->sizep + 1));
  if (inner == NULL) exit(1);
  for (int i = 0; i < function->sizep; i += 1) inner[i] = write_function(function->p[i]);
  int number = function_count++;

  printf("static const Instruction code%d[] FROZEN = {", number);
  for (int i = 0; i < function->sizecode; i += 1) printf("0x%xu,", (unsigned)function->code[i]);
  printf("};\nstatic const ls_byte lines%d[] FROZEN = {", number);
  for (int i = 0; i < function->sizelineinfo; i += 1) printf("%d,", function->lineinfo[i]);
  printf("};\nstatic const AbsLineInfo marks%d[] FROZEN = {", number);
  for (int i = 0; i < function->sizeabslineinfo; i += 1) {
    printf("{%d,%d},", function->abslineinfo[i].pc, function->abslineinfo[i].line);
  }
  printf("};\nstatic const TValue constants%d[] FROZEN = {", number);
  for (int i = 0; i < function->sizek; i += 1) write_constant(&function->k[i]);
  printf("};\nstatic const Upvaldesc upvalues%d[] FROZEN = {", number);
  for (int i = 0; i < function->sizeupvalues; i += 1) {
    const Upvaldesc *up = &function->upvalues[i];
    printf("{NULL,%d,%d,%d},", up->instack, up->idx, up->kind);
  }
  printf("};\nstatic const Proto *const inner%d[] FROZEN = {", number);
  for (int i = 0; i < function->sizep; i += 1) printf("&f%d,", inner[i]);
  printf("};\nFUNCTION(f%d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d, %d)\n", number, number, function->numparams,
         function->flag, function->maxstacksize, function->sizeupvalues, function->sizek, function->sizecode,
         function->sizelineinfo, function->sizep, function->sizeabslineinfo, function->linedefined);
  free(inner);
  return number;
}

const char *freeze(lua_State *L, const Proto *main_function) {
  collect_strings(main_function);
  printf("#include \"frozen.h\"\n");
  for (int i = 0; i < FROZEN_BUCKETS; i += 1) heads[i] = -1;
  for (int i = 0; i < string_count; i += 1) {
    if (is_reserved(L, strings[i])) return "names of metamethods (__index and its like) are Lua's own: use others";
    write_string(i);
  }
  write_buckets();
  printf("MAIN(f%d)\n", write_function(main_function));
  return NULL;
}
