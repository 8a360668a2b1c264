#ifndef CLIENT_H
#define CLIENT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both dialects a server under test speaks. Raw: one byte of role, one byte of answer, then frames of a 4-byte
 * big-endian length and the payload. Websocket: RFC 6455 as a browser speaks it, masked towards the server. */
typedef enum { PROTO_RAW, PROTO_WS } proto_t;
typedef enum { ROLE_PUBLISHER = 'P', ROLE_VIEWER = 'S' } role_t;

#define MAX_PATH_BYTES 1024
/* Time stamp and sequence number stand at this place of a payload, behind what a TS packet begins with. */
#define STAMP_OFFSET 8
#define STAMP_BYTES 16
#define MIN_PAYLOAD_BYTES (STAMP_OFFSET + STAMP_BYTES)
#define MAX_FRAME_HEADER_BYTES 14

/* A blocking connection to 127.0.0.1 with no delay and a 20 s limit on each read and write. -1 when refused. */
int dial(int port);
/* The same, joined: role said and confirmed, or upgraded at `path`. -1 when the server refuses. */
int join(proto_t proto, int port, role_t role, const char *path);
/* Reads one HTTP head (at most size - 1 bytes, zero-terminated), leaving what follows it. False when there is none. */
bool read_http_head(int fd, char *head, size_t size);
/* Sends all bytes; false when the connection has broken. */
bool send_all(int fd, const uint8_t *bytes, size_t length);

/* A frame that is sent again and again with a new stamp. */
typedef struct {
  uint8_t *bytes;
  size_t length;
  size_t header_bytes;
  uint8_t mask[4];
} frame_t;

/* A frame whose payload looks like MPEG-TS packets. */
frame_t make_frame(proto_t proto, size_t payload_bytes);
void stamp_frame(frame_t *frame, uint64_t sent_ns, uint64_t sequence);

#endif
