# Moves the directories of the backup extension aside, so that the next backup installs it anew.
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
