#include "control.h"

#include <stdio.h>
#include <string.h>

static struct channel channel = {-1, -1};
static char line[80];
static size_t length;
static bool levels[CONTROL_PINS];
static int32_t voltages[CONTROL_CHANNELS];

void control_start(const char *name) {
  for (int i = 0; i < CONTROL_CHANNELS; i += 1) voltages[i] = -1;
  channel = channel_open(name, "control");
}

int control_descriptor(void) {
  return channel.in;
}

static void obey(void) {
  int number;
  int value;
  if (sscanf(line, "pin %d %d", &number, &value) == 2 && number >= 0 && number < CONTROL_PINS) {
    levels[number] = value != 0;
  } else if (sscanf(line, "analog %d %d", &number, &value) == 2 && number >= 0 && number < CONTROL_CHANNELS) {
    voltages[number] = value;
  }
}

void control_listen(void) {
  uint8_t bytes[256];
  for (uint32_t count; (count = channel_read(&channel, bytes, sizeof bytes)) > 0;) {
    for (uint32_t i = 0; i < count; i += 1) {
      if (bytes[i] != '\n') {
        if (length < sizeof line - 1) line[length++] = (char)bytes[i];
        continue;
      }
      line[length] = '\0';
      length = 0;
      obey();
    }
  }
}

static void say(const char *text) {
  channel_write(&channel, (const uint8_t *)text, (uint32_t)strlen(text));
}

void control_say_pin(int32_t pin, bool high) {
  char text[40];
  snprintf(text, sizeof text, "pin %d %d\n", (int)pin, high);
  say(text);
}

void control_say_reset(bool held) {
  say(held ? "reset 1\n" : "reset 0\n");
}

void control_say_restart(const char *cause) {
  say("restart ");
  say(cause);
  say("\n");
}

bool control_pin(int32_t pin) {
  return pin >= 0 && pin < CONTROL_PINS && levels[pin];
}

int32_t control_analog(int32_t index) {
  return index >= 0 && index < CONTROL_CHANNELS ? voltages[index] : -1;
}
