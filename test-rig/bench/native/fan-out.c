#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "histogram.h"
#include "machine.h"
#include "modes.h"
#include "viewer.h"

#define MAX_EVENTS 256
#define READ_BYTES (256 << 10)
#define DRAIN_NS (5 * NS_PER_S)

typedef struct {
  const options_t *options;
  viewer_t *viewers;
  int publisher_fd;
  int epoll_fd;
  int wake_fd;
  /* First nothing more is published, then, when all has arrived, nothing more is read. */
  _Atomic bool has_published_enough;
  _Atomic bool is_stopping;
  _Atomic bool is_measuring;
  _Atomic bool is_waiting;
  _Atomic bool has_lost_publisher;
  _Atomic uint64_t published;
  _Atomic uint64_t delivered_bytes;
  _Atomic uint64_t closed;
  /* Only the sink's thread writes it, only while measuring. */
  histogram_t delays;
} fan_out_t;

static void count_message(void *context, uint64_t sent_ns, size_t payload_bytes) {
  fan_out_t *run = context;
  atomic_fetch_add_explicit(&run->delivered_bytes, payload_bytes, memory_order_relaxed);
  if (!atomic_load_explicit(&run->is_measuring, memory_order_relaxed)) return;
  uint64_t now = now_ns();
  histogram_add(&run->delays, now > sent_ns ? now - sent_ns : 0);
}

/* Takes what there is, a bounded number of times, so that no viewer starves the others. */
static void read_viewer(fan_out_t *run, viewer_t *viewer, uint8_t *buffer, message_sink_t *sink) {
  for (int turn = 0; turn < 4 && !viewer->is_closed; turn++) {
    ssize_t got = recv(viewer->fd, buffer, READ_BYTES, MSG_DONTWAIT);
    if (got > 0) viewer_take(viewer, buffer, (size_t)got, sink);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR)) viewer->is_closed = true;
    if (got < READ_BYTES) break;
  }
  if (viewer->is_closed) {
    epoll_ctl(run->epoll_fd, EPOLL_CTL_DEL, viewer->fd, NULL);
    atomic_fetch_add(&run->closed, 1);
  }
}

static void wake_publisher(const fan_out_t *run) {
  uint64_t one = 1;
  if (write(run->wake_fd, &one, sizeof one) < 0) fail("the publisher cannot be woken");
}

static void *sink_thread(void *argument) {
  fan_out_t *run = argument;
  message_sink_t sink = {.context = run, .on_message = count_message};
  uint8_t *buffer = malloc(READ_BYTES);
  run->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (buffer == NULL || run->epoll_fd < 0) fail("no memory for the sink");
  for (int i = 0; i < run->options->viewers; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &run->viewers[i]};
    if (epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, run->viewers[i].fd, &event) != 0) fail("epoll refuses a viewer");
  }
  while (!atomic_load(&run->is_stopping)) {
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(run->epoll_fd, events, MAX_EVENTS, 100);
    for (int i = 0; i < count; i++) read_viewer(run, events[i].data.ptr, buffer, &sink);
    if (atomic_exchange(&run->is_waiting, false)) wake_publisher(run);
  }
  close(run->epoll_fd);
  free(buffer);
  return NULL;
}

static uint64_t slowest(const fan_out_t *run) {
  uint64_t least = UINT64_MAX;
  for (int i = 0; i < run->options->viewers; i++) {
    if (run->viewers[i].is_closed) continue;
    uint64_t messages = atomic_load_explicit(&run->viewers[i].messages, memory_order_acquire);
    if (messages < least) least = messages;
  }
  return least;
}

/* Returns when the slowest viewer is within the window again, or enough is published. */
static void wait_for_viewers(fan_out_t *run, uint64_t published, uint64_t window) {
  while (!atomic_load(&run->has_published_enough)) {
    atomic_store(&run->is_waiting, true);
    uint64_t least = slowest(run);
    if (least >= published || published - least < window) return;
    uint64_t ignored;
    if (read(run->wake_fd, &ignored, sizeof ignored) < 0) return;
  }
}

static void publish(fan_out_t *run, frame_t *frame, uint64_t sequence) {
  stamp_frame(frame, now_ns(), sequence);
  if (!send_all(run->publisher_fd, frame->bytes, frame->length)) atomic_store(&run->has_lost_publisher, true);
  atomic_store_explicit(&run->published, sequence + 1, memory_order_release);
}

static void *publisher_thread(void *argument) {
  fan_out_t *run = argument;
  const options_t *options = run->options;
  frame_t frame = make_frame(options->proto, (size_t)options->size);
  uint64_t in_window = (uint64_t)(options->window_bytes / options->size);
  uint64_t window = in_window > 2 ? in_window : 2;
  uint64_t sequence = 0;
  uint64_t due_ns = now_ns();
  while (!atomic_load(&run->has_published_enough) && !atomic_load(&run->has_lost_publisher)) {
    if (options->bursts_per_s > 0) {
      due_ns += NS_PER_S / (uint64_t)options->bursts_per_s;
      sleep_until_ns(due_ns);
      for (int i = 0; i < options->burst; i++) publish(run, &frame, sequence++);
    } else {
      publish(run, &frame, sequence++);
      /* Looking at every viewer is dear: only twice in a window. */
      if (sequence % (window / 2) == 0) wait_for_viewers(run, sequence, window);
    }
  }
  free(frame.bytes);
  return NULL;
}

static void connect_all(fan_out_t *run) {
  const options_t *options = run->options;
  char path[MAX_PATH_BYTES] = "";
  bool has_paths = options->proto == PROTO_WS;
  if (has_paths) read_line(path, sizeof path, "the publisher's path");
  run->publisher_fd = join(options->proto, options->port, ROLE_PUBLISHER, path);
  if (run->publisher_fd < 0) fail("the server refuses the publisher");
  for (int i = 0; i < options->viewers; i++) {
    if (has_paths) read_line(path, sizeof path, "a viewer's path");
    int fd = join(options->proto, options->port, ROLE_VIEWER, path);
    if (fd < 0) fail("the server refuses viewer %d", i + 1);
    viewer_init(&run->viewers[i], options->proto, fd);
  }
}

static uint64_t lost_after_drain(fan_out_t *run) {
  uint64_t published = atomic_load(&run->published);
  uint64_t until_ns = now_ns() + DRAIN_NS;
  while (slowest(run) < published && now_ns() < until_ns) sleep_until_ns(now_ns() + 2 * NS_PER_MS);
  uint64_t lost = 0;
  for (int i = 0; i < run->options->viewers; i++) lost += published - atomic_load(&run->viewers[i].messages);
  return lost;
}

void run_fan_out(const options_t *options) {
  fan_out_t *run = calloc(1, sizeof *run);
  viewer_t *viewers = calloc((size_t)options->viewers + 1, sizeof *viewers);
  if (run == NULL || viewers == NULL) fail("no memory for %d viewers", options->viewers);
  run->options = options;
  run->viewers = viewers;
  run->wake_fd = eventfd(0, EFD_CLOEXEC);
  connect_all(run);

  pthread_t sink, publisher;
  pthread_create(&sink, NULL, sink_thread, run);
  pthread_create(&publisher, NULL, publisher_thread, run);
  sleep_until_ns(now_ns() + (uint64_t)options->warm_ms * NS_PER_MS);

  uint64_t from_ns = now_ns(), cpu_from = cpu_ns_of(options->pid), own_from = own_cpu_ns();
  uint64_t bytes_from = atomic_load(&run->delivered_bytes), published_from = atomic_load(&run->published);
  atomic_store(&run->is_measuring, true);
  sleep_until_ns(from_ns + (uint64_t)options->measure_ms * NS_PER_MS);
  atomic_store(&run->is_measuring, false);
  uint64_t bytes = atomic_load(&run->delivered_bytes) - bytes_from;
  uint64_t published = atomic_load(&run->published) - published_from;
  uint64_t cpu = cpu_ns_of(options->pid) - cpu_from, own = own_cpu_ns() - own_from;
  uint64_t lasted_ns = now_ns() - from_ns;

  /* The publisher first, then what is on its way, then the sink. */
  atomic_store(&run->has_published_enough, true);
  wake_publisher(run);
  pthread_join(publisher, NULL);
  uint64_t lost = lost_after_drain(run);
  atomic_store(&run->is_stopping, true);
  pthread_join(sink, NULL);

  uint64_t gaps = atomic_load(&run->has_lost_publisher) ? 1 : 0;
  for (int i = 0; i < options->viewers; i++) gaps += viewers[i].gaps;
  printf("{\"seconds\":%.6f,\"publishedMessages\":%" PRIu64 ",\"deliveredBytes\":%" PRIu64
         ",\"serverCpuS\":%.6f,\"loadCpuS\":%.6f,\"p50Ms\":%.4f,\"p99Ms\":%.4f,\"maxMs\":%.4f,\"lost\":%" PRIu64
         ",\"gaps\":%" PRIu64 ",\"closed\":%" PRIu64 "}\n",
         (double)lasted_ns / 1e9, published, bytes, (double)cpu / 1e9, (double)own / 1e9,
         (double)histogram_percentile(&run->delays, 0.5) / 1e6,
         (double)histogram_percentile(&run->delays, 0.99) / 1e6, (double)run->delays.max_ns / 1e6, lost, gaps,
         atomic_load(&run->closed));
  for (int i = 0; i < options->viewers; i++) close(viewers[i].fd);
  close(run->publisher_fd);
  close(run->wake_fd);
  free(viewers);
  free(run);
}
