#include "model.h"

#include <string.h>

#include "parts.h"
#include "registers.h"

#define STORAGE 0x080c0000u
#define STORAGE_SIZE 0x40000u
#define MODULE USART6

struct model model;
struct seen seen;

static uint8_t storage[STORAGE_SIZE];
static struct {
  uint32_t address;
  uint32_t value;
} registers[64];
static uint32_t register_count;
static uint32_t keys;
static uint32_t busy_looks;
static uint32_t flash_flags;
static struct {
  uint8_t byte;
  bool overrun;
} arriving[64];
static uint32_t arrived, fetched;

static void wrong(const char *what) {
  if (seen.wrong == NULL) seen.wrong = what;
}

static uint32_t *slot(uint32_t address) {
  for (uint32_t i = 0; i < register_count; i += 1) {
    if (registers[i].address == address) return &registers[i].value;
  }
  registers[register_count].address = address;
  registers[register_count].value = 0;
  return &registers[register_count++].value;
}

uint32_t model_register(uint32_t address) {
  return *slot(address);
}

void model_set_register(uint32_t address, uint32_t value) {
  *slot(address) = value;
}

void model_reset(void) {
  model = (struct model){ .flash_looks = 3, .micros_per_look = 1, .room_to_send = 2 };
  seen = (struct seen){ 0 };
  register_count = keys = busy_looks = flash_flags = arrived = fetched = 0;
  memset(storage, 0xff, sizeof storage);
  model_set_register(RCC_CR, RCC_CR_HSION);
  model_set_register(FLASH_CR, FLASH_CR_LOCK);
}

void model_receive(uint8_t byte, bool overrun) {
  arriving[arrived].byte = byte;
  arriving[arrived++].overrun = overrun;
}

static void pass(uint32_t micros) {
  *slot(TIM2_CNT) += micros;
}

/* --- clocks */

static uint32_t clock_control(void) {
  uint32_t word = *slot(RCC_CR);
  if ((word & RCC_CR_HSEON) != 0 && !model.crystal_dead) word |= RCC_CR_HSERDY;
  bool fed = (*slot(RCC_PLLCFGR) & RCC_PLLCFGR_PLLSRC_HSE) == 0 || (word & RCC_CR_HSERDY) != 0;
  if ((word & RCC_CR_PLLON) != 0 && !model.pll_dead && fed) word |= RCC_CR_PLLRDY;
  return word;
}

static uint32_t clock_configuration(void) {
  uint32_t word = *slot(RCC_CFGR);
  if ((word & RCC_CFGR_SW_MASK) == RCC_CFGR_SW_PLL && !model.switch_dead) {
    if ((clock_control() & RCC_CR_PLLRDY) == 0) wrong("switched to a PLL that is not ready");
    if ((*slot(FLASH_ACR) & 7) < 5) wrong("168 MHz with too few wait states");
    word |= RCC_CFGR_SWS_PLL;
  }
  return word;
}

/* --- flash controller */

static uint32_t flash_status(void) {
  pass(model.micros_per_look);
  if (busy_looks > 0 && busy_looks != UINT32_MAX) busy_looks -= 1;
  return flash_flags | (busy_looks > 0 ? FLASH_SR_BSY : 0);
}

static void flash_operation(void) {
  if (busy_looks > 0) wrong("an operation before the last one was over");
  if ((flash_flags & FLASH_SR_ERRORS) != 0) wrong("an operation with old errors");
  flash_flags |= model.flash_errors;
  busy_looks = model.flash_looks;
}

static void flash_key(uint32_t key) {
  static const uint32_t expected[] = { FLASH_KEYR_1, FLASH_KEYR_2 };
  if ((*slot(FLASH_CR) & FLASH_CR_LOCK) == 0) wrong("keys for a controller that is open lock it up");
  if (keys >= 2 || key != expected[keys]) wrong("a wrong key");
  keys += 1;
  if (keys == 2) {
    *slot(FLASH_CR) &= ~FLASH_CR_LOCK;
    keys = 0;
  }
}

static void flash_control(uint32_t value) {
  if ((*slot(FLASH_CR) & FLASH_CR_LOCK) != 0) wrong("a write to the locked controller");
  *slot(FLASH_CR) = value & ~FLASH_CR_STRT;
  if ((value & FLASH_CR_STRT) == 0) return;
  seen.erased_sector = (value >> 3) & 31;
  seen.was_masked_at_erase = seen.masked;
  if ((value & FLASH_CR_SER) == 0 || seen.erased_sector < 10 || seen.erased_sector > 11) wrong("not a storage sector");
  flash_operation();
  if (model.flash_errors == 0) memset(storage + (seen.erased_sector - 10) * 0x20000, 0xff, 0x20000);
}

void part_store(uint32_t address, uint32_t word) {
  uint32_t control = *slot(FLASH_CR);
  if ((control & FLASH_CR_LOCK) != 0 || (control & FLASH_CR_PG) == 0) wrong("a word without leave to program");
  if ((control & (3u << 8)) != FLASH_CR_PSIZE_32) wrong("a word of another size than was set");
  flash_operation();
  seen.words += 1;
  if (model.flash_errors != 0) return;
  for (uint32_t i = 0; i < 4; i += 1) storage[address - STORAGE + i] &= (uint8_t)(word >> (8 * i));
}

const uint8_t *part_memory(uint32_t address) {
  return storage + (address - STORAGE);
}

/* --- UART */

static uint32_t uart_status(void) {
  uint32_t status = model.still_sending ? 0 : USART_SR_TC;
  if (seen.sent_count < model.room_to_send) status |= USART_SR_TXE;
  if (fetched < arrived) status |= USART_SR_RXNE | (arriving[fetched].overrun ? USART_SR_ORE : 0);
  return status;
}

/* --- all of them */

uint32_t part_read(uint32_t address) {
  seen.looks += 1;
  switch (address) {
    case RCC_CR:
      return clock_control();
    case RCC_CFGR:
      return clock_configuration();
    case FLASH_SR:
      return flash_status();
    case IWDG_SR:
      return model.watchdog_never_ready ? IWDG_SR_UPDATING : 0;
    case ADC1_SR:
      return model.converter_dead ? 0 : ADC_SR_EOC;
    case ADC1_DR:
      return seen.looks & 0xfff;
    case RNG_SR:
      return model.random_errors | (model.random_never_ready ? 0 : RNG_SR_DRDY);
    case RNG_DR:
      return 0x12345678;
    case MODULE + USART_SR:
      return uart_status();
    default:
      return *slot(address);
  }
}

void part_write(uint32_t address, uint32_t value) {
  switch (address) {
    case FLASH_KEYR:
      flash_key(value);
      break;
    case FLASH_CR:
      flash_control(value);
      break;
    case FLASH_SR:
      flash_flags &= ~value;
      break;
    case FLASH_ACR:
      if ((value & FLASH_ACR_DCRST) != 0 && (value & FLASH_ACR_DCEN) != 0) wrong("the cache flushed while it is on");
      if ((value & FLASH_ACR_DCRST) != 0) seen.cache_flushed = true;
      *slot(address) = value;
      break;
    case IWDG_KR:
      if (value == IWDG_KR_FEED) seen.feeds += 1;
      *slot(address) = value;
      break;
    case IWDG_PR:
    case IWDG_RLR:
      if (*slot(IWDG_KR) != IWDG_KR_UNLOCK) wrong("a write to the locked watchdog");
      *slot(address) = value;
      break;
    default:
      *slot(address) = value;
  }
}

void part_divide(uint32_t address, uint32_t value) {
  *slot(address) = value;
}

uint32_t core_read(uint32_t address) {
  if (address == MODULE + USART_SR) return uart_status();
  if (address == MODULE + USART_DR) {
    if (fetched == arrived) wrong("fetched a byte that is not there");
    return arriving[fetched++].byte;
  }
  if (address == USART1 + USART_SR) return USART_SR_TXE;
  return *slot(address);
}

void core_write(uint32_t address, uint32_t value) {
  if (address == MODULE + USART_DR) {
    if (seen.sent_count >= model.room_to_send) wrong("a byte for a transmitter that is full");
    seen.sent[seen.sent_count++] = (uint8_t)value;
  }
  if (address >= NVIC_ISPR && address < NVIC_ISPR + 16) seen.interrupts_asked += 1;
  *slot(address) = value;
}

void cpu_mask(void) {
  seen.masked = true;
}

void cpu_unmask(void) {
  seen.masked = false;
}

void cpu_wait_for_interrupt(void) {
  if (!seen.masked) wrong("sleeps with a gap through which an interrupt is missed");
}

void cpu_spin(uint32_t turns) {
  pass(turns / 4);
}
