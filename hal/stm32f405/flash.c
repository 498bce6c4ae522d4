/*
 * The last two sectors of the flash, of 128 KB each, are the storage.
 *
 * While the chip erases one (1 s, at most 2 s), nothing can be fetched from its flash: a program that runs from there
 * stands still until the erase is over, and so do its interrupts. So what waits for it is in RAM, with interrupts held
 * back, and does meanwhile what must not wait: it feeds the watchdog and moves the bytes of the UARTs. A word takes 16 us
 * to program; the program stands still for that long.
 */
#include "parts.h"
#include "port.h"
#include "registers.h"
#include "timer.h"
#include "uart.h"
#include "watchdog.h"

#define AREA_SIZE (128u * 1024u)
#define FIRST_SECTOR 10u
#define FIRST_ADDRESS 0x080c0000u
/* An erase that takes longer has failed, in us. */
#define ERASE_PATIENCE 4000000u
#define PROGRAM_LOOKS 100000u

static uint32_t address_of(uint32_t area) {
  return FIRST_ADDRESS + area * AREA_SIZE;
}

uint32_t port_flash_size(void) {
  return AREA_SIZE;
}

const uint8_t *port_flash_at(uint32_t area) {
  return part_memory(address_of(area));
}

/* Errors of an earlier operation would stop this one; each is cleared by writing a one. */
static void unlock(void) {
  if ((part_read(FLASH_CR) & FLASH_CR_LOCK) != 0) {
    part_write(FLASH_KEYR, FLASH_KEYR_1);
    part_write(FLASH_KEYR, FLASH_KEYR_2);
  }
  part_write(FLASH_SR, FLASH_SR_ERRORS | FLASH_SR_EOP);
}

/* Locks, and forgets what the cache holds of the old contents. */
static void lock(void) {
  part_write(FLASH_CR, FLASH_CR_LOCK);
  part_clear(FLASH_ACR, FLASH_ACR_DCEN);
  part_set(FLASH_ACR, FLASH_ACR_DCRST);
  part_clear(FLASH_ACR, FLASH_ACR_DCRST);
  part_set(FLASH_ACR, FLASH_ACR_DCEN);
}

/* Gives the controller's last status. */
RAM_FUNCTION static uint32_t erase(uint32_t sector) {
  uint32_t began = timer_micros();
  part_write(FLASH_CR, FLASH_CR_PSIZE_32 | FLASH_CR_SER | FLASH_CR_SNB(sector));
  part_write(FLASH_CR, FLASH_CR_PSIZE_32 | FLASH_CR_SER | FLASH_CR_SNB(sector) | FLASH_CR_STRT);
  uint32_t status = part_read(FLASH_SR);
  while ((status & FLASH_SR_BSY) != 0 && timer_micros() - began < ERASE_PATIENCE) {
    watchdog_feed();
    uart_service();
    status = part_read(FLASH_SR);
  }
  return status;
}

bool port_flash_erase(uint32_t area) {
  if (area > 1) return false;
  unlock();
  cpu_mask();
  uint32_t status = erase(FIRST_SECTOR + area);
  cpu_unmask();
  lock();
  return (status & (FLASH_SR_ERRORS | FLASH_SR_BSY)) == 0;
}

static uint32_t word_at(const uint8_t *bytes) {
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static bool program_word(uint32_t address, uint32_t word) {
  part_store(address, word);
  for (uint32_t look = 0; look < PROGRAM_LOOKS; look += 1) {
    uint32_t status = part_read(FLASH_SR);
    if ((status & FLASH_SR_BSY) == 0) return (status & FLASH_SR_ERRORS) == 0;
  }
  return false;
}

static bool holds(uint32_t address, const uint8_t *wanted, uint32_t count) {
  const uint8_t *cells = part_memory(address);
  for (uint32_t i = 0; i < count; i += 1) {
    if (cells[i] != wanted[i]) return false;
  }
  return true;
}

bool port_flash_program(uint32_t area, uint32_t at, const uint8_t *from, uint32_t count) {
  if (area > 1 || at % 8 != 0 || count % 8 != 0 || at > AREA_SIZE || count > AREA_SIZE - at) return false;
  uint32_t address = address_of(area) + at;
  unlock();
  part_write(FLASH_CR, FLASH_CR_PSIZE_32 | FLASH_CR_PG);
  bool programmed = true;
  for (uint32_t done = 0; done < count && programmed; done += 4) {
    programmed = program_word(address + done, word_at(from + done));
  }
  lock();
  return programmed && holds(address, from, count);
}
