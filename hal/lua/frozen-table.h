/* The table of frozen strings, for whoever writes it and whoever reads it. */
#ifndef MOTH_FROZEN_TABLE_H
#define MOTH_FROZEN_TABLE_H

/*
 * Buckets of the table of strings, frozen or not: a power of two. A pointer each, in RAM. Strings are looked up at boot, a
 * hundred times or two: some twenty in a bucket do no harm.
 */
#define FROZEN_BUCKETS 32

#endif
