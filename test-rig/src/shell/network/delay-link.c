/*
 * A wire between two network interfaces that it makes: every frame comes out at the other end after a fixed delay, at no
 * more than a given rate, and some are lost. It is what `tc netem` does, for kernels that were built without it.
 *
 *   delay-link <interface a> <interface b> <delay ms each way> <loss per 1000> <rate Mbit/s> <seed>
 *
 * Writes "ready" when both interfaces are there; ends when its standard input does. Invariants: frames keep their order;
 * a direction holds no more than `max_queued` frames, and drops what comes beyond, as a router does.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { max_queued = 4096, max_frame = 2048 };
/* What a router of this rate would hold at most, in time. */
static const int64_t max_backlog_ns = 100 * 1000000LL;

struct frame {
  int64_t due_ns;
  int length;
  char bytes[max_frame];
};

struct direction {
  int from, to;
  struct frame *frames;
  unsigned head, count;
  int64_t line_free_ns;
};

static int64_t delay_ns;
static int64_t ns_per_byte_1000;
static unsigned loss_per_1000;
static uint64_t random_state;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static unsigned next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)(random_state >> 33);
}

static int open_tap(const char *name) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (fd < 0) die("/dev/net/tun");
  struct ifreq request;
  memset(&request, 0, sizeof request);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &request) < 0) die(name);
  return fd;
}

/* Takes what came, and decides for each frame when it comes out, if at all. */
static void take(struct direction *d) {
  for (int taken = 0; taken < 256; taken++) {
    static char dropped[max_frame];
    int is_full = d->count == max_queued;
    struct frame *f = &d->frames[(d->head + d->count) % max_queued];
    ssize_t length = read(d->from, is_full ? dropped : f->bytes, max_frame);
    if (length <= 0) return;
    if (is_full || next_random() % 1000 < loss_per_1000) continue;
    int64_t now = now_ns();
    int64_t start = d->line_free_ns > now ? d->line_free_ns : now;
    if (start - now > max_backlog_ns) continue;
    d->line_free_ns = start + length * ns_per_byte_1000 / 1000;
    f->due_ns = d->line_free_ns + delay_ns;
    f->length = (int)length;
    d->count++;
  }
}

/* Gives out what is due. Returns when the next one will be, or -1. */
static int64_t give(struct direction *d) {
  int64_t now = now_ns();
  while (d->count > 0) {
    struct frame *f = &d->frames[d->head];
    if (f->due_ns > now) return f->due_ns;
    /* An interface that is down takes nothing: the frame is lost, as on a wire. */
    ssize_t written = write(d->to, f->bytes, (size_t)f->length);
    (void)written;
    d->head = (d->head + 1) % max_queued;
    d->count--;
  }
  return -1;
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: delay-link <a> <b> <delay ms> <loss per 1000> <Mbit/s> <seed>\n");
    return 64;
  }
  int a = open_tap(argv[1]), b = open_tap(argv[2]);
  delay_ns = (int64_t)(atof(argv[3]) * 1e6);
  loss_per_1000 = (unsigned)atoi(argv[4]);
  ns_per_byte_1000 = (int64_t)(8e6 / atof(argv[5]));
  random_state = (uint64_t)atoll(argv[6]) * 2654435761u + 1;
  struct direction there = {a, b, calloc(max_queued, sizeof(struct frame)), 0, 0, 0};
  struct direction back = {b, a, calloc(max_queued, sizeof(struct frame)), 0, 0, 0};
  if (there.frames == NULL || back.frames == NULL) die("calloc");
  puts("ready");
  fflush(stdout);
  for (;;) {
    int64_t due_there = give(&there), due_back = give(&back);
    int64_t due = due_there < 0 ? due_back : due_back < 0 || due_there < due_back ? due_there : due_back;
    struct timespec wait = {1, 0};
    if (due >= 0) {
      int64_t left = due - now_ns();
      if (left < 0) left = 0;
      wait.tv_sec = left / 1000000000LL;
      wait.tv_nsec = left % 1000000000LL;
    }
    struct pollfd fds[] = {{a, POLLIN, 0}, {b, POLLIN, 0}, {0, POLLIN, 0}};
    if (ppoll(fds, 3, &wait, NULL) < 0 && errno != EINTR) die("ppoll");
    if (fds[0].revents & POLLIN) take(&there);
    if (fds[1].revents & POLLIN) take(&back);
    if (fds[2].revents != 0) {
      char byte;
      if (read(0, &byte, 1) <= 0) return 0;
    }
  }
}
