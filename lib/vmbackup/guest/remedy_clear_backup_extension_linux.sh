#!/bin/sh
# Moves the directories of the backup extension aside, so that the next backup installs it anew.
# Run as root, by Run Command or by hand. Doing it twice does no harm. The last line printed is its outcome.
set -u
ROOT="${VMBACKUP_ROOT:-}"

say() { # outcome before after note
  clean() { printf '%s' "$1" | tr -d '"\\' | tr '[:cntrl:]' ' ' | cut -c1-200; }
  printf 'VMBACKUP REMEDY 1 {"remedy":"clear_backup_extension_linux","outcome":"%s","before":"%s","after":"%s","note":"%s"}\n' \
    "$1" "$(clean "$2")" "$(clean "$3")" "$(clean "$4")"
}

from="$ROOT/var/lib/waagent"
to="$ROOT/var/lib/waagent-vmbackup/$(date -u +%Y%m%dT%H%M%SZ)"
found=""
for folder in "$from"/Microsoft.Azure.RecoveryServices.VMSnapshotLinux-*; do
  [ -d "$folder" ] && found="$found ${folder##*/}"
done
[ -n "$found" ] || { say already "" "" "no directory of the extension is there"; exit 0; }
mkdir -p "$to" || { say failed "$found" "$found" "no place to move to"; exit 1; }
for folder in "$from"/Microsoft.Azure.RecoveryServices.VMSnapshotLinux-*; do
  [ -d "$folder" ] || continue
  mv "$folder" "$to/" || { say failed "$found" "" "a directory could not be moved"; exit 1; }
done
say "done" "$found" "" "moved to $to"
