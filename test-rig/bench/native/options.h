#ifndef OPTIONS_H
#define OPTIONS_H
#include "client.h"

/* Arguments of the form name=value. Every mode reads those it needs. */
typedef struct {
  proto_t proto;
  int port;
  int access_port;
  int pid;
  int viewers;
  int parallel;
  /* Payload of one message. */
  int size;
  /* Messages sent at once, and how often in a second; 0 a second: as fast as the viewers take them. */
  int burst;
  int bursts_per_s;
  /* Flood: how far the publisher may be ahead of the slowest viewer. */
  int window_bytes;
  int warm_ms;
  int measure_ms;
  char topic_path[MAX_PATH_BYTES];
} options_t;

options_t read_options(int count, char **arguments);

#endif
