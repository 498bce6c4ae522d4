#include "watchdog.h"

#include "port.h"

/*
 * Its oscillator runs at 32 kHz give or take half: 17 to 47. Reckoning with the fastest, it never bites before its
 * time; with the slowest it takes 2.8 times as long, which is soon enough for a board that hangs.
 */
#define FASTEST_TICKS_PER_MS 47u
#define MOST_TICKS 4096u
#define LAST_PRESCALER 6u
/* The registers take five ticks of the slow clock to arrive, some 300 us. */
#define LOOKS 100000u

void port_watchdog_start(uint32_t ms) {
  uint32_t prescaler = 0;
  uint32_t ticks = ms * FASTEST_TICKS_PER_MS / 4 + 1;
  while (ticks > MOST_TICKS && prescaler < LAST_PRESCALER) {
    prescaler += 1;
    ticks = ms * FASTEST_TICKS_PER_MS / (4u << prescaler) + 1;
  }
  part_write(IWDG_KR, IWDG_KR_START);
  part_write(IWDG_KR, IWDG_KR_UNLOCK);
  part_write(IWDG_PR, prescaler);
  part_write(IWDG_RLR, (ticks < MOST_TICKS ? ticks : MOST_TICKS) - 1);
  for (uint32_t look = 0; look < LOOKS && (part_read(IWDG_SR) & IWDG_SR_UPDATING) != 0; look += 1) continue;
  watchdog_feed();
}

/* Once a millisecond is plenty, and a loop that turns faster leaves the bus alone. */
void port_watchdog_feed(void) {
  static uint32_t fed_at;
  if (port_millis() == fed_at) return;
  fed_at = port_millis();
  watchdog_feed();
}
