/* Takes the file that tools/build/bytecode.ts wrote into the image. */
  .section .application, "a"
  .balign 16
  .global application_image
application_image:
  .incbin APPLICATION_FILE
  .balign 16
#if defined(__linux__) && defined(__ELF__)
  .section .note.GNU-stack, "", %progbits
#endif
