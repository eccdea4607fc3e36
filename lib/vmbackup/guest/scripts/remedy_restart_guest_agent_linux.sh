# Starts the Linux agent anew, lets it start at boot and after a crash.
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
