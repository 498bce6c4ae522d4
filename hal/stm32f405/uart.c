#include "uart.h"

#include "byte_ring.h"
#include "clock.h"
#include "parts.h"
#include "pins.h"
#include "port.h"
#include "registers.h"

#define BAUD 115200u
/* In thousandths. */
#define BAUD_TOLERANCE 30u
#define LEAST_DIVISOR 16u
#define MOST_DIVISOR 0xffffu
/* Bytes that one interrupt sends at most; real hardware has room for two. Keeps an interrupt short everywhere. */
#define BURST 16u

#define RUNNING (USART_CR1_UE | USART_CR1_TE | USART_CR1_RE | USART_CR1_RXNEIE)

/* Which hardware, on which pins. */
#if BOARD_MODULE_UART == 2
#define MODULE USART2
#define MODULE_IRQ 38u
#define MODULE_ENABLE 0x40023840u, (1u << 17)
#define MODULE_PINS PIN(A, 2), PIN(A, 3), 7
#define MODULE_BUS clock_bus1
#elif BOARD_MODULE_UART == 6
#define MODULE USART6
#define MODULE_IRQ 71u
#define MODULE_ENABLE 0x40023844u, (1u << 5)
#define MODULE_PINS PIN(C, 6), PIN(C, 7), 8
#define MODULE_BUS clock_bus2
#else
#error "MODULE_UART in board.json: 2 (PA2, PA3) or 6 (PC6, PC7)"
#endif

#if BOARD_CONSOLE_UART == 1
#define CONSOLE USART1
#define CONSOLE_IRQ 37u
#define CONSOLE_ENABLE 0x40023844u, (1u << 4)
#define CONSOLE_BUS clock_bus2
#if BOARD_CONSOLE_ON_PORT_B
#define CONSOLE_PINS PIN(B, 6), PIN(B, 7), 7
#else
#define CONSOLE_PINS PIN(A, 9), PIN(A, 10), 7
#endif
#elif BOARD_CONSOLE_UART == 3
#define CONSOLE USART3
#define CONSOLE_IRQ 39u
#define CONSOLE_ENABLE 0x40023840u, (1u << 18)
#define CONSOLE_BUS clock_bus1
#define CONSOLE_PINS PIN(B, 10), PIN(B, 11), 7
#else
#error "CONSOLE_UART in board.json: 1 (PA9, PA10; with CONSOLE_ON_PORT_B PB6, PB7) or 3 (PB10, PB11)"
#endif

#if BOARD_FLOW_CONTROL && BOARD_MODULE_UART != 2
#error "FLOW_CONTROL in board.json: only USART2 has RTS and CTS on pins of this package"
#endif

struct uart {
  uint32_t base;
  uint32_t irq;
  struct byte_ring in;
  struct byte_ring out;
  volatile uint32_t lost;
  /* The hardware will interrupt when it has room for more. */
  volatile bool asking;
  /* What in.put was at the last read. */
  uint32_t seen;
};

static uint8_t module_in[BOARD_MODULE_RX_RING];
static uint8_t module_out[BOARD_MODULE_TX_RING];
static uint8_t console_in[BOARD_CONSOLE_RX_RING];
static uint8_t console_out[BOARD_CONSOLE_TX_RING];

#define IS_RING_SIZE(size) ((size) > 0 && ((size) & ((size)-1)) == 0)
_Static_assert(IS_RING_SIZE(BOARD_MODULE_RX_RING) && IS_RING_SIZE(BOARD_MODULE_TX_RING), "rings: powers of two");
_Static_assert(IS_RING_SIZE(BOARD_CONSOLE_RX_RING) && IS_RING_SIZE(BOARD_CONSOLE_TX_RING), "rings: powers of two");

static struct uart uarts[2] = {
  [PORT_MODULE] = {
    .base = MODULE,
    .irq = MODULE_IRQ,
    .in = { .bytes = module_in, .size = sizeof module_in },
    .out = { .bytes = module_out, .size = sizeof module_out },
  },
  [PORT_CONSOLE] = {
    .base = CONSOLE,
    .irq = CONSOLE_IRQ,
    .in = { .bytes = console_in, .size = sizeof console_in },
    .out = { .bytes = console_out, .size = sizeof console_out },
  },
};

static uint32_t bus_of(enum port_uart uart) {
  return uart == PORT_MODULE ? MODULE_BUS() : CONSOLE_BUS();
}

static void start(enum port_uart uart) {
  const struct uart *u = &uarts[uart];
  part_divide(u->base + USART_BRR, (bus_of(uart) + BAUD / 2) / BAUD);
  core_write(u->base + USART_CR1, RUNNING);
  core_write(NVIC_ISER + 4 * (u->irq / 32), 1u << (u->irq % 32));
}

void uart_start(void) {
  part_set(MODULE_ENABLE);
  part_set(CONSOLE_ENABLE);
  pins_use_for_uart(MODULE_PINS);
  pins_use_for_uart(CONSOLE_PINS);
#if BOARD_FLOW_CONTROL
  pins_use_for_uart(PIN(A, 1), PIN(A, 0), 7);
  core_write(MODULE + USART_CR3, USART_CR3_RTSE | USART_CR3_CTSE);
#endif
  start(PORT_MODULE);
  start(PORT_CONSOLE);
}

/* A byte that nobody fetched in time is gone; the hardware says only that there was at least one. */
static inline void receive(struct uart *u) {
  uint32_t status = core_read(u->base + USART_SR);
  while ((status & (USART_SR_RXNE | USART_SR_ORE)) != 0) {
    uint8_t byte = (uint8_t)core_read(u->base + USART_DR);
    if ((status & USART_SR_ORE) != 0) u->lost = u->lost + 1;
    if ((status & USART_SR_RXNE) != 0 && !byte_ring_put(&u->in, byte)) u->lost = u->lost + 1;
    status = core_read(u->base + USART_SR);
  }
}

/* Goes on asking until it is asked back and has nothing to say. */
static inline void send(struct uart *u) {
  bool more = byte_ring_used(&u->out) > 0;
  for (uint32_t sent = 0; sent < BURST && byte_ring_used(&u->out) > 0; sent += 1) {
    if ((core_read(u->base + USART_SR) & USART_SR_TXE) == 0) break;
    core_write(u->base + USART_DR, (uint32_t)byte_ring_take(&u->out));
  }
  u->asking = more;
  core_write(u->base + USART_CR1, more ? RUNNING | USART_CR1_TXEIE : RUNNING);
}

static inline void serve(struct uart *u) {
  receive(u);
  send(u);
}

/* Flattened: a helper that stayed a function of its own would lie in flash. */
__attribute__((flatten)) RAM_FUNCTION void uart_service(void) {
  serve(&uarts[PORT_MODULE]);
  serve(&uarts[PORT_CONSOLE]);
}

bool uart_received(void) {
  return uarts[PORT_MODULE].in.put != uarts[PORT_MODULE].seen ||
         uarts[PORT_CONSOLE].in.put != uarts[PORT_CONSOLE].seen;
}

uint32_t port_read(enum port_uart uart, uint8_t *into, uint32_t room) {
  struct uart *u = &uarts[uart];
  u->seen = u->in.put;
  return byte_ring_read(&u->in, into, room);
}

/* Only the interrupt touches the hardware: if none is to come, this one makes it pending. */
uint32_t port_write(enum port_uart uart, const uint8_t *from, uint32_t count) {
  struct uart *u = &uarts[uart];
  uint32_t taken = byte_ring_write(&u->out, from, count);
  if (taken > 0 && !u->asking) core_write(NVIC_ISPR + 4 * (u->irq / 32), 1u << (u->irq % 32));
  return taken;
}

uint32_t port_lost(enum port_uart uart) {
  return uarts[uart].lost;
}

bool port_set_baud(enum port_uart uart, uint32_t baud) {
  const struct uart *u = &uarts[uart];
  if (baud == 0 || byte_ring_used(&u->out) > 0) return false;
  if ((part_read(u->base + USART_SR) & USART_SR_TC) == 0) return false;
  uint32_t divisor = (bus_of(uart) + baud / 2) / baud;
  if (divisor < LEAST_DIVISOR || divisor > MOST_DIVISOR) return false;
  uint32_t made = bus_of(uart) / divisor;
  uint32_t error = made > baud ? made - baud : baud - made;
  if (error > baud / 1000 * BAUD_TOLERANCE) return false;
  part_divide(u->base + USART_BRR, divisor);
  return true;
}
