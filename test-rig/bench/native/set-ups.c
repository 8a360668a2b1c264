#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "histogram.h"
#include "machine.h"
#include "modes.h"

#define MAX_TOKEN_BYTES 4096
#define MAX_ANSWER_BYTES 4096

typedef struct {
  const options_t *options;
  const char *token;
  uint64_t until_ns;
  uint64_t done, refused;
  histogram_t times;
} worker_t;

/* One POST on a connection that is kept; gives the path of the one-time address. */
static bool ask_for_path(const worker_t *worker, int fd, char *path, size_t size) {
  char request[MAX_TOKEN_BYTES + MAX_PATH_BYTES + 128];
  int length = snprintf(request, sizeof request,
                        "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: %s\r\nContent-Length: 0\r\n\r\n",
                        worker->options->topic_path, worker->token);
  char head[MAX_ANSWER_BYTES];
  if (length < 0 || (size_t)length >= sizeof request || !send_all(fd, (uint8_t *)request, (size_t)length) ||
      !read_http_head(fd, head, sizeof head) || strncmp(head, "HTTP/1.1 200 ", 13) != 0) {
    return false;
  }
  const char *field = strcasestr(head, "\r\ncontent-length:");
  size_t body_bytes = field == NULL ? 0 : strtoul(field + 17, NULL, 10);
  char body[MAX_ANSWER_BYTES];
  if (body_bytes == 0 || body_bytes >= sizeof body) return false;
  if (recv(fd, body, body_bytes, MSG_WAITALL) != (ssize_t)body_bytes) return false;
  body[body_bytes] = '\0';
  /* {"uri":"ws://host:port/session/topic?code=..."} */
  const char *address = strstr(body, "://");
  const char *from = address == NULL ? NULL : strchr(address + 3, '/');
  const char *end = from == NULL ? NULL : strchr(from, '"');
  if (end == NULL || (size_t)(end - from) >= size) return false;
  memcpy(path, from, (size_t)(end - from));
  path[end - from] = '\0';
  return true;
}

static bool set_up_ws(const worker_t *worker, int *access_fd) {
  if (*access_fd < 0) *access_fd = dial(worker->options->access_port);
  char path[MAX_PATH_BYTES];
  if (*access_fd < 0 || !ask_for_path(worker, *access_fd, path, sizeof path)) {
    if (*access_fd >= 0) close(*access_fd);
    *access_fd = -1;
    return false;
  }
  int fd = join(PROTO_WS, worker->options->port, ROLE_VIEWER, path);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

static bool set_up_raw(const worker_t *worker) {
  int fd = join(PROTO_RAW, worker->options->port, ROLE_VIEWER, "");
  if (fd < 0) return false;
  /* Reset instead of an orderly end: otherwise the local ports would run out within a second or two. */
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
  return true;
}

static void *work(void *argument) {
  worker_t *worker = argument;
  int access_fd = -1;
  for (uint64_t from_ns; (from_ns = now_ns()) < worker->until_ns;) {
    bool is_raw = worker->options->proto == PROTO_RAW;
    if (is_raw ? set_up_raw(worker) : set_up_ws(worker, &access_fd)) {
      worker->done++;
      histogram_add(&worker->times, now_ns() - from_ns);
    } else {
      worker->refused++;
    }
  }
  if (access_fd >= 0) close(access_fd);
  return NULL;
}

void run_set_ups(const options_t *options) {
  char token[MAX_TOKEN_BYTES] = "";
  if (options->proto == PROTO_WS) read_line(token, sizeof token, "the token");
  worker_t *workers = calloc((size_t)options->parallel, sizeof *workers);
  pthread_t *threads = calloc((size_t)options->parallel, sizeof *threads);
  histogram_t *times = calloc(1, sizeof *times);
  if (workers == NULL || threads == NULL || times == NULL) fail("no memory for %d workers", options->parallel);

  uint64_t from_ns = now_ns(), cpu_from = cpu_ns_of(options->pid), own_from = own_cpu_ns();
  for (int i = 0; i < options->parallel; i++) {
    workers[i].options = options;
    workers[i].token = token;
    workers[i].until_ns = from_ns + (uint64_t)options->measure_ms * NS_PER_MS;
    pthread_create(&threads[i], NULL, work, &workers[i]);
  }
  uint64_t done = 0, refused = 0;
  for (int i = 0; i < options->parallel; i++) {
    pthread_join(threads[i], NULL);
    done += workers[i].done;
    refused += workers[i].refused;
    histogram_merge(times, &workers[i].times);
  }
  uint64_t cpu = cpu_ns_of(options->pid) - cpu_from, own = own_cpu_ns() - own_from;
  printf("{\"seconds\":%.6f,\"setUps\":%" PRIu64 ",\"refused\":%" PRIu64
         ",\"serverCpuS\":%.6f,\"loadCpuS\":%.6f,\"p50Ms\":%.4f,\"p99Ms\":%.4f}\n",
         (double)(now_ns() - from_ns) / 1e9, done, refused, (double)cpu / 1e9, (double)own / 1e9,
         (double)histogram_percentile(times, 0.5) / 1e6, (double)histogram_percentile(times, 0.99) / 1e6);
  free(workers);
  free(threads);
  free(times);
}
