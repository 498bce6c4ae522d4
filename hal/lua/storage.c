#include "storage.h"

#include <stddef.h>
#include <string.h>

#include "checksum.h"
#include "port.h"

#define UNIT 8u
#define ERASED 0xFFFFFFFFu
#define AREA_MAGIC 0x68746F4Du

/* At the beginning of an area; written last. The area with the higher generation is the one in use. */
struct area_header {
  uint32_t magic;
  uint32_t generation;
  uint32_t check;
  uint32_t reserved;
};

/* Before each record. `slot_and_length` holds the slot in its upper half. */
struct record_header {
  uint32_t slot_and_length;
  uint32_t check;
};

static uint32_t in_use;
static uint32_t generation;
/* Where the next record goes. */
static uint32_t end;
/* Where the newest record of each slot lies in the area in use, in units; 0: it is empty. */
static uint16_t newest[STORAGE_SLOTS];

static uint32_t padded(uint32_t count) {
  return (count + UNIT - 1) / UNIT * UNIT;
}

static uint32_t record_size(uint32_t length) {
  return (uint32_t)sizeof(struct record_header) + padded(length);
}

static const struct record_header *record_at(uint32_t area, uint32_t at) {
  return (const struct record_header *)(const void *)(port_flash_at(area) + at);
}

static const struct record_header *newest_of(uint32_t slot) {
  return record_at(in_use, newest[slot] * UNIT);
}

static uint32_t length_of(const struct record_header *record) {
  return record->slot_and_length & 0xFFFF;
}

static uint32_t check_of(uint32_t slot_and_length, const uint8_t *bytes, uint32_t length) {
  return checksum(checksum(0, &slot_and_length, sizeof slot_and_length), bytes, length);
}

static const uint8_t *bytes_of(const struct record_header *record) {
  return (const uint8_t *)(record + 1);
}

static bool is_erased(uint32_t area, uint32_t from) {
  const uint8_t *bytes = port_flash_at(area);
  for (uint32_t at = from; at < port_flash_size(); at += 1) {
    if (bytes[at] != 0xFF) return false;
  }
  return true;
}

/* The generation of an area with a whole header; 0 for any other. */
static uint32_t generation_of(uint32_t area) {
  const struct area_header *header = (const struct area_header *)(const void *)port_flash_at(area);
  if (header->magic != AREA_MAGIC) return 0;
  return header->check == checksum(0, header, offsetof(struct area_header, check)) ? header->generation : 0;
}

static bool write_area_header(uint32_t area, uint32_t number) {
  struct area_header header = {AREA_MAGIC, number, 0, ERASED};
  header.check = checksum(0, &header, offsetof(struct area_header, check));
  return port_flash_program(area, 0, (const uint8_t *)&header, sizeof header);
}

/*
 * Walks the log. A record that a power cut left half written does not count, and neither its header nor its length can
 * be trusted: when what follows the last whole record is not erased, the next save goes to the other area.
 */
static void read_log(uint32_t area) {
  memset(newest, 0, sizeof newest);
  uint32_t at = sizeof(struct area_header);
  while (at + sizeof(struct record_header) <= port_flash_size()) {
    const struct record_header *record = record_at(area, at);
    uint32_t slot = record->slot_and_length >> 16;
    uint32_t length = length_of(record);
    if (slot >= STORAGE_SLOTS || length > STORAGE_RECORD_SIZE || at + record_size(length) > port_flash_size()) break;
    if (record->check != check_of(record->slot_and_length, bytes_of(record), length)) break;
    newest[slot] = length == 0 ? 0 : (uint16_t)(at / UNIT);
    at += record_size(length);
  }
  end = is_erased(area, at) ? at : port_flash_size();
}

static bool program_record(uint32_t area, uint32_t at, uint32_t slot_and_length, const uint8_t *from) {
  uint32_t length = slot_and_length & 0xFFFF;
  struct record_header header = {slot_and_length, check_of(slot_and_length, from, length)};
  uint32_t body = at + (uint32_t)sizeof header;
  uint32_t whole = length / UNIT * UNIT;
  /* The header last: until it is there, the record is not. */
  if (whole > 0 && !port_flash_program(area, body, from, whole)) return false;
  if (whole < length) {
    uint8_t rest[UNIT];
    memset(rest, 0xFF, sizeof rest);
    memcpy(rest, from + whole, length - whole);
    if (!port_flash_program(area, body + whole, rest, sizeof rest)) return false;
  }
  return port_flash_program(area, at, (const uint8_t *)&header, sizeof header);
}

/* Appends the newest record of every slot but `except` to `area` at `at`. Gives where the log ends then; 0: failed. */
static uint32_t copy_records(uint32_t area, uint32_t at, uint32_t except, uint16_t copied[STORAGE_SLOTS]) {
  for (uint32_t slot = 0; slot < STORAGE_SLOTS; slot += 1) {
    copied[slot] = 0;
    if (newest[slot] == 0 || slot == except) continue;
    const struct record_header *record = newest_of(slot);
    uint32_t size = record_size(length_of(record));
    /* As it lies there: until the area has its header, the order of the bytes does not matter. */
    if (!port_flash_program(area, at, (const uint8_t *)record, size)) return 0;
    copied[slot] = (uint16_t)(at / UNIT);
    at += size;
  }
  return at;
}

/* Begins a new log in the other area with what counts and the new record. It takes over when its header is there. */
static bool save_to_other_area(uint32_t slot_and_length, const uint8_t *from) {
  uint32_t other = 1 - in_use;
  uint32_t slot = slot_and_length >> 16;
  uint32_t length = slot_and_length & 0xFFFF;
  uint16_t copied[STORAGE_SLOTS];
  if (!is_erased(other, 0) && !port_flash_erase(other)) return false;
  uint32_t at = copy_records(other, sizeof(struct area_header), slot, copied);
  if (at == 0) return false;
  if (length > 0) {
    if (at + record_size(length) > port_flash_size() || !program_record(other, at, slot_and_length, from)) return false;
    copied[slot] = (uint16_t)(at / UNIT);
    at += record_size(length);
  }
  if (!write_area_header(other, generation + 1)) {
    /* Whole or not, it may win at the next boot: nothing more is saved to an area that would lose then. */
    port_flash_erase(other);
    end = port_flash_size();
    return false;
  }
  generation += 1;
  in_use = other;
  memcpy(newest, copied, sizeof newest);
  end = at;
  return true;
}

/*
 * Whether `slot` may hold `length` bytes. The first slots always may. The others may take what these leave of seven
 * eighths of an area: the last eighth is what a move to the other area wins at least, so erases stay rare when all is
 * full.
 */
static bool has_room(uint32_t slot, uint32_t length) {
  if (slot < STORAGE_SETTING_SLOTS || length == 0) return true;
  uint32_t size = (uint32_t)sizeof(struct area_header) + STORAGE_SETTING_SLOTS * record_size(STORAGE_RECORD_SIZE);
  for (uint32_t other = STORAGE_SETTING_SLOTS; other < STORAGE_SLOTS; other += 1) {
    if (other != slot && newest[other] != 0) size += record_size(length_of(newest_of(other)));
  }
  return size + record_size(length) <= port_flash_size() - port_flash_size() / 8;
}

void storage_start(void) {
  uint32_t first = generation_of(0);
  uint32_t second = generation_of(1);
  in_use = second > first ? 1 : 0;
  generation = second > first ? second : first;
  if (generation == 0) {
    memset(newest, 0, sizeof newest);
    end = port_flash_size();
    return;
  }
  read_log(in_use);
  if (!is_erased(1 - in_use, 0)) port_flash_erase(1 - in_use);
}

int32_t storage_load(int32_t slot, uint8_t *into, int32_t room) {
  if (slot < 0 || slot >= STORAGE_SLOTS) return -1;
  if (newest[slot] == 0) return 0;
  const struct record_header *record = newest_of((uint32_t)slot);
  int32_t length = (int32_t)length_of(record);
  if (length > room) return -1;
  memcpy(into, bytes_of(record), (size_t)length);
  return length;
}

bool storage_save(int32_t slot, const uint8_t *from, int32_t count) {
  if (slot < 0 || slot >= STORAGE_SLOTS || count < 0 || count > STORAGE_RECORD_SIZE) return false;
  if (count == 0 && newest[slot] == 0) return true;
  if (!has_room((uint32_t)slot, (uint32_t)count)) return false;
  uint32_t slot_and_length = (uint32_t)slot << 16 | (uint32_t)count;
  uint32_t size = record_size((uint32_t)count);
  if (end + size > port_flash_size()) return save_to_other_area(slot_and_length, from);
  if (!program_record(in_use, end, slot_and_length, from)) {
    end = port_flash_size();
    return false;
  }
  newest[slot] = count == 0 ? 0 : (uint16_t)(end / UNIT);
  end += size;
  return true;
}
