/*
 * What Lua keeps of a function and of a table, as short as a chip can have it. Lua's `Proto` is 84 bytes, most of them for
 * whoever collects, loads or debugs functions. What is frozen is neither collected nor loaded, and errors are led back to their
 * lines on a computer: of the sizes only that of the upvalues is ever read, and all of them fit between the bytes that
 * stand before them and the pointers behind. Where a frozen function ends is told in frozen.h.
 *
 * lobject.h itself is as it came. A port that loads bytecode has functions of full length.
 */
#ifndef MOTH_SHORT_FUNCTION_H
#define MOTH_SHORT_FUNCTION_H

#include "lua.h"

#include "llimits.h"

#define sizeupvalues sizeupvalues : 9
#define sizek sizek : 1
#define sizecode sizecode : 1
#define sizelineinfo sizelineinfo : 1
#define sizep sizep : 1
#define sizelocvars sizelocvars : 1
#define sizeabslineinfo sizeabslineinfo : 1
#define linedefined linedefined : 1
#define lastlinedefined lastlinedefined : 1

/* The link of the collector's lists, for good: there is no collector, and every table is 8 bytes shorter. */
#define gclist gclist[0]
#define NO_GCLIST

#include "lobject.h"

#undef sizeupvalues
#undef sizek
#undef sizecode
#undef sizelineinfo
#undef sizep
#undef sizelocvars
#undef sizeabslineinfo
#undef linedefined
#undef lastlinedefined

#endif
