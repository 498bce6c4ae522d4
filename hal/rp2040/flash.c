/*
 * The flash as storage. The program runs from the same flash: while it is erased or programmed nothing in it can be
 * read, so that part is in RAM, interrupts are masked, and the routines of the boot ROM do the work.
 */
#include <string.h>
#include "../lua/port.h"
#include "chip.h"

#define FLASH_BASE 0x10000000u
#define AREA_SIZE 32768u
#define FIRST_AREA 0x1f0000u
#define PAGE 256u
#define BOOT2_SIZE 256u
/* Erases 32 KB at once, in 120 ms; 8 sectors of 4 KB would take 360. */
#define BLOCK_ERASE 0x52u
#define READ_ID 0x4bu
#define ID_DUMMY_BYTES 4u

#define IN_RAM __attribute__((section(".ramfunc"), noinline))

extern const uint16_t rom_function_table[1], rom_table_lookup[1];
extern const uint32_t boot2[BOOT2_SIZE / 4];

uint8_t flash_id[8];

struct rom {
  void (*connect_internal_flash)(void);
  void (*flash_exit_xip)(void);
  void (*flash_range_erase)(uint32_t at, size_t count, uint32_t block_size, uint8_t block_command);
  void (*flash_range_program)(uint32_t at, const uint8_t *from, size_t count);
  void (*flash_flush_cache)(void);
};

/* What is to be done while the flash is away. */
struct work {
  struct rom rom;
  enum { ERASE, PROGRAM, IDENTIFY } what;
  uint32_t at;
  const uint8_t *page;
  /* A copy of the second stage of the boot, which brings the flash back. */
  uint32_t boot2[BOOT2_SIZE / 4];
};

static uintptr_t rom_function(char first, char second) {
  typedef uintptr_t (*lookup)(const uint16_t *table, uint32_t code);
  lookup find = (lookup)(uintptr_t)rom_table_lookup[0];
  return find((const uint16_t *)(uintptr_t)rom_function_table[0], (uint32_t)first | (uint32_t)second << 8);
}

static void prepare(struct work *work) {
  work->rom.connect_internal_flash = (void (*)(void))rom_function('I', 'F');
  work->rom.flash_exit_xip = (void (*)(void))rom_function('E', 'X');
  work->rom.flash_range_erase = (void (*)(uint32_t, size_t, uint32_t, uint8_t))rom_function('R', 'E');
  work->rom.flash_range_program = (void (*)(uint32_t, const uint8_t *, size_t))rom_function('R', 'P');
  work->rom.flash_flush_cache = (void (*)(void))rom_function('F', 'C');
  memcpy(work->boot2, (const void *)FLASH_BASE, sizeof work->boot2);
}

/* Command, four bytes that mean nothing, and the number: together fewer bytes than the interface's FIFO holds. */
IN_RAM static void read_id(void) {
  REGISTER(QSPI_SS_CTRL) = QSPI_SS_LOW;
  REGISTER(SSI_DR0) = READ_ID;
  for (uint32_t byte = 0; byte < ID_DUMMY_BYTES + sizeof flash_id; byte += 1) REGISTER(SSI_DR0) = 0;
  for (uint32_t byte = 0; byte < 1 + ID_DUMMY_BYTES + sizeof flash_id; byte += 1) {
    while (REGISTER(SSI_RXFLR) == 0) {
    }
    uint32_t received = REGISTER(SSI_DR0);
    if (byte > ID_DUMMY_BYTES) flash_id[byte - 1 - ID_DUMMY_BYTES] = (uint8_t)received;
  }
}

IN_RAM static void run_without_flash(const struct work *work) {
  work->rom.connect_internal_flash();
  work->rom.flash_exit_xip();
  if (work->what == ERASE) work->rom.flash_range_erase(work->at, AREA_SIZE, AREA_SIZE, BLOCK_ERASE);
  else if (work->what == PROGRAM) work->rom.flash_range_program(work->at, work->page, PAGE);
  else read_id();
  /* This also gives the chip-select line back to the interface. */
  work->rom.flash_flush_cache();
  void (*bring_back)(void) = (void (*)(void))((uintptr_t)work->boot2 | 1u);
  bring_back();
}

static void run(struct work *work) {
  uint32_t before = interrupts_mask();
  run_without_flash(work);
  interrupts_restore(before);
}

void flash_start(void) {
  struct work work = { .what = IDENTIFY };
  prepare(&work);
  run(&work);
}

uint32_t port_flash_size(void) {
  return AREA_SIZE;
}

const uint8_t *port_flash_at(uint32_t area) {
  return (const uint8_t *)(FLASH_BASE + FIRST_AREA + area * AREA_SIZE);
}

bool port_flash_erase(uint32_t area) {
  struct work work = { .what = ERASE, .at = FIRST_AREA + area * AREA_SIZE };
  prepare(&work);
  watchdog_be_patient();
  run(&work);
  port_watchdog_feed();
  const uint32_t *words = (const uint32_t *)(uintptr_t)port_flash_at(area);
  for (uint32_t word = 0; word < AREA_SIZE / 4; word += 1) {
    if (words[word] != 0xffffffffu) return false;
  }
  return true;
}

/* Programming ones changes nothing: what surrounds the bytes in their page is programmed with ones. */
bool port_flash_program(uint32_t area, uint32_t at, const uint8_t *from, uint32_t count) {
  uint8_t page[PAGE];
  struct work work = { .what = PROGRAM, .page = page };
  prepare(&work);
  uint32_t done = 0;
  while (done < count) {
    uint32_t start = (at + done) % PAGE;
    uint32_t part = count - done < PAGE - start ? count - done : PAGE - start;
    memset(page, 0xff, sizeof page);
    memcpy(page + start, from + done, part);
    work.at = FIRST_AREA + area * AREA_SIZE + at + done - start;
    run(&work);
    done += part;
  }
  return memcmp(port_flash_at(area) + at, from, count) == 0;
}
