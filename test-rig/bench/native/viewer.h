#ifndef VIEWER_H
#define VIEWER_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"

/* What is told about each whole message. */
typedef struct {
  void *context;
  void (*on_message)(void *context, uint64_t sent_ns, size_t payload_bytes);
} message_sink_t;

/* One receiving end: takes frames apart without keeping their payload, and checks that every message comes in order.
 * Fixed size, whatever is received. */
typedef struct {
  int fd;
  proto_t proto;
  uint8_t header[MAX_FRAME_HEADER_BYTES];
  size_t header_have;
  bool in_payload;
  uint64_t payload_left;
  uint8_t opcode;
  bool is_final;
  uint8_t control[125];
  size_t control_length;
  uint64_t message_bytes;
  uint8_t stamp[STAMP_BYTES];
  uint64_t next_sequence;
  /* Read by the publisher's thread, to stay within its window. */
  _Atomic uint64_t messages;
  uint64_t gaps;
  _Atomic bool is_closed;
} viewer_t;

void viewer_init(viewer_t *viewer, proto_t proto, int fd);
/* Takes bytes in any portions. */
void viewer_take(viewer_t *viewer, const uint8_t *bytes, size_t length, message_sink_t *sink);

#endif
