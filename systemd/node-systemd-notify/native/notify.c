// Sends one datagram to a unix socket, which Node cannot. Node-API alone: one binary serves every Node since 18.
#define NAPI_VERSION 8
#include <errno.h>
#include <node_api.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

// send(path, text) gives 0, or the errno of what failed. It never waits. A path that begins with '@' is an abstract name.
static napi_value Send(napi_env env, napi_callback_info info) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  char text[4096];  // systemd reads no more of one message
  napi_value given[2], result;
  size_t count = 2, path_length = 0, text_length = 0;
  int failed = 0;
  if (napi_get_cb_info(env, info, &count, given, NULL, NULL) != napi_ok || count < 2 ||
      napi_get_value_string_utf8(env, given[0], NULL, 0, &path_length) != napi_ok ||
      napi_get_value_string_utf8(env, given[1], NULL, 0, &text_length) != napi_ok) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "send takes a path and a text");
    return NULL;
  }
  if (path_length < 2 || path_length >= sizeof to.sun_path) failed = ENAMETOOLONG;
  else if (text_length >= sizeof text) failed = EMSGSIZE;
  else {
    napi_get_value_string_utf8(env, given[0], to.sun_path, sizeof to.sun_path, NULL);
    napi_get_value_string_utf8(env, given[1], text, sizeof text, NULL);
    if (to.sun_path[0] == '@') to.sun_path[0] = '\0';
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + path_length;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || sendto(fd, text, text_length, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to, length) < 0)
      failed = errno;
    if (fd >= 0) close(fd);
  }
  return napi_create_int32(env, failed, &result) == napi_ok ? result : NULL;
}

NAPI_MODULE_INIT() {
  napi_value send;
  if (napi_create_function(env, "send", NAPI_AUTO_LENGTH, Send, NULL, &send) == napi_ok)
    napi_set_named_property(env, exports, "send", send);
  return exports;
}
