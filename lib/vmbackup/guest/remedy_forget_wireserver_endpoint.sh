#!/bin/sh
# Moves the agent's remembered address of the platform aside.
# Run as root, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
set -u
ROOT="${VMBACKUP_ROOT:-}"

say() { # outcome before after note
  clean() { printf '%s' "$1" | tr -d '"\\' | tr '[:cntrl:]' ' ' | cut -c1-200; }
  printf 'VMBACKUP REMEDY 1 {"remedy":"forget_wireserver_endpoint","outcome":"%s","before":"%s","after":"%s","note":"%s"}\n' \
    "$1" "$(clean "$2")" "$(clean "$3")" "$(clean "$4")"
}

unit() {
  for name in walinuxagent waagent; do
    for folder in /etc/systemd/system /lib/systemd/system /usr/lib/systemd/system; do
      [ -e "$ROOT$folder/$name.service" ] && { echo "$name"; return 0; }
    done
  done
  return 1
}

# The agent must not be stopped from inside Run Command: a transient timer of its own does it later.
later() { # seconds command...
  delay=$1; shift
  if command -v systemd-run >/dev/null 2>&1 && systemd-run --on-active="$delay" --collect "$@" >/dev/null 2>&1; then return 0; fi
  if command -v systemd-run >/dev/null 2>&1 && systemd-run --on-active="$delay" "$@" >/dev/null 2>&1; then return 0; fi
  if command -v setsid >/dev/null 2>&1; then
    (sleep "$delay"; exec setsid "$@") >/dev/null 2>&1 </dev/null &
    return 0
  fi
  return 1
}

file="$ROOT/var/lib/waagent/WireServerEndpoint"
before=$(cat "$file" 2>/dev/null)
case "$before" in ''|168.63.129.16) say already "$before" "$before" ""; exit 0;; esac
name=$(unit) || { say failed "$before" "" "the agent has no systemd unit"; exit 1; }
mv "$file" "$file.vmbackup" || { say failed "$before" "" "the file could not be moved"; exit 1; }
if later 30 systemctl restart "$name"; then say scheduled "$before" "" "restart of $name in 30 s"
else say failed "$before" "" "moved, but no restart could be scheduled: restart $name"; exit 1; fi
