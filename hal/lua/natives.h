/* The block operations that a program may call: `Native` of hal.ts, but for div and mod, which Lua has. */
#ifndef MOTH_NATIVES_H
#define MOTH_NATIVES_H

#include "lua.h"

#define NATIVES(X) \
  X(allocate) X(byteAt) X(u16At) X(findU16) X(putU16) X(copy) X(find) X(same) X(putText) X(textLength) X(isText) X(startsWith) \
  X(createQueue) X(queueNumber) X(queueFits) X(queueOpen) X(queueClose) X(queueRun) X(queueNext) X(queuePiece) \
  X(queueTaken) X(queueFirst) X(queueAfter) X(queueOver) X(queuePut) X(queueAdd) X(queueFind) X(queueUnused) X(queueUsed) X(queueRewind) X(queueClear) \
  X(queueWindow) X(queueReady) X(queuePlaceholder) X(queueCompact) X(queueWaiting) X(queueCouldFit) X(queueDrop) X(putDecimal) X(decimalAt) X(isUtf8) X(isUtf8Without) X(matchFilter) X(textAt) X(round)

/* What the runtime makes texts of at every boot: names of its tables and functions, and what its errors say. */
#define BOOT_TEXTS \
  "bytes", "messages", "error", "ipairs", "pairs", "select", "tostring", "boot", "poll", "not an integer", "not a buffer", \
  "not a text", "outside of a buffer"

#define DECLARE_NATIVE(name) int native_##name(lua_State *L);
NATIVES(DECLARE_NATIVE)
#undef DECLARE_NATIVE

#endif
