/* Load generator and sink: `load fan-out|idle|set-ups name=value ...`. Prints one JSON object per result. Paths and
 * tokens come by stdin, never as arguments, which every user of the machine can read. */
#include <stdio.h>
#include <string.h>

#include "machine.h"
#include "modes.h"

void read_line(char *line, size_t size, const char *what) {
  if (fgets(line, (int)size, stdin) == NULL) fail("stdin ended before %s", what);
  size_t length = strcspn(line, "\n");
  if (line[length] != '\n') fail("%s on stdin is longer than %zu bytes", what, size - 2);
  line[length] = '\0';
}

int main(int count, char **arguments) {
  if (count < 2) fail("a mode is missing: fan-out, idle or set-ups");
  raise_file_limit();
  options_t options = read_options(count - 2, arguments + 2);
  if (strcmp(arguments[1], "fan-out") == 0) run_fan_out(&options);
  else if (strcmp(arguments[1], "idle") == 0) run_idle(&options);
  else if (strcmp(arguments[1], "set-ups") == 0) run_set_ups(&options);
  else fail("unknown mode \"%s\": use fan-out, idle or set-ups", arguments[1]);
  return 0;
}
