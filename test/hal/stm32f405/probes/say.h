/* What the probes share: a console that waits until all is said, and commands of one letter with a number. */
#ifndef SAY_H
#define SAY_H

#include <stdint.h>

void say(const char *text);
void say_number(uint32_t value);
/* "text=value\n" */
void say_value(const char *text, uint32_t value);

struct order {
  char letter;
  uint32_t number;
};

/* Sleeps until a line such as "e1" has been typed. */
struct order next_order(void);

#endif
