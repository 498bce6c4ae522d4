#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static _Noreturn void cannot(const char *what, const char *name, const char *reason) {
  fprintf(stderr, "moth-host: --%s %s: %s\n", what, name, reason);
  exit(1);
}

static void set_unblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int open_tcp(const char *what, const char *name) {
  char host[256];
  const char *address = name + strlen("tcp:");
  const char *colon = strrchr(address, ':');
  if (colon == NULL || (size_t)(colon - address) >= sizeof host) cannot(what, name, "give tcp:HOST:PORT");
  memcpy(host, address, (size_t)(colon - address));
  host[colon - address] = '\0';
  struct addrinfo *found;
  const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
  int error = getaddrinfo(host, colon + 1, &wanted, &found);
  if (error != 0) cannot(what, name, gai_strerror(error));
  int fd = -1;
  for (const struct addrinfo *each = found; each != NULL && fd < 0; each = each->ai_next) {
    fd = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
    if (fd >= 0 && connect(fd, each->ai_addr, each->ai_addrlen) != 0) {
      close(fd);
      fd = -1;
    }
  }
  freeaddrinfo(found);
  if (fd < 0) cannot(what, name, strerror(errno));
  int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

static int open_unix(const char *what, const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *path = name + strlen("unix:");
  if (strlen(path) >= sizeof address.sun_path) cannot(what, name, "the path is too long");
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) cannot(what, name, strerror(errno));
  return fd;
}

static int open_pty(const char *what, const char *name) {
  int fd = posix_openpt(O_RDWR | O_NOCTTY);
  if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0) cannot(what, name, strerror(errno));
  struct termios raw;
  tcgetattr(fd, &raw);
  cfmakeraw(&raw);
  tcsetattr(fd, TCSANOW, &raw);
  fprintf(stderr, "moth-host: the %s is %s\n", what, ptsname(fd));
  /* Without anybody on the other side, a pty reads as if it had been hung up. */
  if (open(ptsname(fd), O_RDWR | O_NOCTTY) < 0) cannot(what, name, strerror(errno));
  return fd;
}

struct channel channel_open(const char *name, const char *what) {
  if (name == NULL) return (struct channel){-1, -1};
  int fd = -1;
  if (strcmp(name, "stdio") == 0) {
    set_unblocking(STDIN_FILENO);
    return (struct channel){STDIN_FILENO, STDOUT_FILENO};
  }
  if (strcmp(name, "pty") == 0) fd = open_pty(what, name);
  if (strncmp(name, "tcp:", 4) == 0) fd = open_tcp(what, name);
  if (strncmp(name, "unix:", 5) == 0) fd = open_unix(what, name);
  if (strncmp(name, "fd:", 3) == 0) fd = atoi(name + 3);
  if (fd < 0) cannot(what, name, "give stdio, pty, tcp:HOST:PORT, unix:PATH or fd:NUMBER");
  set_unblocking(fd);
  return (struct channel){fd, fd};
}

uint32_t channel_read(struct channel *channel, uint8_t *into, uint32_t room) {
  if (channel->in < 0 || room == 0) return 0;
  ssize_t count = read(channel->in, into, room);
  if (count > 0) return (uint32_t)count;
  if (count == 0 || (errno != EAGAIN && errno != EINTR)) channel->in = -1;
  return 0;
}

uint32_t channel_write(struct channel *channel, const uint8_t *from, uint32_t count) {
  /* A wire that leads nowhere takes every byte. */
  if (channel->out < 0 || count == 0) return count;
  ssize_t written = write(channel->out, from, count);
  if (written >= 0) return (uint32_t)written;
  if (errno != EAGAIN && errno != EINTR) channel->out = -1;
  return 0;
}
