#include "number-text.h"

#include <float.h>
#include <stdbool.h>

int number_text_integer(char *into, size_t size, intptr_t value) {
  char digits[21];
  size_t count = 0;
  uintptr_t rest = value < 0 ? 0 - (uintptr_t)value : (uintptr_t)value;
  do {
    digits[count++] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  if (value < 0) digits[count++] = '-';
  size_t length = 0;
  while (count > 0 && length + 1 < size) into[length++] = digits[--count];
  into[length] = '\0';
  return (int)length;
}

#define SIGNIFICANT 7

/* `value` in [1, 10) times ten to the power that is given back. */
static int normalise(float *value) {
  int exponent = 0;
  while (*value >= 10) {
    *value /= 10;
    exponent += 1;
  }
  while (*value < 1) {
    *value *= 10;
    exponent -= 1;
  }
  return exponent;
}

static int copy_word(char *into, const char *word) {
  int length = 0;
  while (word[length] != '\0') {
    into[length] = word[length];
    length += 1;
  }
  into[length] = '\0';
  return length;
}

int number_text_float(char *into, size_t size, float value) {
  if (value != value) return copy_word(into, "nan");
  int length = 0;
  if (value < 0) {
    into[length++] = '-';
    value = -value;
  }
  if (value > FLT_MAX) return length + copy_word(into + length, "inf");
  if (value == 0) return length + copy_word(into + length, "0");

  int exponent = normalise(&value);
  int32_t digits = (int32_t)(value * 1e6f + 0.5f);
  if (digits >= 10000000) {
    digits /= 10;
    exponent += 1;
  }
  char text[SIGNIFICANT];
  int count = SIGNIFICANT;
  for (int i = SIGNIFICANT - 1; i >= 0; i -= 1) {
    text[i] = (char)('0' + digits % 10);
    digits /= 10;
  }
  while (count > 1 && text[count - 1] == '0') count -= 1;

  bool scientific = exponent < -4 || exponent >= SIGNIFICANT;
  int point = scientific ? 1 : exponent + 1;
  if (point <= 0) {
    length += copy_word(into + length, "0.");
    for (int i = point; i < 0; i += 1) into[length++] = '0';
  }
  for (int i = 0; i < count || i < point; i += 1) {
    if (i == point && i > 0) into[length++] = '.';
    into[length++] = i < count ? text[i] : '0';
  }
  if (scientific) {
    into[length++] = 'e';
    into[length++] = exponent < 0 ? '-' : '+';
    length += number_text_integer(into + length, size - (size_t)length, exponent < 0 ? -exponent : exponent);
  }
  into[length] = '\0';
  return length;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

float text_number(const char *text, char **end) {
  const char *at = text;
  bool negative = *at == '-';
  if (*at == '-' || *at == '+') at += 1;
  float value = 0;
  int digits = 0;
  int exponent = 0;
  for (; is_digit(*at); at += 1, digits += 1) value = value * 10 + (float)(*at - '0');
  if (*at == '.') {
    for (at += 1; is_digit(*at); at += 1, digits += 1, exponent -= 1) value = value * 10 + (float)(*at - '0');
  }
  if (digits > 0 && (*at == 'e' || *at == 'E')) {
    const char *mark = at + 1;
    bool down = *mark == '-';
    if (*mark == '-' || *mark == '+') mark += 1;
    int power = 0;
    if (is_digit(*mark)) {
      for (; is_digit(*mark) && power < 1000; mark += 1) power = power * 10 + (*mark - '0');
      at = mark;
      exponent += down ? -power : power;
    }
  }
  if (end != NULL) *end = (char *)(uintptr_t)(digits > 0 ? at : text);
  for (; exponent > 0; exponent -= 1) value *= 10;
  for (; exponent < 0; exponent += 1) value /= 10;
  return negative ? -value : value;
}
