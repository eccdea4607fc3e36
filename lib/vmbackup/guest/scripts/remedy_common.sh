# Run as root, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
set -u
ROOT="${VMBACKUP_ROOT:-}"

say() { # outcome before after note
  clean() { printf '%s' "$1" | tr -d '"\\' | tr '[:cntrl:]' ' ' | cut -c1-200; }
  printf 'VMBACKUP REMEDY 1 {"remedy":"%s","outcome":"%s","before":"%s","after":"%s","note":"%s"}\n' \
    "$REMEDY" "$1" "$(clean "$2")" "$(clean "$3")" "$(clean "$4")"
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

set_to_yes() { # key of waagent.conf; the agent reads it after a restart
  conf="$ROOT/etc/waagent.conf"
  [ -f "$conf" ] || { say failed "" "" "there is no /etc/waagent.conf"; exit 1; }
  line="^[[:space:]]*$(printf '%s' "$1" | sed 's/\./\\./')[[:space:]]*="
  before=$(sed -n "s/${line}[[:space:]]*//p" "$conf" | tail -n 1)
  name=$(unit) || { say failed "$before" "$before" "the agent has no systemd unit"; exit 1; }
  if [ "$before" = y ]; then say already "$before" "$before" ""; exit 0; fi
  [ -e "$conf.vmbackup" ] || cp -p "$conf" "$conf.vmbackup" || { say failed "$before" "$before" "no copy could be kept"; exit 1; }
  temporary=$(mktemp "$conf.XXXXXX") || { say failed "$before" "$before" "no temporary file"; exit 1; }
  { grep -v "$line" "$conf"; printf '%s=y\n' "$1"; } > "$temporary"
  chmod --reference="$conf" "$temporary" 2>/dev/null || chmod 644 "$temporary"
  mv "$temporary" "$conf" || { say failed "$before" "$before" "waagent.conf could not be written"; exit 1; }
  if later 30 systemctl restart "$name"; then say scheduled "$before" y "restart of $name in 30 s"
  else say failed "$before" y "written, but no restart could be scheduled: restart $name"; exit 1; fi
}
