/*
 * Settling: once the modules have run, what a function sees of its module never changes again, unless some function
 * assigns to it. Each such upvalue becomes a constant of the functions that read it, so that neither upvalue nor the list
 * of them gets into the image; and a constant is read faster.
 */
#ifndef MOTH_SETTLE_H
#define MOTH_SETTLE_H

#include "graph.h"

/* Changes the functions of the graph, which has to be made anew. */
void settle(const struct graph *graph);

#endif
