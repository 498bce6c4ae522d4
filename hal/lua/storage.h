/*
 * Small records that survive power loss: `Storage` of hal.ts, over two areas of flash.
 *
 * One area is in use: a log of records, each for a slot; the last whole one of a slot counts. A save appends. When the
 * area is full, the newest record of every slot is copied to the other one, which becomes the one in use the moment its
 * header is written. Nothing that counts is ever erased, so a power cut at any point leaves the old record or the new.
 * A record takes 8 bytes and its length, rounded up to 8; an empty one 8, and nothing once it has been left behind.
 *
 * An erase takes long on some chips, so it is done at boot when it can be. A move to the other area copies at most
 * seven eighths of an area: with 66 full slots 68 KB, 0.3 s on an STM32F405 besides the erase; on an RP2040 28 KB, 0.1 s.
 */
#ifndef MOTH_STORAGE_H
#define MOTH_STORAGE_H

#include <stdbool.h>
#include <stdint.h>

#define STORAGE_SLOTS 66
/* The first slots have their room whatever the others hold: a person's settings are never refused for kept messages. */
#define STORAGE_SETTING_SLOTS 8
#define STORAGE_RECORD_SIZE 1024

/* Finds out what is stored, and erases an area that holds nothing that counts. Once, at boot. */
void storage_start(void);

/* Copies the record of a slot. Gives its length; 0 when there is none; -1 when it is longer than `room` or no such slot. */
int32_t storage_load(int32_t slot, uint8_t *into, int32_t room);

/*
 * Replaces the record of a slot with `count` bytes, 0 to 1024. False: the old one stands. Only slots from 8 on can lack
 * room: together they have what the first eight leave, each at its largest, of seven eighths of an area. To empty a slot
 * is always possible.
 */
bool storage_save(int32_t slot, const uint8_t *from, int32_t count);

#endif
