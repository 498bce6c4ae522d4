/*
 * Where the RP2040's registers are, by the names of its datasheet: as much of it as this port uses.
 *
 * A write to a register's alias changes only the bits that are ones in it, in one step that no interrupt can split.
 */
#ifndef MOTH_RP2040_REGISTERS_H
#define MOTH_RP2040_REGISTERS_H

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define FLIP(address) REGISTER((address) + 0x1000u)
#define SET(address) REGISTER((address) + 0x2000u)
#define CLEAR(address) REGISTER((address) + 0x3000u)

/* What the chip is made of comes up held in reset. One bit a block. */
#define RESETS_RESET 0x4000c000u
#define RESETS_DONE 0x4000c008u
#define RESET_ADC (1u << 0)
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_PLL_SYS (1u << 12)
#define RESET_PLL_USB (1u << 13)
#define RESET_TIMER (1u << 21)
#define RESET_UART0 (1u << 22)
#define RESET_UART1 (1u << 23)

/* What the watchdog resets. */
#define PSM_WDSEL 0x40010008u
#define PSM_OSCILLATORS 0x3u
#define PSM_ALL 0x1ffffu

#define XOSC_CTRL 0x40024000u
#define XOSC_STATUS 0x40024004u
#define XOSC_STARTUP 0x4002400cu
#define XOSC_1_TO_15_MHZ 0xaa0u
#define XOSC_ENABLE 0xfab000u
#define XOSC_STABLE (1u << 31)

#define PLL_SYS 0x40028000u
#define PLL_USB 0x4002c000u
#define PLL_CS 0x0u
#define PLL_PWR 0x4u
#define PLL_FBDIV 0x8u
#define PLL_PRIM 0xcu
#define PLL_LOCKED (1u << 31)
#define PLL_MAIN_OFF (1u << 0)
#define PLL_DIVIDERS_OFF (1u << 3)
#define PLL_VCO_OFF (1u << 5)

#define CLK_REF_CTRL 0x40008030u
#define CLK_REF_SELECTED 0x40008038u
#define CLK_SYS_CTRL 0x4000803cu
#define CLK_SYS_SELECTED 0x40008044u
#define CLK_PERI_CTRL 0x40008048u
#define CLK_ADC_CTRL 0x40008060u
#define CLK_REF_FROM_XOSC 2u
#define CLK_SYS_FROM_AUX 1u
#define CLK_ENABLE (1u << 11)

#define WATCHDOG_CTRL 0x40058000u
#define WATCHDOG_LOAD 0x40058004u
#define WATCHDOG_REASON 0x40058008u
#define WATCHDOG_SCRATCH0 0x4005800cu
#define WATCHDOG_TICK 0x4005802cu
#define WATCHDOG_TRIGGER (1u << 31)
#define WATCHDOG_ENABLE (1u << 30)
#define WATCHDOG_TICK_ENABLE (1u << 9)
#define WATCHDOG_REASON_TIMER (1u << 0)
#define WATCHDOG_REASON_FORCE (1u << 1)
#define WATCHDOG_LONGEST 0xffffffu

#define TIMER_ALARM0 0x40054010u
#define TIMER_TIMERAWL 0x40054028u
#define TIMER_INTR 0x40054034u
#define TIMER_INTE 0x40054038u

#define UART0 0x40034000u
#define UART1 0x40038000u
#define UART_DR 0x00u
#define UART_FR 0x18u
#define UART_IBRD 0x24u
#define UART_FBRD 0x28u
#define UART_LCR_H 0x2cu
#define UART_CR 0x30u
#define UART_IFLS 0x34u
#define UART_IMSC 0x38u
#define UART_MIS 0x40u
#define UART_ICR 0x44u
#define UART_FR_BUSY (1u << 3)
#define UART_FR_RX_EMPTY (1u << 4)
#define UART_FR_TX_FULL (1u << 5)
#define UART_LCR_H_8N1_FIFO (0x60u | 0x10u)
#define UART_CR_ON (1u | 1u << 8 | 1u << 9)
#define UART_CR_RTS_CTS (1u << 14 | 1u << 15)
#define UART_INT_RX (1u << 4)
#define UART_INT_TX (1u << 5)
#define UART_INT_RX_TIMEOUT (1u << 6)
#define UART_INT_OVERRUN (1u << 10)

#define ADC_CS 0x4004c000u
#define ADC_RESULT 0x4004c004u
#define ADC_CS_ENABLE (1u << 0)
#define ADC_CS_SENSOR (1u << 1)
#define ADC_CS_START (1u << 2)
#define ADC_CS_READY (1u << 8)
#define ADC_CS_ERROR (1u << 9)
#define ADC_CS_CHANNEL(n) ((uint32_t)(n) << 12)

#define IO_CTRL(pin) (0x40014004u + 8u * (uint32_t)(pin))
#define IO_INTR(group) (0x400140f0u + 4u * (uint32_t)(group))
#define IO_PROC0_INTE(group) (0x40014100u + 4u * (uint32_t)(group))
#define IO_UART 2u
#define IO_SIO 5u
#define IO_NONE 31u
#define PAD(pin) (0x4001c004u + 4u * (uint32_t)(pin))
#define PAD_SCHMITT (1u << 1)
#define PAD_PULL_UP (1u << 3)
#define PAD_4_MA (1u << 4)
#define PAD_INPUT (1u << 6)
#define PAD_OUTPUT_OFF (1u << 7)

#define SIO_GPIO_IN 0xd0000004u
#define SIO_GPIO_OUT 0xd0000010u
#define SIO_GPIO_OUT_SET 0xd0000014u
#define SIO_GPIO_OUT_CLEAR 0xd0000018u
#define SIO_GPIO_OE_SET 0xd0000024u
#define SIO_GPIO_OE_CLEAR 0xd0000028u

#define ROSC_RANDOMBIT 0x4006001cu

#define SSI_SR 0x18000028u
#define SSI_RXFLR 0x18000024u
#define SSI_DR0 0x18000060u
#define QSPI_SS_CTRL 0x4001800cu
#define QSPI_SS_LOW (2u << 8)

#define NVIC_ISER 0xe000e100u
#define NVIC_ICER 0xe000e180u
#define NVIC_IPR(n) (0xe000e400u + 4u * ((uint32_t)(n) / 4u))
#define SCB_VTOR 0xe000ed08u

#define IRQ_TIMER0 0u
#define IRQ_IO_BANK0 13u
#define IRQ_UART0 20u
#define IRQ_UART1 21u

#endif
