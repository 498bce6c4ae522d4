/* The application's bytecode, where it lies in flash: a header, and the bytes that Lua runs in place. */
#ifndef MOTH_APPLICATION_H
#define MOTH_APPLICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct application {
  const char *bytecode;
  size_t size;
  /* Names the build: the checksum of the bytecode. */
  uint32_t build;
};

/* Where the application's header lies: in the image, unless the port says otherwise. Aligned to 8. */
const void *application_place(void);

/* Finds the application and checks that it is whole. False: there is none, or it is damaged. */
bool application_find(struct application *application);

#endif
