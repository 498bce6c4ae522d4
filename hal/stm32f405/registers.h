/*
 * The registers and bits of the STM32F405 that the port uses. Names and numbers are those of the reference manual
 * RM0090, and of the Cortex-M4 generic user guide for the core's own.
 */
#ifndef MOTH_STM32F405_REGISTERS_H
#define MOTH_STM32F405_REGISTERS_H

/* --- the core --- */
#define SYSTICK_CTRL 0xe000e010u
#define SYSTICK_LOAD 0xe000e014u
#define SYSTICK_VAL 0xe000e018u
#define SYSTICK_CTRL_ENABLE (1u << 0)
#define SYSTICK_CTRL_TICKINT (1u << 1)
#define SYSTICK_CTRL_CLKSOURCE (1u << 2)

#define NVIC_ISER 0xe000e100u
#define NVIC_ISPR 0xe000e200u
#define NVIC_IPR 0xe000e400u

#define SCB_VTOR 0xe000ed08u
#define SCB_AIRCR 0xe000ed0cu
#define SCB_AIRCR_RESET 0x05fa0004u
#define SCB_SHPR3 0xe000ed20u
#define SCB_CFSR 0xe000ed28u
#define SCB_CPACR 0xe000ed88u
#define SCB_CPACR_FPU (0xfu << 20)

/* --- reset and clocks --- */
#define RCC_CR 0x40023800u
#define RCC_CR_HSION (1u << 0)
#define RCC_CR_HSIRDY (1u << 1)
#define RCC_CR_HSEON (1u << 16)
#define RCC_CR_HSERDY (1u << 17)
#define RCC_CR_PLLON (1u << 24)
#define RCC_CR_PLLRDY (1u << 25)
#define RCC_PLLCFGR 0x40023804u
#define RCC_PLLCFGR_PLLM(m) ((uint32_t)(m) << 0)
#define RCC_PLLCFGR_PLLN(n) ((uint32_t)(n) << 6)
#define RCC_PLLCFGR_PLLP_2 (0u << 16)
#define RCC_PLLCFGR_PLLSRC_HSE (1u << 22)
#define RCC_PLLCFGR_PLLQ(q) ((uint32_t)(q) << 24)
#define RCC_CFGR 0x40023808u
#define RCC_CFGR_SW_PLL (2u << 0)
#define RCC_CFGR_SW_MASK (3u << 0)
#define RCC_CFGR_SWS_PLL (2u << 2)
#define RCC_CFGR_SWS_MASK (3u << 2)
#define RCC_CFGR_PPRE1_DIV4 (5u << 10)
#define RCC_CFGR_PPRE2_DIV2 (4u << 13)
#define RCC_CFGR_PPRE_MASK ((7u << 10) | (7u << 13))
#define RCC_AHB1ENR 0x40023830u
#define RCC_AHB1ENR_GPIOABC (7u << 0)
#define RCC_AHB2ENR 0x40023834u
#define RCC_AHB2ENR_RNG (1u << 6)
#define RCC_APB1ENR 0x40023840u
#define RCC_APB1ENR_TIM2 (1u << 0)
#define RCC_APB1ENR_PWR (1u << 28)
#define RCC_APB2ENR 0x40023844u
#define RCC_APB2ENR_ADC1 (1u << 8)
#define RCC_APB2ENR_SYSCFG (1u << 14)
#define RCC_CSR 0x40023874u
#define RCC_CSR_RMVF (1u << 24)
#define RCC_CSR_SFTRSTF (1u << 28)
#define RCC_CSR_IWDGRSTF (1u << 29)

#define PWR_CR 0x40007000u
#define PWR_CR_VOS (1u << 14)

/* --- flash controller --- */
#define FLASH_ACR 0x40023c00u
#define FLASH_ACR_LATENCY(states) ((uint32_t)(states) << 0)
#define FLASH_ACR_PRFTEN (1u << 8)
#define FLASH_ACR_ICEN (1u << 9)
#define FLASH_ACR_DCEN (1u << 10)
#define FLASH_ACR_DCRST (1u << 12)
#define FLASH_KEYR 0x40023c04u
#define FLASH_KEYR_1 0x45670123u
#define FLASH_KEYR_2 0xcdef89abu
#define FLASH_SR 0x40023c0cu
#define FLASH_SR_EOP (1u << 0)
#define FLASH_SR_OPERR (1u << 1)
#define FLASH_SR_WRPERR (1u << 4)
#define FLASH_SR_PGAERR (1u << 5)
#define FLASH_SR_PGPERR (1u << 6)
#define FLASH_SR_PGSERR (1u << 7)
#define FLASH_SR_ERRORS (FLASH_SR_OPERR | FLASH_SR_WRPERR | FLASH_SR_PGAERR | FLASH_SR_PGPERR | FLASH_SR_PGSERR)
#define FLASH_SR_BSY (1u << 16)
#define FLASH_CR 0x40023c10u
#define FLASH_CR_PG (1u << 0)
#define FLASH_CR_SER (1u << 1)
#define FLASH_CR_SNB(sector) ((uint32_t)(sector) << 3)
#define FLASH_CR_PSIZE_32 (2u << 8)
#define FLASH_CR_STRT (1u << 16)
#define FLASH_CR_LOCK (1u << 31)

/* --- pins --- */
#define GPIO(port) (0x40020000u + 0x400u * (uint32_t)(port))
#define GPIO_MODER 0x00u
#define GPIO_OTYPER 0x04u
#define GPIO_OSPEEDR 0x08u
#define GPIO_PUPDR 0x0cu
#define GPIO_IDR 0x10u
#define GPIO_BSRR 0x18u
#define GPIO_AFRL 0x20u

#define SYSCFG_MEMRMP 0x40013800u
#define SYSCFG_MEMRMP_SYSTEM_FLASH 1u
#define SYSCFG_EXTICR(line) (0x40013808u + 4u * ((uint32_t)(line) / 4u))
#define EXTI_IMR 0x40013c00u
#define EXTI_RTSR 0x40013c08u
#define EXTI_FTSR 0x40013c0cu
#define EXTI_PR 0x40013c14u

/* --- a 32-bit counter --- */
#define TIM2_CR1 0x40000000u
#define TIM2_CR1_CEN (1u << 0)
#define TIM2_EGR 0x40000014u
#define TIM2_EGR_UG (1u << 0)
#define TIM2_CNT 0x40000024u
#define TIM2_PSC 0x40000028u

/* --- UARTs --- */
#define USART1 0x40011000u
#define USART2 0x40004400u
#define USART3 0x40004800u
#define USART6 0x40011400u
#define USART_SR 0x00u
#define USART_SR_ORE (1u << 3)
#define USART_SR_RXNE (1u << 5)
#define USART_SR_TC (1u << 6)
#define USART_SR_TXE (1u << 7)
#define USART_DR 0x04u
#define USART_BRR 0x08u
#define USART_CR1 0x0cu
#define USART_CR1_RE (1u << 2)
#define USART_CR1_TE (1u << 3)
#define USART_CR1_RXNEIE (1u << 5)
#define USART_CR1_TXEIE (1u << 7)
#define USART_CR1_UE (1u << 13)
#define USART_CR3 0x14u
#define USART_CR3_RTSE (1u << 8)
#define USART_CR3_CTSE (1u << 9)

/* --- converter --- */
#define ADC1_SR 0x40012000u
#define ADC_SR_EOC (1u << 1)
#define ADC1_CR2 0x40012008u
#define ADC_CR2_ADON (1u << 0)
#define ADC_CR2_SWSTART (1u << 30)
#define ADC1_SMPR1 0x4001200cu
#define ADC1_SMPR2 0x40012010u
#define ADC1_SQR1 0x4001202cu
#define ADC1_SQR3 0x40012034u
#define ADC1_DR 0x4001204cu
#define ADC_CCR 0x40012304u
#define ADC_CCR_ADCPRE_DIV4 (1u << 16)
#define ADC_CCR_TSVREFE (1u << 23)

/* --- watchdog --- */
#define IWDG_KR 0x40003000u
#define IWDG_KR_FEED 0xaaaau
#define IWDG_KR_UNLOCK 0x5555u
#define IWDG_KR_START 0xccccu
#define IWDG_PR 0x40003004u
#define IWDG_RLR 0x40003008u
#define IWDG_SR 0x4000300cu
#define IWDG_SR_UPDATING 3u

/* --- chance, and who the chip is --- */
#define RNG_CR 0x50060800u
#define RNG_CR_RNGEN (1u << 2)
#define RNG_SR 0x50060804u
#define RNG_SR_DRDY (1u << 0)
#define RNG_SR_CECS (1u << 1)
#define RNG_SR_SECS (1u << 2)
#define RNG_DR 0x50060808u
#define UNIQUE_ID 0x1fff7a10u
#define SYSTEM_MEMORY 0x1fff0000u

#endif
