#ifndef MOTH_CHECKSUM_H
#define MOTH_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32 as zlib's crc32() computes it. `before` is 0, or the checksum of what comes before these bytes. */
uint32_t checksum(uint32_t before, const void *bytes, size_t count);

#endif
