#!/bin/sh
# Starts the Linux agent anew, lets it start at boot and after a crash.
# Run as root, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
set -u
ROOT="${VMBACKUP_ROOT:-}"

say() { # outcome before after note
  clean() { printf '%s' "$1" | tr -d '"\\' | tr '[:cntrl:]' ' ' | cut -c1-200; }
  printf 'VMBACKUP REMEDY 1 {"remedy":"restart_guest_agent_linux","outcome":"%s","before":"%s","after":"%s","note":"%s"}\n' \
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

name=$(unit) || { say failed "" "" "the agent has no systemd unit: is it installed?"; exit 1; }
before="$(systemctl is-active "$name" 2>/dev/null), $(systemctl is-enabled "$name" 2>/dev/null), $(systemctl show -p Restart "$name" 2>/dev/null)"
folder="$ROOT/etc/systemd/system/$name.service.d"
mkdir -p "$folder" && printf '[Service]\nRestart=always\nRestartSec=5\n' > "$folder/vmbackup.conf" \
  || { say failed "$before" "" "the drop-in could not be written"; exit 1; }
systemctl daemon-reload
systemctl unmask "$name" >/dev/null 2>&1
systemctl enable "$name" >/dev/null 2>&1 || { say failed "$before" "" "the service could not be enabled"; exit 1; }
if later 30 systemctl restart "$name"; then say scheduled "$before" "enabled, Restart=always" "restart of $name in 30 s"
else say failed "$before" "" "no restart could be scheduled"; exit 1; fi
