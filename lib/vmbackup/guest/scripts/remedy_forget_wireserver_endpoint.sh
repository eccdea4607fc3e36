# Moves the agent's remembered address of the platform aside.
file="$ROOT/var/lib/waagent/WireServerEndpoint"
before=$(cat "$file" 2>/dev/null)
case "$before" in ''|168.63.129.16) say already "$before" "$before" ""; exit 0;; esac
name=$(unit) || { say failed "$before" "" "the agent has no systemd unit"; exit 1; }
mv "$file" "$file.vmbackup" || { say failed "$before" "" "the file could not be moved"; exit 1; }
if later 30 systemctl restart "$name"; then say scheduled "$before" "" "restart of $name in 30 s"
else say failed "$before" "" "moved, but no restart could be scheduled: restart $name"; exit 1; fi
