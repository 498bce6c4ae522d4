/* The table of frozen strings, for whoever writes it and whoever reads it. */
#ifndef MOTH_FROZEN_TABLE_H
#define MOTH_FROZEN_TABLE_H

/* Buckets of the table of strings, frozen or not: a power of two, about as many as there are strings. */
#define FROZEN_BUCKETS 512

#endif
