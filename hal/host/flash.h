#ifndef MOTH_HOST_FLASH_H
#define MOTH_HOST_FLASH_H

/* Opens the file of --storage, or takes memory. Ends the program when it cannot. */
void flash_start(void);

#endif
