/* A model of the chip's registers, for the port's sources built with PART_MODEL. What QEMU cannot be made to do goes here. */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* What is broken or going on; all false and 0 is a chip in order. */
struct model {
  bool crystal_dead;
  bool pll_dead;
  bool switch_dead;
  bool converter_dead;
  bool watchdog_never_ready;
  bool random_never_ready;
  /* Bits that RNG_SR shows. */
  uint32_t random_errors;
  /* Bits of FLASH_SR that the next operation ends with. */
  uint32_t flash_errors;
  /* How many looks an erase or a word takes; UINT32_MAX: for ever. */
  uint32_t flash_looks;
  /* Microseconds that pass at a look at FLASH_SR. */
  uint32_t micros_per_look;
  /* The UART's transmitter takes so many bytes before TXE falls. */
  uint32_t room_to_send;
  bool still_sending;
};

extern struct model model;

/* What the port did. */
struct seen {
  uint32_t looks;
  uint32_t feeds;
  uint32_t erased_sector;
  uint32_t words;
  bool masked;
  bool was_masked_at_erase;
  bool cache_flushed;
  uint32_t interrupts_asked;
  uint8_t sent[64];
  uint32_t sent_count;
  /* What must never be: the first of it, as a sentence. */
  const char *wrong;
};

extern struct seen seen;

/* A new chip, with erased storage. */
void model_reset(void);

uint32_t model_register(uint32_t address);
void model_set_register(uint32_t address, uint32_t value);

/* A byte arrives at the module's UART. `overrun`: one before it was lost. */
void model_receive(uint8_t byte, bool overrun);

#endif
