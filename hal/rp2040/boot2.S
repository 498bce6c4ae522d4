/*
 * The second stage of the boot: the boot ROM copies these 256 bytes to RAM, checks their sum and runs them. They put
 * the flash (a W25Q16 or alike) and the serial interface in front of it into quad mode, in which a miss of the cache
 * costs 28 clocks of the flash instead of 96, and then enter the program.
 *
 * flash.c runs a copy of it too, to bring the flash back after it was programmed. Then lr says where to return to;
 * the boot ROM enters with lr 0. It keeps r4 and up.
 */
#define SSI 0x18000000
#define SSI_CTRLR0 0x00
#define SSI_CTRLR1 0x04
#define SSI_SSIENR 0x08
#define SSI_BAUDR 0x14
#define SSI_SR 0x28
#define SSI_DR0 0x60
#define SSI_RX_SAMPLE_DLY 0xf0
#define SSI_SPI_CTRLR0 0xf4
#define SSI_SR_ALL_SENT (1 << 2)
#define SSI_SR_BUSY (1 << 0)

#define PADS_QSPI 0x40020000
#define PAD_SCLK 0x04
#define PAD_SD0 0x08
#define PAD_FAST_8_MA 0x21
#define PAD_SCHMITT 0x02

#define READ_STATUS2 0x35
#define WRITE_STATUS2 0x31
#define NEXT_STATUS_WRITE_IS_VOLATILE 0x50
#define QUAD_ENABLE 0x02
#define QUAD_READ 0xeb
#define STAY_IN_QUAD_READ 0xa0

/* Frames of 8 bits in both directions, on one line. */
#define PLAIN_BYTES (7 << 16)
/* Send command and address on one line or four, then receive 32 bits on four. */
#define QUAD_WORDS (2 << 21 | 31 << 16 | 3 << 8)
/* 4 clocks of silence after 24 bits of address and 8 of mode, all on four lines, but the first command on one. */
#define QUAD_COMMAND (4 << 11 | 2 << 8 | 8 << 2 | 1)
#define QUAD_AGAIN (STAY_IN_QUAD_READ << 24 | 4 << 11 | 8 << 2 | 2)

#define VECTORS 0x10000100
#define SCB_VTOR 0xe000ed08

  .syntax unified
  .cpu cortex-m0plus
  .thumb
  .section .boot2, "ax"

  .global boot2
  .type boot2, %function
  .thumb_func
boot2:
  push {lr}
  ldr r3, =PADS_QSPI
  movs r0, #PAD_FAST_8_MA
  str r0, [r3, #PAD_SCLK]
  ldr r0, [r3, #PAD_SD0]
  movs r1, #PAD_SCHMITT
  bics r0, r1
  str r0, [r3, #PAD_SD0]
  str r0, [r3, #PAD_SD0 + 4]
  str r0, [r3, #PAD_SD0 + 8]
  str r0, [r3, #PAD_SD0 + 12]

  ldr r3, =SSI
  movs r0, #0
  str r0, [r3, #SSI_SSIENR]
  // At most 62.5 MHz; at this rate the flash's answer is sampled half a clock late.
  movs r0, #2
  str r0, [r3, #SSI_BAUDR]
  movs r0, #1
  movs r1, #SSI_RX_SAMPLE_DLY
  str r0, [r3, r1]
  ldr r0, =PLAIN_BYTES
  bl use_format

  // The flash takes quad commands only with its QE bit set. Written as volatile: costs no time and wears nothing.
  movs r0, #READ_STATUS2
  str r0, [r3, #SSI_DR0]
  str r0, [r3, #SSI_DR0]
  bl wait_sent
  ldr r0, [r3, #SSI_DR0]
  ldr r0, [r3, #SSI_DR0]
  movs r1, #QUAD_ENABLE
  tst r0, r1
  bne quad_enabled
  orrs r0, r1
  movs r1, #NEXT_STATUS_WRITE_IS_VOLATILE
  str r1, [r3, #SSI_DR0]
  bl wait_sent
  movs r1, #WRITE_STATUS2
  str r1, [r3, #SSI_DR0]
  str r0, [r3, #SSI_DR0]
  bl wait_sent
quad_enabled:

  // One read by command, whose mode bits tell the flash that the next ones come without.
  movs r0, #0
  str r0, [r3, #SSI_SSIENR]
  str r0, [r3, #SSI_CTRLR1]
  ldr r0, =QUAD_COMMAND
  movs r1, #SSI_SPI_CTRLR0
  str r0, [r3, r1]
  ldr r0, =QUAD_WORDS
  bl use_format
  movs r0, #QUAD_READ
  str r0, [r3, #SSI_DR0]
  movs r0, #STAY_IN_QUAD_READ
  str r0, [r3, #SSI_DR0]
  bl wait_sent

  movs r0, #0
  str r0, [r3, #SSI_SSIENR]
  ldr r0, =QUAD_AGAIN
  movs r1, #SSI_SPI_CTRLR0
  str r0, [r3, r1]
  movs r0, #1
  str r0, [r3, #SSI_SSIENR]

  pop {r0}
  cmp r0, #0
  beq enter
  bx r0
enter:
  ldr r0, =VECTORS
  ldr r1, =SCB_VTOR
  str r0, [r1]
  ldmia r0!, {r1, r2}
  msr msp, r1
  bx r2

// Sets CTRLR0 to r0 and switches the interface on. Changes r0.
use_format:
  str r0, [r3, #SSI_CTRLR0]
  movs r0, #1
  str r0, [r3, #SSI_SSIENR]
  bx lr

// Waits until everything was sent. Changes r1 and r2.
wait_sent:
  ldr r1, [r3, #SSI_SR]
  movs r2, #SSI_SR_ALL_SENT
  tst r1, r2
  beq wait_sent
  movs r2, #SSI_SR_BUSY
  tst r1, r2
  bne wait_sent
  bx lr

  .ltorg
  // The boot ROM's CRC-32 of the 252 bytes before. boot2.test.ts works it out, and says what to write here.
  .org 252
  .word 0xbacb9057
