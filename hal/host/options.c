#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

struct options options = {.watchdog = true};

static const char help[] =
    "Usage: moth-host [options]\n"
    "\n"
    "Runs a Moth application on this computer, in the runtime that boards have.\n"
    "\n"
    "  --application FILE  run this bytecode (.luac) in place of the built-in application\n"
    "  --module CHANNEL    where the UART to the Wi-Fi module leads (default: nowhere)\n"
    "  --console CHANNEL   where the console leads (default: stdio)\n"
    "  --control CHANNEL   pins and voltages as lines of text (default: none)\n"
    "  --storage FILE      the flash for settings (default: forgotten at the end)\n"
    "  --cut-after COUNT   fail the power after so many flash writes\n"
    "  --clock MS          what the clock shows at the start (default 0)\n"
    "  --seed NUMBER       of the random numbers (default: the clock)\n"
    "  --no-watchdog       do not look for a program that hangs\n"
    "  -h, --help          show this\n"
    "\n"
    "CHANNEL is stdio, pty (its name is printed), tcp:HOST:PORT, unix:PATH, or fd:NUMBER.\n";

static _Noreturn void complain(const char *what) {
  fprintf(stderr, "moth-host: %s; see moth-host --help\n", what);
  exit(2);
}

static unsigned long number(const char *text) {
  char *end;
  unsigned long value = strtoul(text, &end, 10);
  if (*text == '\0' || *end != '\0') complain("give a whole number to --cut-after, --clock and --seed");
  return value;
}

void options_read(int argc, char **argv) {
  static const struct option known[] = {
      {"application", required_argument, NULL, 'a'}, {"module", required_argument, NULL, 'm'},
      {"console", required_argument, NULL, 'c'},     {"control", required_argument, NULL, 'p'},
      {"storage", required_argument, NULL, 's'},     {"cut-after", required_argument, NULL, 'u'},
      {"clock", required_argument, NULL, 't'},       {"seed", required_argument, NULL, 'r'},
      {"no-watchdog", no_argument, NULL, 'w'},       {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0},
  };
  for (int option; (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
    switch (option) {
      case 'a': options.application = optarg; break;
      case 'm': options.module = optarg; break;
      case 'c': options.console = optarg; break;
      case 'p': options.control = optarg; break;
      case 's': options.storage = optarg; break;
      case 'u': options.cut_after = number(optarg); break;
      case 't': options.clock = number(optarg); break;
      case 'r': options.seed = number(optarg); break;
      case 'w': options.watchdog = false; break;
      case 'h':
        fputs(help, stdout);
        exit(0);
      default: exit(2);
    }
  }
  if (optind < argc) complain("it takes options only");
}
