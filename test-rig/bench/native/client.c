#include "client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine.h"

#define IO_TIMEOUT_S 20

int dial(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("no socket: too many open files?");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    close(fd);
    return -1;
  }
  int on = 1;
  struct timeval limit = {.tv_sec = IO_TIMEOUT_S};
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  return fd;
}

bool send_all(int fd, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    length -= (size_t)sent;
  }
  return true;
}

bool read_http_head(int fd, char *head, size_t size) {
  size_t kept = 0;
  while (kept + 1 < size) {
    /* Looked at first and taken afterwards, so that the first frames stay in the socket. */
    ssize_t seen = recv(fd, head + kept, size - 1 - kept, MSG_PEEK);
    if (seen <= 0) return false;
    head[kept + (size_t)seen] = '\0';
    const char *end = strstr(head, "\r\n\r\n");
    size_t taken = end == NULL ? (size_t)seen : (size_t)(end - head) + 4 - kept;
    if (recv(fd, head + kept, taken, MSG_WAITALL) != (ssize_t)taken) return false;
    kept += taken;
    head[kept] = '\0';
    if (end != NULL) return true;
  }
  return false;
}

static bool join_raw(int fd, role_t role) {
  uint8_t said = (uint8_t)role;
  char answer = 0;
  return send_all(fd, &said, 1) && recv(fd, &answer, 1, 0) == 1 && answer == 'K';
}

static bool join_ws(int fd, int port, const char *path) {
  char request[MAX_PATH_BYTES + 256];
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        path, port);
  if (length < 0 || (size_t)length >= sizeof request) return false;
  char head[4096];
  return send_all(fd, (const uint8_t *)request, (size_t)length) && read_http_head(fd, head, sizeof head) &&
         strncmp(head, "HTTP/1.1 101 ", 13) == 0;
}

int join(proto_t proto, int port, role_t role, const char *path) {
  int fd = dial(port);
  if (fd < 0) return -1;
  bool is_joined = proto == PROTO_RAW ? join_raw(fd, role) : join_ws(fd, port, path);
  if (is_joined) return fd;
  close(fd);
  return -1;
}

static size_t write_raw_header(uint8_t *to, size_t payload_bytes) {
  for (int i = 0; i < 4; i++) to[i] = (uint8_t)(payload_bytes >> (8 * (3 - i)));
  return 4;
}

static size_t write_ws_header(uint8_t *to, size_t payload_bytes, const uint8_t mask[4]) {
  size_t length = 2;
  to[0] = 0x82; /* final, binary */
  if (payload_bytes < 126) {
    to[1] = (uint8_t)(0x80 | payload_bytes);
  } else {
    size_t width = payload_bytes < 65536 ? 2 : 8;
    to[1] = width == 2 ? 0x80 | 126 : 0x80 | 127;
    for (size_t i = 0; i < width; i++) to[2 + i] = (uint8_t)(payload_bytes >> (8 * (width - 1 - i)));
    length += width;
  }
  memcpy(to + length, mask, 4);
  return length + 4;
}

frame_t make_frame(proto_t proto, size_t payload_bytes) {
  frame_t frame = {.bytes = malloc(MAX_FRAME_HEADER_BYTES + payload_bytes)};
  if (frame.bytes == NULL) fail("no memory for a message of %zu bytes", payload_bytes);
  /* A key that is not zero, as browsers and the agent use: the server shall pay for unmasking. Raw needs none. */
  const uint8_t key[4] = {0x5a, 0xc3, 0x1e, 0x97};
  if (proto == PROTO_WS) memcpy(frame.mask, key, 4);
  frame.header_bytes = proto == PROTO_WS ? write_ws_header(frame.bytes, payload_bytes, frame.mask)
                                         : write_raw_header(frame.bytes, payload_bytes);
  frame.length = frame.header_bytes + payload_bytes;
  uint8_t *payload = frame.bytes + frame.header_bytes;
  const uint8_t packet_start[4] = {0x47, 0x01, 0x00, 0x10};
  for (size_t i = 0; i < payload_bytes; i++) {
    uint8_t byte = i % 188 < 4 ? packet_start[i % 188] : (uint8_t)(i * 31);
    payload[i] = byte ^ frame.mask[i % 4];
  }
  return frame;
}

void stamp_frame(frame_t *frame, uint64_t sent_ns, uint64_t sequence) {
  uint64_t stamp[2] = {sent_ns, sequence};
  uint8_t bytes[STAMP_BYTES];
  memcpy(bytes, stamp, sizeof bytes);
  uint8_t *place = frame->bytes + frame->header_bytes + STAMP_OFFSET;
  for (size_t i = 0; i < STAMP_BYTES; i++) place[i] = bytes[i] ^ frame->mask[(STAMP_OFFSET + i) % 4];
}
