#!/bin/sh
# Runs inside fresh network, mount, process and host name namespaces: a machine over a read-only root directory.
# usage: inside.sh ROOT WORK PYTHON HERE VM_ID HOST
# WORK holds prepare.sh and late.sh (run in the machine before and after the agent's start), patience, network (if the
# platform answers: its clock's offset), disk (where a file system of its own is to be mounted), daemon (if the real agent
# is to run: what its log then shows), firewall (rules for nft) and runs (lines "number user shell…"). It gets number.out,
# number.code, number.ms and written.
set -eu
root=$1 work=$2 python=$3 here=$4 vm_id=$5 host=$6
mkdir -p "$work/fs"
mount -t tmpfs tmpfs "$work/fs"
mkdir "$work/fs/upper" "$work/fs/work" "$work/fs/machine"
machine=$work/fs/machine
mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/fs/upper,workdir=$work/fs/work" "$machine"
mount -t proc proc "$machine/proc"
# Read-only: a real agent writes SCSI time-outs there, and these are the machine's that runs the tests.
mount -t sysfs -o ro sysfs "$machine/sys"
mkdir -p "$machine/dev/shm"
mount -t tmpfs tmpfs "$machine/dev/shm"
hostname "$host"
ip link set lo up
# On a busy machine an answer may take its time: what is measured here is what the script says, not how soon.
sed "s/^PATIENCE=1\$/PATIENCE=$(cat "$work/patience")/" "$here/../../../lib/vmbackup/guest/scripts/collect_linux.sh" >"$machine/probe.sh"
chmod 755 "$machine/probe.sh"
: >"$machine/etc/resolv.conf"

if [ -e "$work/network" ]; then
  for kind in dummy ifb bridge; do ip link add eth0 type "$kind" 2>/dev/null && break; done
  ip addr add 10.0.0.4/24 dev eth0
  ip link set eth0 up
  for address in 168.63.129.16 169.254.169.254 10.99.0.9; do ip addr add "$address/32" dev lo; done
  # The agent looks for a route in /proc/net/route, where addresses of lo do not stand.
  ip route add 168.63.129.16/32 dev eth0
  for name in md-hdd-demo1.z1.blob.storage.azure.net zrdfepirv2cbz06prdstr01a.blob.core.windows.net management.azure.com; do
    echo "10.99.0.9 $name" >>"$machine/etc/hosts"
  done
  "$python" "$here/platform_stand_in.py" "$work" "$vm_id" "$(cat "$work/network")" >"$work/platform.log" 2>&1 &
  tries=0
  until [ -e "$work/ready" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ]
    sleep 0.05
  done
  cp "$work/ca.pem" "$machine/ca.pem"
fi

if [ -e "$work/disk" ]; then
  disk=$machine$(cat "$work/disk")
  mkdir -p "$disk"
  truncate -s 16M "$work/disk.img"
  mkfs.ext4 -q "$work/disk.img"
  mount -o loop "$work/disk.img" "$disk"
  # Whatever waits for a frozen file system cannot be killed, and would keep this machine for ever.
  trap 'fsfreeze -u "$disk" 2>/dev/null || true' EXIT
  trap 'exit 1' TERM
fi

cp "$work/prepare.sh" "$work/late.sh" "$machine/"
chroot "$machine" sh -eu /prepare.sh

if [ -e "$work/daemon" ]; then
  chroot "$machine" /usr/sbin/waagent -daemon >"$work/daemon.log" 2>&1 </dev/null &
  tries=0
  until grep -Eq "$(cat "$work/daemon")" "$machine/var/log/waagent.log" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || break
    sleep 0.05
  done
fi
chroot "$machine" sh -eu /late.sh
if [ -s "$work/firewall" ]; then nft -f "$work/firewall"; fi
rm "$machine/prepare.sh" "$machine/late.sh"

written() { find "$work/fs/upper" \( -type f -o -type d \) ! -path '*/var/log/*' ! -path '*/var/lib/waagent*' -printf '%P %s %T@\n' | sort; }
before=$(written)
probe() {
  started=$(date +%s%3N)
  code=0
  # shellcheck disable=SC2086
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin CURL_CA_BUNDLE=/ca.pem HOME=/ \
    chroot --userspec="$2" "$machine" $3 /probe.sh >"$work/$1.out" 2>"$work/$1.err" </dev/null || code=$?
  echo "$code" >"$work/$1.code"
  echo $(($(date +%s%3N) - started)) >"$work/$1.ms"
}
# All at once: they only read.
probes=
while read -r number user shell; do
  probe "$number" "$user" "$shell" &
  probes="$probes $!"
done <"$work/runs"
# shellcheck disable=SC2086
[ -z "$probes" ] || wait $probes
after=$(written)
printf '%s\n' "$before" "$after" | sort | uniq -u >"$work/written"
