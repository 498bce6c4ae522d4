#include "utf8-check.h"

/* How a character of several bytes goes on: how many follow, and between which bounds the first of them lies. */
struct continuation {
  size_t count;
  uint8_t low;
  uint8_t high;
};

/* Here overlong forms, surrogates and what is beyond U+10FFFF are told apart. A count of 0: no character begins so. */
static struct continuation continuation_of(uint8_t lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return (struct continuation){1, 0x80, 0xBF};
  if (lead == 0xE0) return (struct continuation){2, 0xA0, 0xBF};
  if (lead == 0xED) return (struct continuation){2, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return (struct continuation){2, 0x80, 0xBF};
  if (lead == 0xF0) return (struct continuation){3, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return (struct continuation){3, 0x80, 0xBF};
  if (lead == 0xF4) return (struct continuation){3, 0x80, 0x8F};
  return (struct continuation){0, 0, 0};
}

bool utf8_check(const uint8_t *bytes, size_t count) {
  size_t at = 0;
  while (at < count) {
    uint8_t lead = bytes[at++];
    if (lead == 0) return false;
    if (lead < 0x80) continue;
    struct continuation next = continuation_of(lead);
    if (next.count == 0 || next.count > count - at) return false;
    for (size_t end = at + next.count; at < end; at += 1) {
      if (bytes[at] < next.low || bytes[at] > next.high) return false;
      next.low = 0x80;
      next.high = 0xBF;
    }
  }
  return true;
}
