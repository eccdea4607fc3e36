#!/bin/sh
# Updates the Linux agent's package from the distribution's repository.
# Run as root, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
set -u
ROOT="${VMBACKUP_ROOT:-}"

say() { # outcome before after note
  clean() { printf '%s' "$1" | tr -d '"\\' | tr '[:cntrl:]' ' ' | cut -c1-200; }
  printf 'VMBACKUP REMEDY 1 {"remedy":"update_guest_agent_linux","outcome":"%s","before":"%s","after":"%s","note":"%s"}\n' \
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
before=$(waagent --version 2>/dev/null | head -n 1)
if command -v apt-get >/dev/null 2>&1; then
  update='DEBIAN_FRONTEND=noninteractive; export DEBIAN_FRONTEND; apt-get -qq update; apt-get -qq -y --only-upgrade -o Dpkg::Options::=--force-confold install walinuxagent'
elif command -v zypper >/dev/null 2>&1; then
  package=$(rpm -qa --qf '%{NAME}\n' 'python*-azure-agent' | head -n 1)
  update="zypper --non-interactive refresh; zypper --non-interactive update ${package:-python3-azure-agent}"
elif command -v dnf >/dev/null 2>&1; then update='dnf -y upgrade WALinuxAgent'
elif command -v yum >/dev/null 2>&1; then update='yum -y update WALinuxAgent'
elif command -v tdnf >/dev/null 2>&1; then update='tdnf -y update WALinuxAgent'
else say failed "$before" "" "no package manager that this script knows"; exit 1; fi
log="$ROOT/var/log/vmbackup-update-agent.log"
if later 10 /bin/sh -c "{ $update; systemctl restart $name; } > $log 2>&1"; then
  say scheduled "$before" "" "update in 10 s, log in /var/log/vmbackup-update-agent.log"
else say failed "$before" "" "no update could be scheduled"; exit 1; fi
