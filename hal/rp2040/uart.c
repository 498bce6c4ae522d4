/* UART0 is the console, UART1 leads to the Wi-Fi module. */
#include "../lua/byte_ring.h"
#include "../lua/port.h"
#include "chip.h"

#define DEFAULT_BAUD 115200u
#define MOST_OFF_PERCENT 3u
/* Interrupt at half of the 32 bytes received, which leaves 1.4 ms at 115200, and when 8 are left to send. */
#define FIFO_LEVELS (2u << 3 | 1u)
#define RX_INTERRUPTS (UART_INT_RX | UART_INT_RX_TIMEOUT)
#define ALL_INTERRUPTS (RX_INTERRUPTS | UART_INT_TX | UART_INT_OVERRUN)

#define POWER_OF_TWO(n) ((n) > 0 && ((n) & ((n) - 1)) == 0)
_Static_assert(POWER_OF_TWO(BOARD_MODULE_TX_RING), "MODULE_TX_RING must be a power of two");
_Static_assert(POWER_OF_TWO(BOARD_MODULE_RX_RING), "MODULE_RX_RING must be a power of two");
_Static_assert(POWER_OF_TWO(BOARD_CONSOLE_TX_RING), "CONSOLE_TX_RING must be a power of two");
_Static_assert(POWER_OF_TWO(BOARD_CONSOLE_RX_RING), "CONSOLE_RX_RING must be a power of two");
/* The pins come in fours (TX, RX, CTS, RTS) that belong to UART0, 1, 1, 0, 0, 1, 1 in turn. */
#define OF_UART0(pin, role) (((pin) & 3) == (role) && ((((pin) >> 2) + 1) & 2) == 0)
#define OF_UART1(pin, role) (((pin) & 3) == (role) && ((((pin) >> 2) + 1) & 2) != 0)
_Static_assert(OF_UART0(BOARD_CONSOLE_TX_PIN, 0), "CONSOLE_TX_PIN must be 0, 12, 16 or 28");
_Static_assert(OF_UART0(BOARD_CONSOLE_RX_PIN, 1), "CONSOLE_RX_PIN must be 1, 13 or 17");
_Static_assert(OF_UART1(BOARD_MODULE_TX_PIN, 0), "MODULE_TX_PIN must be 4, 8 or 20");
_Static_assert(OF_UART1(BOARD_MODULE_RX_PIN, 1), "MODULE_RX_PIN must be 5, 9 or 21");
#if BOARD_FLOW_CONTROL
_Static_assert(OF_UART1(BOARD_MODULE_CTS_PIN, 2), "MODULE_CTS_PIN must be 6, 10, 22 or 26");
_Static_assert(OF_UART1(BOARD_MODULE_RTS_PIN, 3), "MODULE_RTS_PIN must be 7, 11 or 27");
#endif

struct uart {
  uint32_t base;
  uint32_t control;
  struct byte_ring received;
  struct byte_ring to_send;
  volatile uint32_t lost;
  /* A byte came since the last read. */
  volatile bool fresh;
};

static uint8_t module_received[BOARD_MODULE_RX_RING], module_to_send[BOARD_MODULE_TX_RING];
static uint8_t console_received[BOARD_CONSOLE_RX_RING], console_to_send[BOARD_CONSOLE_TX_RING];

static struct uart uarts[] = {
  [PORT_MODULE] = {
    .base = UART1,
    .control = UART_CR_ON | (BOARD_FLOW_CONTROL ? UART_CR_RTS_CTS : 0u),
    .received = { .bytes = module_received, .size = BOARD_MODULE_RX_RING },
    .to_send = { .bytes = module_to_send, .size = BOARD_MODULE_TX_RING },
  },
  [PORT_CONSOLE] = {
    .base = UART0,
    .control = UART_CR_ON,
    .received = { .bytes = console_received, .size = BOARD_CONSOLE_RX_RING },
    .to_send = { .bytes = console_to_send, .size = BOARD_CONSOLE_TX_RING },
  },
};

void console_interrupt(void);
void module_interrupt(void);

static bool waits_for_room(const struct uart *uart) {
  return (uart->control & UART_CR_RTS_CTS) != 0 && byte_ring_used(&uart->received) == uart->received.size;
}

static void receive(struct uart *uart) {
  while ((REGISTER(uart->base + UART_FR) & UART_FR_RX_EMPTY) == 0) {
    /* What stays in the FIFO makes the hardware stop the sender. port_read opens this again. */
    if (waits_for_room(uart)) {
      CLEAR(uart->base + UART_IMSC) = RX_INTERRUPTS;
      return;
    }
    if (!byte_ring_put(&uart->received, (uint8_t)REGISTER(uart->base + UART_DR))) uart->lost = uart->lost + 1;
    uart->fresh = true;
  }
}

/*
 * Fills the FIFO. Its interrupt comes when the FIFO falls to its level, never because it is below it: so it is asked
 * for only while the ring holds more than the FIFO took.
 */
static void send(struct uart *uart) {
  while (byte_ring_used(&uart->to_send) > 0) {
    if ((REGISTER(uart->base + UART_FR) & UART_FR_TX_FULL) != 0) {
      SET(uart->base + UART_IMSC) = UART_INT_TX;
      return;
    }
    REGISTER(uart->base + UART_DR) = (uint32_t)byte_ring_take(&uart->to_send);
  }
  CLEAR(uart->base + UART_IMSC) = UART_INT_TX;
}

static void serve(struct uart *uart) {
  if ((REGISTER(uart->base + UART_MIS) & UART_INT_OVERRUN) != 0) uart->lost = uart->lost + 1;
  REGISTER(uart->base + UART_ICR) = ALL_INTERRUPTS;
  receive(uart);
  send(uart);
}

void console_interrupt(void) {
  serve(&uarts[PORT_CONSOLE]);
}

void module_interrupt(void) {
  serve(&uarts[PORT_MODULE]);
}

/* The divider in 64ths, to the nearest; 0 when the hardware cannot come near enough. */
static uint32_t divider_for(uint32_t baud) {
  if (baud == 0 || baud > CLK_SYS_HZ / 16) return 0;
  uint32_t divider = (8 * (CLK_SYS_HZ / baud) + 8 * (CLK_SYS_HZ % baud) / baud + 1) / 2;
  if (divider < 64 || divider > 0xffffu * 64) return 0;
  uint32_t made = 4 * CLK_SYS_HZ / divider;
  uint32_t off = made > baud ? made - baud : baud - made;
  return off <= baud / 100 * MOST_OFF_PERCENT ? divider : 0;
}

/* The line's settings may only change while the UART is off, and take effect with the write to LCR_H. */
static void apply_rate(const struct uart *uart, uint32_t divider) {
  REGISTER(uart->base + UART_CR) = 0;
  REGISTER(uart->base + UART_IBRD) = divider / 64;
  REGISTER(uart->base + UART_FBRD) = divider % 64;
  REGISTER(uart->base + UART_LCR_H) = UART_LCR_H_8N1_FIFO;
  REGISTER(uart->base + UART_CR) = uart->control;
}

static void start(struct uart *uart) {
  apply_rate(uart, divider_for(DEFAULT_BAUD));
  REGISTER(uart->base + UART_IFLS) = FIFO_LEVELS;
  REGISTER(uart->base + UART_IMSC) = RX_INTERRUPTS | UART_INT_OVERRUN;
}

static void give_pin(uint32_t pin, uint32_t pull) {
  REGISTER(PAD(pin)) = PAD_INPUT | PAD_SCHMITT | PAD_4_MA | pull;
  REGISTER(IO_CTRL(pin)) = IO_UART;
}

void uart_start(void) {
  unreset(RESET_UART0 | RESET_UART1);
  start(&uarts[PORT_CONSOLE]);
  start(&uarts[PORT_MODULE]);
  /* Pulled up, an input that nothing is plugged into hears silence. */
  give_pin(BOARD_CONSOLE_TX_PIN, 0);
  give_pin(BOARD_CONSOLE_RX_PIN, PAD_PULL_UP);
  give_pin(BOARD_MODULE_TX_PIN, 0);
  give_pin(BOARD_MODULE_RX_PIN, PAD_PULL_UP);
#if BOARD_FLOW_CONTROL
  give_pin(BOARD_MODULE_CTS_PIN, PAD_PULL_UP);
  give_pin(BOARD_MODULE_RTS_PIN, 0);
#endif
  interrupt_enable(IRQ_UART0, 1);
  interrupt_enable(IRQ_UART1, 0);
}

bool uart_fresh(void) {
  return uarts[PORT_MODULE].fresh || uarts[PORT_CONSOLE].fresh;
}

uint32_t port_read(enum port_uart port, uint8_t *into, uint32_t room) {
  struct uart *uart = &uarts[port];
  uart->fresh = false;
  uint32_t count = byte_ring_read(&uart->received, into, room);
  if (count > 0 && (uart->control & UART_CR_RTS_CTS) != 0) {
    uint32_t before = interrupts_mask();
    SET(uart->base + UART_IMSC) = RX_INTERRUPTS;
    receive(uart);
    interrupts_restore(before);
  }
  return count;
}

uint32_t port_write(enum port_uart port, const uint8_t *from, uint32_t count) {
  struct uart *uart = &uarts[port];
  uint32_t taken = byte_ring_write(&uart->to_send, from, count);
  uint32_t before = interrupts_mask();
  send(uart);
  interrupts_restore(before);
  return taken;
}

uint32_t port_lost(enum port_uart port) {
  return uarts[port].lost;
}

bool port_set_baud(enum port_uart port, uint32_t baud) {
  struct uart *uart = &uarts[port];
  uint32_t divider = divider_for(baud);
  if (divider == 0) return false;
  if (byte_ring_used(&uart->to_send) > 0 || (REGISTER(uart->base + UART_FR) & UART_FR_BUSY) != 0) return false;
  uint32_t before = interrupts_mask();
  apply_rate(uart, divider);
  interrupts_restore(before);
  return true;
}
