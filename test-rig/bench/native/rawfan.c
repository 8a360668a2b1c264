/* Raw TCP fan-out, the reference: what a publisher sends goes to every viewer with one send per message and viewer.
 * One thread, epoll, no copy where the socket takes a whole message. Frames: 4-byte big-endian length, payload.
 * Bounded: messages of at most 1 MiB, at most 16 MiB waiting per viewer (then it is closed, and counted on stderr). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 16384
#define MAX_MESSAGE_BYTES (1u << 20)
#define INPUT_BYTES (MAX_MESSAGE_BYTES + 4 + (256u << 10))
#define MAX_WAITING_BYTES (16u << 20)
#define MAX_EVENTS 256

typedef enum { FREE, NEW, PUBLISHER, VIEWER } kind_t;

typedef struct {
  kind_t kind;
  uint32_t generation;
  /* Publisher: bytes of messages that are not whole yet. */
  uint8_t *input;
  size_t input_length;
  /* Viewer: what its socket would not take yet. */
  uint8_t *waiting;
  size_t waiting_length, waiting_from, waiting_size;
  size_t place;
} connection_t;

static connection_t connections[MAX_CONNECTIONS];
static int viewers[MAX_CONNECTIONS];
static size_t viewer_count;
static int epoll_fd;

static void watch(int fd, uint32_t events, int operation) {
  uint64_t tag = (uint64_t)connections[fd].generation << 32 | (uint32_t)fd;
  struct epoll_event event = {.events = events, .data.u64 = tag};
  epoll_ctl(epoll_fd, operation, fd, &event);
}

static void drop(int fd) {
  connection_t *connection = &connections[fd];
  if (connection->kind == VIEWER) {
    viewer_count--;
    viewers[connection->place] = viewers[viewer_count];
    connections[viewers[connection->place]].place = connection->place;
  }
  free(connection->input);
  free(connection->waiting);
  *connection = (connection_t){.kind = FREE, .generation = connection->generation + 1};
  close(fd);
}

static bool wait_for_room(int fd, const uint8_t *bytes, size_t length) {
  connection_t *viewer = &connections[fd];
  size_t held = viewer->waiting_length - viewer->waiting_from;
  if (held + length > MAX_WAITING_BYTES) {
    fputs("rawfan: a viewer is more than 16 MiB behind and was closed\n", stderr);
    return false;
  }
  if (viewer->waiting_length + length > viewer->waiting_size) {
    memmove(viewer->waiting, viewer->waiting + viewer->waiting_from, held);
    viewer->waiting_from = 0;
    viewer->waiting_length = held;
    if (held + length > viewer->waiting_size) {
      size_t size = 2 * (held + length);
      uint8_t *larger = realloc(viewer->waiting, size);
      if (larger == NULL) return false;
      viewer->waiting = larger;
      viewer->waiting_size = size;
    }
  }
  memcpy(viewer->waiting + viewer->waiting_length, bytes, length);
  viewer->waiting_length += length;
  if (held == 0) watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
  return true;
}

/* False when the viewer must go. */
static bool send_to(int fd, const uint8_t *bytes, size_t length) {
  connection_t *viewer = &connections[fd];
  if (viewer->waiting_length > viewer->waiting_from) return wait_for_room(fd, bytes, length);
  ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && errno != EAGAIN) return false;
  size_t done = sent < 0 ? 0 : (size_t)sent;
  return done == length || wait_for_room(fd, bytes + done, length - done);
}

static void publish(const uint8_t *message, size_t length) {
  for (size_t i = viewer_count; i > 0; i--) {
    int fd = viewers[i - 1];
    if (!send_to(fd, message, length)) drop(fd);
  }
}

/* False when it sent something that is no message. */
static bool publish_whole_messages(connection_t *publisher) {
  size_t at = 0;
  while (publisher->input_length - at >= 4) {
    const uint8_t *header = publisher->input + at;
    size_t length =
        (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 | (size_t)header[3];
    if (length > MAX_MESSAGE_BYTES) return false;
    if (publisher->input_length - at < 4 + length) break;
    publish(header, 4 + length);
    at += 4 + length;
  }
  publisher->input_length -= at;
  memmove(publisher->input, publisher->input + at, publisher->input_length);
  return true;
}

static bool read_role(int fd, connection_t *connection) {
  char role = 0;
  ssize_t got = recv(fd, &role, 1, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return true;
  if (got != 1 || (role != 'P' && role != 'S')) return false;
  if (role == 'P') {
    connection->kind = PUBLISHER;
    connection->input = malloc(INPUT_BYTES);
    if (connection->input == NULL) return false;
  } else {
    connection->kind = VIEWER;
    connection->place = viewer_count;
    viewers[viewer_count++] = fd;
  }
  return send(fd, "K", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1;
}

/* False when the connection must go. */
static bool read_from(int fd) {
  connection_t *connection = &connections[fd];
  if (connection->kind == NEW) return read_role(fd, connection);
  if (connection->kind == VIEWER) {
    uint8_t ignored[256];
    ssize_t got = recv(fd, ignored, sizeof ignored, MSG_DONTWAIT);
    return got > 0 || (got < 0 && errno == EAGAIN);
  }
  size_t room = INPUT_BYTES - connection->input_length;
  ssize_t got = recv(fd, connection->input + connection->input_length, room, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return true;
  if (got <= 0) return false;
  connection->input_length += (size_t)got;
  return publish_whole_messages(connection);
}

static bool write_waiting(int fd) {
  connection_t *viewer = &connections[fd];
  size_t held = viewer->waiting_length - viewer->waiting_from;
  if (held == 0) return true;
  ssize_t sent = send(fd, viewer->waiting + viewer->waiting_from, held, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return errno == EAGAIN;
  viewer->waiting_from += (size_t)sent;
  if ((size_t)sent == held) {
    viewer->waiting_from = viewer->waiting_length = 0;
    watch(fd, EPOLLIN, EPOLL_CTL_MOD);
  }
  return true;
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= MAX_CONNECTIONS) {
      close(fd);
      continue;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[fd].kind = NEW;
    watch(fd, EPOLLIN, EPOLL_CTL_ADD);
  }
}

static int listen_anywhere(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, 4096) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
    perror("rawfan: cannot listen");
    exit(1);
  }
  printf("{\"port\":%d}\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void serve(uint64_t tag, uint32_t events) {
  int fd = (int)(uint32_t)tag;
  connection_t *connection = &connections[fd];
  /* An event of an earlier owner of the same number. */
  if (connection->kind == FREE || connection->generation != (uint32_t)(tag >> 32)) return;
  if ((events & EPOLLOUT) != 0 && !write_waiting(fd)) drop(fd);
  else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !read_from(fd)) drop(fd);
}

int main(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  int listener = listen_anywhere();
  if (epoll_fd < 0 || listener >= MAX_CONNECTIONS) return 1;
  watch(listener, EPOLLIN, EPOLL_CTL_ADD);
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
    if (count < 0 && errno != EINTR) return 1;
    for (int i = 0; i < count; i++) {
      if ((int)(uint32_t)events[i].data.u64 == listener) accept_all(listener);
      else serve(events[i].data.u64, events[i].events);
    }
  }
}
