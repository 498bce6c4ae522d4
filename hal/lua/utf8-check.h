#ifndef MOTH_UTF8_CHECK_H
#define MOTH_UTF8_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the bytes are well-formed UTF-8 as MQTT wants it: no surrogates, no U+0000. [MQTT-1.5.3-1, -2] */
bool utf8_check(const uint8_t *bytes, size_t count);

#endif
