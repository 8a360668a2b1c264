#include "viewer.h"

#include <string.h>
#include <sys/socket.h>

enum { OP_CONTINUATION = 0x0, OP_CLOSE = 0x8, OP_PING = 0x9, OP_PONG = 0xa };

void viewer_init(viewer_t *viewer, proto_t proto, int fd) {
  memset(viewer, 0, sizeof *viewer);
  viewer->fd = fd;
  viewer->proto = proto;
}

static size_t header_bytes_needed(const viewer_t *viewer) {
  if (viewer->proto == PROTO_RAW) return 4;
  if (viewer->header_have < 2) return 2;
  uint8_t length = viewer->header[1] & 0x7f;
  return length == 126 ? 4 : length == 127 ? 10 : 2;
}

static uint64_t big_endian(const uint8_t *bytes, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; i++) value = value << 8 | bytes[i];
  return value;
}

static void begin_frame(viewer_t *viewer) {
  viewer->in_payload = true;
  if (viewer->proto == PROTO_RAW) {
    viewer->opcode = 2;
    viewer->is_final = true;
    viewer->payload_left = big_endian(viewer->header, 4);
    return;
  }
  uint8_t length = viewer->header[1] & 0x7f;
  viewer->opcode = viewer->header[0] & 0x0f;
  viewer->is_final = (viewer->header[0] & 0x80) != 0;
  viewer->payload_left = length == 126   ? big_endian(viewer->header + 2, 2)
                         : length == 127 ? big_endian(viewer->header + 2, 8)
                                         : length;
  viewer->control_length = 0;
}

static void keep_control(viewer_t *viewer, const uint8_t *bytes, size_t length) {
  size_t room = sizeof viewer->control - viewer->control_length;
  size_t kept = length < room ? length : room;
  memcpy(viewer->control + viewer->control_length, bytes, kept);
  viewer->control_length += kept;
}

static void keep_stamp(viewer_t *viewer, const uint8_t *bytes, size_t length) {
  uint64_t end = viewer->message_bytes + length;
  if (viewer->message_bytes >= STAMP_OFFSET + STAMP_BYTES || end <= STAMP_OFFSET) return;
  for (size_t i = 0; i < length; i++) {
    uint64_t at = viewer->message_bytes + i;
    if (at >= STAMP_OFFSET + STAMP_BYTES) return;
    if (at >= STAMP_OFFSET) viewer->stamp[at - STAMP_OFFSET] = bytes[i];
  }
}

static void answer_ping(viewer_t *viewer) {
  /* A mask of zeros leaves the payload as it is; control frames are too few for it to matter. */
  uint8_t pong[2 + 4 + sizeof viewer->control] = {0x80 | OP_PONG, (uint8_t)(0x80 | viewer->control_length)};
  memcpy(pong + 6, viewer->control, viewer->control_length);
  if (send(viewer->fd, pong, 6 + viewer->control_length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) viewer->is_closed = true;
}

static void end_message(viewer_t *viewer, message_sink_t *sink) {
  uint64_t stamp[2];
  memcpy(stamp, viewer->stamp, sizeof stamp);
  if (viewer->message_bytes < MIN_PAYLOAD_BYTES || stamp[1] != viewer->next_sequence) viewer->gaps++;
  viewer->next_sequence = stamp[1] + 1;
  sink->on_message(sink->context, stamp[0], (size_t)viewer->message_bytes);
  viewer->message_bytes = 0;
  atomic_fetch_add_explicit(&viewer->messages, 1, memory_order_release);
}

static void end_frame(viewer_t *viewer, message_sink_t *sink) {
  viewer->in_payload = false;
  viewer->header_have = 0;
  if (viewer->opcode == OP_PING) answer_ping(viewer);
  else if (viewer->opcode == OP_CLOSE) viewer->is_closed = true;
  else if (viewer->opcode < OP_CLOSE && viewer->is_final) end_message(viewer, sink);
}

static size_t take_header(viewer_t *viewer, const uint8_t *bytes, size_t length) {
  size_t taken = 0;
  size_t needed = header_bytes_needed(viewer);
  while (taken < length && viewer->header_have < needed) {
    viewer->header[viewer->header_have++] = bytes[taken++];
    needed = header_bytes_needed(viewer);
  }
  if (viewer->header_have == needed) begin_frame(viewer);
  return taken;
}

static size_t take_payload(viewer_t *viewer, const uint8_t *bytes, size_t length) {
  size_t taken = viewer->payload_left < length ? (size_t)viewer->payload_left : length;
  if (viewer->opcode >= OP_CLOSE) {
    keep_control(viewer, bytes, taken);
  } else {
    keep_stamp(viewer, bytes, taken);
    viewer->message_bytes += taken;
  }
  viewer->payload_left -= taken;
  return taken;
}

void viewer_take(viewer_t *viewer, const uint8_t *bytes, size_t length, message_sink_t *sink) {
  size_t at = 0;
  while (at < length && !viewer->is_closed) {
    at += viewer->in_payload ? take_payload(viewer, bytes + at, length - at)
                             : take_header(viewer, bytes + at, length - at);
    /* A frame without payload ends where it begins. */
    if (viewer->in_payload && viewer->payload_left == 0) end_frame(viewer, sink);
  }
}
