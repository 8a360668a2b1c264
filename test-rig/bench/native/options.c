#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

typedef struct {
  const char *name;
  int *place;
  int min, max;
} number_t;

static int read_number(const number_t *number, const char *text) {
  char *end = NULL;
  errno = 0;
  long value = strtol(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0' || value < number->min || value > number->max) {
    fail("%s must be a number from %d to %d, not \"%s\"", number->name, number->min, number->max, text);
  }
  return (int)value;
}

options_t read_options(int count, char **arguments) {
  options_t options = {.parallel = 16, .size = 1024, .burst = 1, .window_bytes = 1 << 19, .measure_ms = 1000};
  const number_t numbers[] = {
      {"port", &options.port, 1, 65535},
      {"access-port", &options.access_port, 1, 65535},
      {"pid", &options.pid, 1, 1 << 22},
      {"viewers", &options.viewers, 0, 10000},
      {"parallel", &options.parallel, 1, 256},
      {"size", &options.size, MIN_PAYLOAD_BYTES, 1 << 20},
      {"burst", &options.burst, 1, 1000},
      {"bursts-per-s", &options.bursts_per_s, 0, 10000},
      {"window-bytes", &options.window_bytes, 1, 1 << 28},
      {"warm-ms", &options.warm_ms, 0, 60000},
      {"measure-ms", &options.measure_ms, 1, 600000},
  };
  for (int i = 0; i < count; i++) {
    char *value = strchr(arguments[i], '=');
    if (value == NULL) fail("\"%s\" is not of the form name=value", arguments[i]);
    *value++ = '\0';
    const number_t *known = NULL;
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
      if (strcmp(numbers[k].name, arguments[i]) == 0) known = &numbers[k];
    }
    if (known != NULL) {
      *known->place = read_number(known, value);
    } else if (strcmp(arguments[i], "proto") == 0 && strcmp(value, "raw") == 0) {
      options.proto = PROTO_RAW;
    } else if (strcmp(arguments[i], "proto") == 0 && strcmp(value, "ws") == 0) {
      options.proto = PROTO_WS;
    } else if (strcmp(arguments[i], "topic-path") == 0 && strlen(value) < sizeof options.topic_path) {
      strcpy(options.topic_path, value);
    } else {
      fail("\"%s=%s\" is not understood", arguments[i], value);
    }
  }
  if (options.port == 0) fail("port is missing");
  return options;
}
