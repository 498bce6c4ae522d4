/*
 * newlib's own errno brings a kilobyte of RAM along, for streams and locales that a board has not. Only fmodf sets it,
 * and nobody reads it.
 */
#ifdef BOARD_STACK_SIZE

int *__errno(void);

int *__errno(void) {
  static int error;
  return &error;
}

#else

typedef int the_computer_has_its_own;

#endif
