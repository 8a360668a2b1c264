#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine.h"
#include "modes.h"
#include "viewer.h"

#define MAX_EVENTS 256

static void ignore_message(void *context, uint64_t sent_ns, size_t payload_bytes) {
  (void)context, (void)sent_ns, (void)payload_bytes;
}

static void watch(int epoll_fd, int fd, void *tag) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
    fail("epoll refuses %s", tag == NULL ? "stdin: give it a pipe" : "a connection");
  }
}

/* Answers pings until stdin ends; gives the number of connections that the server closed. */
static int hold(viewer_t *viewers, int count) {
  int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  watch(epoll_fd, STDIN_FILENO, NULL);
  for (int i = 0; i < count; i++) watch(epoll_fd, viewers[i].fd, &viewers[i]);
  message_sink_t sink = {.on_message = ignore_message};
  int closed = 0;
  for (;;) {
    struct epoll_event events[MAX_EVENTS];
    int ready = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
    for (int i = 0; i < ready; i++) {
      viewer_t *viewer = events[i].data.ptr;
      if (viewer == NULL) return closed;
      uint8_t buffer[4096];
      ssize_t got = recv(viewer->fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) viewer_take(viewer, buffer, (size_t)got, &sink);
      else if (got == 0 || (errno != EAGAIN && errno != EINTR)) viewer->is_closed = true;
      if (viewer->is_closed) {
        close(viewer->fd);
        closed++;
      }
    }
  }
}

void run_idle(const options_t *options) {
  viewer_t *viewers = calloc((size_t)options->viewers + 1, sizeof *viewers);
  if (viewers == NULL) fail("no memory for %d connections", options->viewers);
  /* Unbuffered: afterwards the end of stdin is waited for with epoll. */
  setvbuf(stdin, NULL, _IONBF, 0);
  for (int i = 0; i < options->viewers; i++) {
    char path[MAX_PATH_BYTES] = "";
    if (options->proto == PROTO_WS) read_line(path, sizeof path, "a viewer's path");
    int fd = join(options->proto, options->port, ROLE_VIEWER, path);
    if (fd < 0) fail("the server refuses connection %d", i + 1);
    viewer_init(&viewers[i], options->proto, fd);
  }
  printf("{\"connected\":%d}\n", options->viewers);
  fflush(stdout);
  printf("{\"closed\":%d}\n", hold(viewers, options->viewers));
  free(viewers);
}
