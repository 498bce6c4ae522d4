/* Numbers as text and back, as small as Lua needs them: at boot only, for what a person reads. */
#ifndef MOTH_NUMBER_TEXT_H
#define MOTH_NUMBER_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Writes a whole number in decimal with a terminator. Gives its length. `size` must be at least 21. */
int number_text_integer(char *into, size_t size, intptr_t value);

/*
 * Writes a float with up to 7 significant digits (the last may be off by one), without trailing zeros: 0.5, 21.25, 1e+10, inf, nan.
 * Gives its length. `size` must be at least 21.
 */
int number_text_float(char *into, size_t size, float value);

#define number_text(into, size, value) \
  _Generic((value), double: number_text_float, float: number_text_float, default: number_text_integer)(into, size, value)

/* Reads a decimal number: sign, digits, fraction, exponent. `end`, unless NULL, gets where it stops; `text` if nowhere. */
float text_number(const char *text, char **end);

#endif
