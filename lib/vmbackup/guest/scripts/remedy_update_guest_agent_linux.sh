# Updates the Linux agent's package from the distribution's repository.
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
