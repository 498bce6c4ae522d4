/*
 * A queue of packets in one buffer: the queue operations of hal.ts. Its numbers stand in front of its packets, and a
 * packet says its own length, so nothing else is kept of it:
 *
 *     numbers | free | over | kept | over | kept | being sent | waiting | waiting | free
 *                    head                        next                           tail
 *
 * A packet lies in one piece. One that does not fit before the end of the buffer begins at the front again; `end` tells
 * where the packets before it end. A packet that is over has 0 for its first byte, until everything older is over too.
 */
#include <string.h>

#include "arguments.h"
#include "natives.h"

/* In the order of QueueNumber in hal.ts. Places are offsets into the buffer. */
struct queue {
  int32_t size;
  int32_t slots;
  int32_t count;
  int32_t due;
  int32_t partial;
  int32_t run;
  int32_t used;
  int32_t high_bytes;
  int32_t high_count;
  int32_t refused;
  int32_t refused_slots;
  int32_t held;
  int32_t head;
  int32_t next;
  int32_t tail;
  int32_t end;
  /* Of the packet that is being written: where its room begins, and where its body does. */
  int32_t open;
  int32_t body;
  /* How many packets may be held, and the bits of a first byte that make a run look twice. */
  int32_t window;
  int32_t stops;
};

/* In a queue with a window: the packet only keeps the place of one that is sent from elsewhere. */
#define PLACEHOLDER 0x80

#define FRONT ((int32_t)sizeof(struct queue))

struct place {
  struct queue *queue;
  struct bytes all;
};

static struct place queue_argument(lua_State *L) {
  struct bytes all = bytes_argument(L, 1);
  if (all.length <= FRONT) argument_error(L, OUT_OF_RANGE);
  return (struct place){(struct queue *)(void *)all.at, all};
}

static void empty(struct place here) {
  struct queue *queue = here.queue;
  queue->count = queue->due = queue->partial = queue->used = queue->run = queue->held = 0;
  queue->head = queue->next = queue->tail = FRONT;
  queue->end = here.all.length;
}

int native_createQueue(lua_State *L) {
  int32_t size = size_argument(L, 1);
  int32_t slots = integer_argument(L, 2);
  struct bytes all = new_bytes(L, FRONT + size);
  struct place here = {(struct queue *)(void *)all.at, all};
  here.queue->size = size;
  here.queue->slots = slots;
  empty(here);
  return 1;
}

int native_queueNumber(lua_State *L) {
  struct place here = queue_argument(L);
  int32_t which = integer_argument(L, 2);
  if (which < 0 || which >= (int32_t)(sizeof *here.queue / sizeof(int32_t))) argument_error(L, OUT_OF_RANGE);
  return give_integer(L, (&here.queue->size)[which]);
}

/* Where `count` bytes have room in one piece; -1 if nowhere. */
static int32_t room_for(struct place here, int32_t count) {
  const struct queue *queue = here.queue;
  bool wrapped = queue->used > 0 && queue->tail <= queue->head;
  if (count <= (wrapped ? queue->head : here.all.length) - queue->tail) return queue->tail;
  return !wrapped && count <= queue->head - FRONT ? FRONT : -1;
}

int native_queueFits(lua_State *L) {
  struct place here = queue_argument(L);
  return give_boolean(L, here.queue->count < here.queue->slots && room_for(here, integer_argument(L, 2)) >= 0);
}

/* The same, counted when there is none. */
static int32_t reserve(struct place here, int32_t count) {
  if (here.queue->count == here.queue->slots) {
    here.queue->refused_slots += 1;
    return -1;
  }
  int32_t at = room_for(here, count);
  if (at < 0) here.queue->refused += 1;
  return at;
}

/* The packet of `length` bytes at `at`, where room was found, is in the queue. */
static void commit(struct place here, int32_t at, int32_t length) {
  struct queue *queue = here.queue;
  if (at != queue->tail) {
    queue->end = queue->tail;
    queue->used += here.all.length - queue->tail;
  }
  if (queue->due == 0) queue->next = at;
  queue->tail = at + length;
  queue->used += length;
  queue->count += 1;
  queue->due += 1;
  if (queue->used > queue->high_bytes) queue->high_bytes = queue->used;
  if (queue->count > queue->high_count) queue->high_count = queue->count;
}

int native_queueAdd(lua_State *L) {
  struct place here = queue_argument(L);
  struct bytes packet = bytes_argument(L, 2);
  int32_t at = reserve(here, packet.length);
  if (at < 0) return give_boolean(L, false);
  memcpy(range(L, here.all, at, packet.length), packet.at, (size_t)packet.length);
  commit(here, at, packet.length);
  return give_boolean(L, true);
}

/* How many bytes tell `length`: seven bits each. */
static int32_t length_size(int32_t length) {
  int32_t size = 1;
  while (length >= 128) {
    length /= 128;
    size += 1;
  }
  return size;
}

/* The lowest bits first; all but the last have their highest bit set. */
static void put_length(uint8_t *into, int32_t length) {
  while (length >= 128) {
    *into++ = (uint8_t)(length | 128);
    length /= 128;
  }
  *into = (uint8_t)length;
}

int native_queueOpen(lua_State *L) {
  struct place here = queue_argument(L);
  struct bytes head = bytes_argument(L, 2);
  int32_t more = integer_argument(L, 3);
  if (more < 0 || more > UINT16_MAX) argument_error(L, OUT_OF_RANGE);
  int32_t room = head.length + more;
  int32_t header_size = 1 + length_size(room);
  int32_t at = reserve(here, header_size + room);
  if (at < 0) return give_integer(L, -1);
  here.queue->open = at;
  here.queue->body = at + header_size;
  memcpy(range(L, here.all, here.queue->body, head.length), head.at, (size_t)head.length);
  return give_integer(L, here.queue->body + head.length);
}

int native_queueClose(lua_State *L) {
  struct place here = queue_argument(L);
  struct queue *queue = here.queue;
  int32_t length = integer_argument(L, 2) - queue->body;
  const uint8_t *body = range(L, here.all, queue->body, length);
  int32_t header_size = 1 + length_size(length);
  uint8_t *packet = range(L, here.all, queue->open, header_size + length);
  if (packet + header_size != body) memmove(packet + header_size, body, (size_t)length);
  packet[0] = (uint8_t)integer_argument(L, 3);
  put_length(packet + 1, length);
  commit(here, queue->open, header_size + length);
  return 0;
}

int native_queuePut(lua_State *L) {
  struct place here = queue_argument(L);
  struct bytes head = bytes_argument(L, 3);
  int32_t count = integer_argument(L, 6);
  const uint8_t *from = range_argument(L, 4, count);
  int32_t length = head.length + count;
  int32_t header_size = 1 + length_size(length);
  int32_t at = reserve(here, header_size + length);
  if (at < 0) return give_integer(L, -1);
  uint8_t *packet = range(L, here.all, at, header_size + length);
  packet[0] = (uint8_t)integer_argument(L, 2);
  put_length(packet + 1, length);
  memcpy(packet + header_size, head.at, (size_t)head.length);
  memmove(packet + header_size + head.length, from, (size_t)count);
  commit(here, at, header_size + length);
  return give_integer(L, at + header_size + head.length);
}

/* How long the packet at `at` is, with its header. */
static int32_t packet_length(lua_State *L, struct place here, int32_t at) {
  int32_t length = range(L, here.all, at, 2)[1];
  if (length < 128) {
    range(L, here.all, at, 2 + length);
    return 2 + length;
  }
  int32_t header = 1;
  length = 0;
  for (int32_t shift = 0; shift < 28; shift += 7) {
    uint8_t byte = *range(L, here.all, at + header, 1);
    length |= (byte & 127) << shift;
    header += 1;
    if (byte < 128) break;
  }
  range(L, here.all, at, header + length);
  return header + length;
}

/* Where the packet behind the one that ends at `end` begins, if there is one. */
static int32_t behind(struct place here, int32_t end) {
  return end == here.queue->end ? FRONT : end;
}

/* Whether a packet that has not begun, and has one of the bits of `stops`, has to wait with `held` packets held. */
static bool waits(const struct queue *queue, uint8_t first, int32_t held) {
  return (first & PLACEHOLDER) != 0 || held >= queue->window;
}

/* How many bytes go next, as whole packets if one fits. */
static int32_t next_run(lua_State *L, struct place here, int32_t limit, int32_t most) {
  const struct queue *queue = here.queue;
  if (most > queue->due) most = queue->due;
  int32_t at = queue->next;
  int32_t gone = queue->partial;
  int32_t total = 0;
  int32_t held = queue->held;
  for (; most > 0; most -= 1) {
    int32_t length = packet_length(L, here, at);
    uint8_t first = here.all.at[at];
    if ((first & queue->stops) != 0) {
      if (gone == 0 && waits(queue, first, held)) return total;
      held += 1;
    }
    if (total + length - gone > limit) return total == 0 ? limit : total;
    total += length - gone;
    gone = 0;
    at = behind(here, at + length);
  }
  return total;
}

int native_queueRun(lua_State *L) {
  struct place here = queue_argument(L);
  here.queue->run = next_run(L, here, integer_argument(L, 2), integer_argument(L, 3));
  return give_integer(L, here.queue->run);
}

int native_queueWindow(lua_State *L) {
  struct queue *queue = queue_argument(L).queue;
  queue->stops = integer_argument(L, 2) | PLACEHOLDER;
  queue->window = integer_argument(L, 3);
  return 0;
}

int native_queueReady(lua_State *L) {
  struct place here = queue_argument(L);
  const struct queue *queue = here.queue;
  if (queue->due == 0) return give_boolean(L, false);
  uint8_t first = *range(L, here.all, queue->next, 1);
  return give_boolean(L, (first & queue->stops) == 0 || queue->partial > 0 || !waits(queue, first, queue->held));
}

int native_queuePlaceholder(lua_State *L) {
  struct place here = queue_argument(L);
  const struct queue *queue = here.queue;
  if (queue->due == 0 || queue->partial > 0 || queue->stops == 0) return give_integer(L, -1);
  uint8_t first = *range(L, here.all, queue->next, 1);
  bool open = (first & queue->stops) == PLACEHOLDER || queue->held < queue->window;
  return give_integer(L, (first & PLACEHOLDER) != 0 && open ? queue->next : -1);
}

int native_queueNext(lua_State *L) {
  struct place here = queue_argument(L);
  return give_integer(L, here.queue->next + here.queue->partial);
}

int native_queuePiece(lua_State *L) {
  const struct queue *queue = queue_argument(L).queue;
  int32_t left = (queue->next < queue->tail ? queue->tail : queue->end) - queue->next - queue->partial;
  return give_integer(L, queue->run < left ? queue->run : left);
}

/* Gives back the oldest packets, as long as they are over. */
static void release(lua_State *L, struct place here) {
  struct queue *queue = here.queue;
  while (queue->count > queue->due && *range(L, here.all, queue->head, 1) == 0) {
    int32_t length = packet_length(L, here, queue->head);
    queue->head += length;
    queue->used -= length;
    queue->count -= 1;
    if (queue->head != queue->end) continue;
    queue->used -= here.all.length - queue->end;
    queue->head = FRONT;
    queue->end = here.all.length;
  }
  if (queue->count == 0) empty(here);
}

int native_queueTaken(lua_State *L) {
  struct place here = queue_argument(L);
  struct queue *queue = here.queue;
  int32_t kept = 0;
  int32_t count = integer_argument(L, 2);
  queue->partial += count;
  queue->run = queue->run > count ? queue->run - count : 0;
  uint8_t mask = (uint8_t)integer_argument(L, 3);
  while (queue->due > 0) {
    int32_t length = packet_length(L, here, queue->next);
    if (queue->partial < length) break;
    uint8_t *first = range(L, here.all, queue->next, 1);
    queue->partial -= length;
    queue->next = behind(here, queue->next + length);
    queue->due -= 1;
    if ((*first & mask) != 0) {
      kept += 1;
    } else {
      *first = 0;
    }
  }
  queue->held += kept;
  release(L, here);
  return give_integer(L, kept);
}

int native_queueFirst(lua_State *L) {
  struct place here = queue_argument(L);
  return give_integer(L, here.queue->head);
}

int native_queueAfter(lua_State *L) {
  struct place here = queue_argument(L);
  int32_t at = integer_argument(L, 2);
  return give_integer(L, behind(here, at + packet_length(L, here, at)));
}

/* The number behind the string that the body of the packet at `at` begins with. */
static int32_t number_at(lua_State *L, struct place here, int32_t at) {
  int32_t string = at + 2;
  while (here.all.at[string - 1] >= 128) string += 1;
  const uint8_t *two = range(L, here.all, string, 2);
  two = range(L, here.all, string + 2 + (two[0] << 8 | two[1]), 2);
  return two[0] << 8 | two[1];
}

int native_queueFind(lua_State *L) {
  struct place here = queue_argument(L);
  uint8_t mask = (uint8_t)integer_argument(L, 2);
  int32_t value = integer_argument(L, 3);
  int32_t count = here.queue->count - (boolean_argument(L, 4) ? here.queue->due : 0);
  int32_t at = here.queue->head;
  for (; count > 0; count -= 1) {
    int32_t length = packet_length(L, here, at);
    if ((here.all.at[at] & mask) != 0 && number_at(L, here, at) == value) return give_integer(L, at);
    at = behind(here, at + length);
  }
  return give_integer(L, -1);
}

#define NUMBERS 65536

/* The first number from `found` on that no packet has. Those in the order of their numbers are passed in one look. */
int native_queueUnused(lua_State *L) {
  struct place here = queue_argument(L);
  uint8_t mask = (uint8_t)integer_argument(L, 2);
  int32_t found = integer_argument(L, 3);
  for (bool again = true; again;) {
    again = false;
    int32_t at = here.queue->head;
    for (int32_t left = here.queue->count; left > 0; left -= 1) {
      int32_t length = packet_length(L, here, at);
      if ((here.all.at[at] & mask) != 0 && number_at(L, here, at) == found) {
        found += 1;
        again = true;
      }
      at = behind(here, at + length);
    }
  }
  return give_integer(L, found);
}

int native_queueUsed(lua_State *L) {
  struct place here = queue_argument(L);
  uint8_t mask = (uint8_t)integer_argument(L, 2);
  int32_t from = integer_argument(L, 3);
  int32_t nearest = NUMBERS;
  int32_t at = here.queue->head;
  for (int32_t left = here.queue->count; left > 0; left -= 1) {
    int32_t length = packet_length(L, here, at);
    if ((here.all.at[at] & mask) != 0) {
      int32_t number = number_at(L, here, at);
      if (number >= from && number < nearest) nearest = number;
    }
    at = behind(here, at + length);
  }
  return give_integer(L, nearest);
}

int native_queueOver(lua_State *L) {
  struct place here = queue_argument(L);
  int32_t at = integer_argument(L, 2);
  bool oldest = at == here.queue->head;
  uint8_t *first = range(L, here.all, at, 1);
  if (*first != 0) here.queue->held -= 1;
  *first = 0;
  release(L, here);
  return give_boolean(L, oldest);
}

int native_queueClear(lua_State *L) {
  empty(queue_argument(L));
  return 0;
}

/*
 * Slides the `left` packets from the one at `from` on down to `to`, in their order, without those that are over. `gone`
 * of them have gone. What stood at the front follows what stands before the end of the buffer, where it fits.
 */
static void slide(lua_State *L, struct place here, int32_t to, int32_t from, int32_t gone, int32_t left) {
  struct queue *queue = here.queue;
  int32_t end = queue->end;
  bool upper = queue->tail > queue->head || to >= queue->head;
  bool next_known = gone == 0 && from != queue->next;
  if (from == queue->head) queue->head = to;
  if (upper) queue->end = here.all.length;
  for (; left > 0; left -= 1) {
    if (from == end) from = FRONT;
    int32_t length = packet_length(L, here, from);
    bool is_due = gone == 0;
    if (!is_due) gone -= 1;
    if (here.all.at[from] == 0) {
      queue->count -= 1;
      if (is_due) queue->due -= 1;
    } else {
      if (upper && length > here.all.length - to) {
        queue->end = to;
        to = FRONT;
        upper = false;
      }
      memmove(range(L, here.all, to, length), here.all.at + from, (size_t)length);
      if (is_due && !next_known) {
        queue->next = to;
        next_known = true;
      }
      to += length;
    }
    from += length;
  }
  if (!upper && to == FRONT) {
    /* Nothing is left at the front. */
    to = queue->end;
    queue->end = here.all.length;
  }
  queue->tail = to;
  if (queue->count == 0) {
    empty(here);
    return;
  }
  if (queue->head == queue->end) {
    queue->head = FRONT;
    queue->end = here.all.length;
  }
  queue->used = queue->tail > queue->head ? queue->tail - queue->head
                                          : here.all.length - queue->head + queue->tail - FRONT;
}

static void reverse(uint8_t *at, int32_t count) {
  for (uint8_t *last = at + count - 1; at < last; at += 1, last -= 1) {
    uint8_t byte = *at;
    *at = *last;
    *last = byte;
  }
}

/*
 * What goes on at the front follows the rest instead, from the front on: the two parts are put side by side, and change
 * places, which is what turning each of them round, and then both together, does.
 */
static void straighten(lua_State *L, struct place here) {
  struct queue *queue = here.queue;
  int32_t later = queue->tail - FRONT;
  int32_t earlier = queue->end - queue->head;
  uint8_t *front = range(L, here.all, FRONT, later + earlier);
  memmove(front + later, range(L, here.all, queue->head, earlier), (size_t)earlier);
  reverse(front, later);
  reverse(front + later, earlier);
  reverse(front, later + earlier);
  queue->next += queue->next < queue->head ? earlier : FRONT - queue->head;
  queue->head = FRONT;
  queue->tail = FRONT + later + earlier;
  queue->end = here.all.length;
}

/* Slides everything to the front, so that what is free is in one piece behind it. */
static void slide_all(lua_State *L, struct place here) {
  const struct queue *queue = here.queue;
  if (queue->count == 0) return;
  if (queue->tail <= queue->head) straighten(L, here);
  slide(L, here, FRONT, queue->head, queue->count - queue->due, queue->count);
}

int native_queueRewind(lua_State *L) {
  struct place here = queue_argument(L);
  struct queue *queue = here.queue;
  queue->due = queue->count;
  queue->partial = queue->run = queue->held = 0;
  queue->next = queue->head;
  slide_all(L, here);
  return 0;
}

/* The packets that have neither begun nor are in the run: gives the place of the first, and their number. */
static int32_t untouched(lua_State *L, struct place here, int32_t *count) {
  int32_t at = here.queue->next;
  int32_t busy = here.queue->partial + here.queue->run;
  for (*count = here.queue->due; *count > 0 && busy > 0; *count -= 1) {
    int32_t length = packet_length(L, here, at);
    busy -= length;
    at = behind(here, at + length);
  }
  return at;
}

int native_queueCompact(lua_State *L) {
  struct place here = queue_argument(L);
  if (here.queue->run == 0) {
    slide_all(L, here);
    return 0;
  }
  int32_t left;
  int32_t at = untouched(L, here, &left);
  if (left > 0) slide(L, here, at, at, 0, left);
  return 0;
}

/* What may be dropped, as the arguments from `index` on tell it. */
struct choice {
  uint8_t never;
  uint8_t unless;
  const uint8_t *head;
  int32_t count;
};

static struct choice choice_argument(lua_State *L, int index) {
  int32_t count = integer_argument(L, index + 3);
  return (struct choice){
    (uint8_t)integer_argument(L, index),
    (uint8_t)integer_argument(L, index + 1),
    range(L, bytes_argument(L, index + 2), 0, count),
    count,
  };
}

static bool is_chosen(const uint8_t *packet, int32_t length, struct choice choice) {
  if ((packet[0] & choice.never) != 0) return false;
  if ((packet[0] & choice.unless) == 0) return true;
  int32_t header = 2;
  while (packet[header - 1] >= 128) header += 1;
  if (choice.count == 0 || choice.count > length - header) return false;
  return memcmp(packet + header, choice.head, (size_t)choice.count) == 0;
}

int native_queueWaiting(lua_State *L) {
  struct place here = queue_argument(L);
  struct choice choice = choice_argument(L, 2);
  int32_t left;
  int32_t at = untouched(L, here, &left);
  for (left -= integer_argument(L, 6); left > 0; left -= 1) {
    int32_t length = packet_length(L, here, at);
    if (is_chosen(here.all.at + at, length, choice)) return give_integer(L, at);
    at = behind(here, at + length);
  }
  return give_integer(L, -1);
}

/* Without a run, everything can be slid together: it is a matter of how many bytes there are. */
static bool fits_together(lua_State *L, struct place here, int32_t room, struct choice choice) {
  const struct queue *queue = here.queue;
  int32_t left;
  int32_t first = untouched(L, here, &left);
  int32_t older = queue->count - left;
  int32_t count = 0;
  int32_t at = queue->head;
  for (int32_t i = 0; i < queue->count; i += 1) {
    if (i == older) at = first;
    int32_t length = packet_length(L, here, at);
    const uint8_t *packet = here.all.at + at;
    if (packet[0] != 0 && (i < older || !is_chosen(packet, length, choice))) {
      room += length;
      count += 1;
    }
    at = behind(here, at + length);
  }
  return count < queue->slots && room <= here.all.length - FRONT;
}

/* With a run, only what is behind it moves: down to its end, or on to the front. */
static bool fits_behind_run(lua_State *L, struct place here, int32_t room, struct choice choice) {
  const struct queue *queue = here.queue;
  int32_t left;
  int32_t at = untouched(L, here, &left);
  int32_t to = left == 0 ? queue->tail : at;
  int32_t count = queue->count - left;
  bool upper = queue->tail > queue->head || to >= queue->head;
  for (; left > 0; left -= 1) {
    int32_t length = packet_length(L, here, at);
    if (!is_chosen(here.all.at + at, length, choice)) {
      if (upper && length > here.all.length - to) {
        to = FRONT;
        upper = false;
      }
      to += length;
      count += 1;
    }
    at = behind(here, at + length);
  }
  if (count >= queue->slots) return false;
  if (upper && room <= here.all.length - to) return true;
  return room <= queue->head - (upper ? FRONT : to);
}

int native_queueCouldFit(lua_State *L) {
  struct place here = queue_argument(L);
  int32_t room = integer_argument(L, 2);
  struct choice choice = choice_argument(L, 3);
  if (room > here.queue->size) return give_boolean(L, false);
  bool could = here.queue->run == 0 ? fits_together(L, here, room, choice) : fits_behind_run(L, here, room, choice);
  return give_boolean(L, could);
}

int native_queueDrop(lua_State *L) {
  struct place here = queue_argument(L);
  int32_t dropped = integer_argument(L, 2);
  int32_t left;
  int32_t at = untouched(L, here, &left);
  for (; left > 0 && at != dropped; left -= 1) at = behind(here, at + packet_length(L, here, at));
  if (left <= 0) argument_error(L, OUT_OF_RANGE);
  here.all.at[at] = 0;
  slide(L, here, at, at, 0, left);
  return 0;
}
