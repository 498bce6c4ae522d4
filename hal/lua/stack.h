/* Watches the C stack: its unused end is painted at boot, and paint that is gone means that it was needed. */
#ifndef MOTH_STACK_H
#define MOTH_STACK_H

#include <stdbool.h>
#include <stdint.h>

/* Paints what is below the caller. Once, early at boot. */
void stack_paint(void);
/* Whether the last words before the end are still painted. Cheap: called every millisecond. */
bool stack_is_whole(void);
/* The most bytes that were ever in use. */
uint32_t stack_peak(void);

#endif
