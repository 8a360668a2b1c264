#ifndef MODES_H
#define MODES_H
#include "options.h"

/* One publisher to many viewers. Reads one-time paths from stdin for websockets: the publisher's, then the viewers'. */
void run_fan_out(const options_t *options);
/* Opens `viewers` connections, says so, and holds them until stdin ends. */
void run_idle(const options_t *options);
/* Sets up and closes connections as fast as it goes. Websocket: token on stdin; POST, then upgrade. */
void run_set_ups(const options_t *options);

/* The next line of stdin without its end; the program ends when there is none. */
void read_line(char *line, size_t size, const char *what);

#endif
