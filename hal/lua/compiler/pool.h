/*
 * The constants of all functions in one array: most are names of fields and functions that many functions use, and a
 * constant is 8 bytes.
 *
 * An instruction has 8 bits for the number of a constant, but 17 where it does no more than load it. So there are windows
 * of up to 256 constants, and many functions look through each; what is only ever loaded may lie anywhere behind them.
 */
#ifndef MOTH_POOL_H
#define MOTH_POOL_H

#include "graph.h"

struct pool {
  TValue *values;
  int count;
  /* For each thing of the graph that is a function: the constant that is its first. */
  int *first;
  /* Why it cannot be made; NULL: it could. */
  const char *problem;
};

/* Gives the instructions of every function in the graph their constants' numbers in the pool. */
struct pool pool_of(const struct graph *graph);

#endif
