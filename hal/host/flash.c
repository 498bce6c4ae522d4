/* Flash for settings in a file, or in memory: bytes that can only lose ones until they are erased, as real flash. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flash.h"
#include "options.h"
#include "port.h"

#define AREA_SIZE 16384u
#define UNIT 8u
/* As a shell tells of a program that was killed. */
#define POWER_CUT 137

static uint8_t *areas;
static unsigned long writes;

void flash_start(void) {
  int fd = -1;
  if (options.storage != NULL) {
    fd = open(options.storage, O_RDWR | O_CREAT, 0600);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || (status.st_size != 0 && status.st_size != 2 * AREA_SIZE)) {
      fprintf(stderr, "moth-host: --storage %s: not a storage file, or it cannot be written\n", options.storage);
      exit(1);
    }
    bool is_new = status.st_size == 0;
    if (ftruncate(fd, 2 * AREA_SIZE) != 0) exit(1);
    areas = mmap(NULL, 2 * AREA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (areas == MAP_FAILED) exit(1);
    if (is_new) memset(areas, 0xFF, 2 * AREA_SIZE);
    close(fd);
    return;
  }
  areas = mmap(NULL, 2 * AREA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (areas == MAP_FAILED) exit(1);
  memset(areas, 0xFF, 2 * AREA_SIZE);
}

uint32_t port_flash_size(void) {
  return AREA_SIZE;
}

const uint8_t *port_flash_at(uint32_t area) {
  return areas + area * AREA_SIZE;
}

/* With --cut-after, the power fails in the middle of a write: half of its bytes are there. */
static bool power_fails(void) {
  writes += 1;
  return options.cut_after > 0 && writes >= options.cut_after;
}

bool port_flash_erase(uint32_t area) {
  bool fails = power_fails();
  memset(areas + area * AREA_SIZE, 0xFF, fails ? AREA_SIZE / 2 : AREA_SIZE);
  if (fails) _exit(POWER_CUT);
  return true;
}

bool port_flash_program(uint32_t area, uint32_t at, const uint8_t *from, uint32_t count) {
  if (at % UNIT != 0 || count % UNIT != 0 || at > AREA_SIZE || count > AREA_SIZE - at) return false;
  uint8_t *into = areas + area * AREA_SIZE + at;
  for (uint32_t begin = 0; begin < count; begin += UNIT) {
    bool fails = power_fails();
    for (uint32_t i = begin; i < begin + (fails ? UNIT / 2 : UNIT); i += 1) into[i] &= from[i];
    if (fails) _exit(POWER_CUT);
  }
  return memcmp(into, from, count) == 0;
}
