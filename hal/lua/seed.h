/*
 * The seed of Lua's string hashes: the same when strings are frozen and when they are looked up. A board makes no
 * strings of what a stranger sends, so nobody can make them collide.
 */
#ifndef MOTH_SEED_H
#define MOTH_SEED_H

#define LUA_SEED 0x6D6F7468u

#endif
