#include "application.h"

#include "checksum.h"

#define MAGIC 0x70706174u

/* As tools/build/bytecode.ts writes it. The bytecode follows, aligned to 8. */
struct header {
  uint32_t magic;
  uint32_t size;
  uint32_t build;
  uint32_t reserved;
};

/* application.S puts it into the image. */
extern const struct header application_image;

__attribute__((weak)) const void *application_place(void) {
  return &application_image;
}

bool application_find(struct application *application) {
  const struct header *header = application_place();
  if (header->magic != MAGIC) return false;
  application->bytecode = (const char *)(header + 1);
  application->size = header->size;
  application->build = header->build;
  return checksum(0, application->bytecode, header->size) == header->build;
}
