"""The machines that the tests examine: what is done to a fresh Debian with the real agent before the probe runs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
VM_ID = "5f2b0c1e-7c1d-4c57-9a40-2d9c6a1b0001"
HOST = "vm-linux"
EXTENSION = "Microsoft.Azure.RecoveryServices.VMSnapshotLinux"
SHELLS = (("root", "dash"), ("root", "bash"), ("root", "busybox sh"), ("nobody", "busybox sh"))

ONE = (("root", "dash"),)
# How much longer than in a guest the probe's time limits are where the machine that runs the tests is busy.
PATIENCE = 8
# A machine that was killed could not thaw its file system any more; one that is told to end does.
PATIENT = ("timeout", "-k", "60", "600", "sh")

# Nothing that would format disks or write to the machine that runs the tests; and an agent that restarts by itself.
CONFIGURED = """
sed -i -e 's/^\\(ResourceDisk.Format\\)=.*/\\1=n/' -e 's/^\\(Provisioning.Agent\\)=.*/\\1=disabled/' \\
  -e 's/^\\(OS.RootDeviceScsiTimeout\\)=.*/\\1=None/' -e 's/^\\(AutoUpdate.Enabled\\)=.*/\\1=y/' /etc/waagent.conf
echo 'Logs.Console=n' >> /etc/waagent.conf
sed -i 's/^ExecStart=.*/&\\nRestart=always/' /lib/systemd/system/walinuxagent.service
echo '2026-11-01T01:00:00.000000Z INFO Daemon Azure Linux Agent' > /var/log/waagent.log.1
"""

# There is no systemd in the machine: this answers "systemctl show" from the unit file and the processes that run, after
# what a test wrote down for the unit, and "systemctl list-jobs" from a file.
SYSTEMD = r"""
mkdir -p /run/systemd/system
cat > /usr/bin/systemctl <<'END'
#!/bin/sh
[ "$1" = list-jobs ] && exec cat /run/systemd/jobs
for unit; do :; done
cat /run/systemd/$unit.said 2>/dev/null
file=/lib/systemd/system/$unit
[ -f "$file" ] || { printf 'LoadState=not-found\nActiveState=inactive\nSubState=dead\n'; exit; }
if grep -aqs '[w]aagent.-daemon' /proc/[0-9]*/cmdline
then state=active sub=running; else state=inactive sub=dead; fi
restart=$(sed -n 's/^Restart=//p' "$file")
printf 'LoadState=loaded\nActiveState=%s\nSubState=%s\nRestart=%s\n' $state $sub "${restart:-no}"
printf 'Result=success\nExecMainStatus=0\nNRestarts=0\nJob=\n'
if [ -L "/etc/systemd/system/multi-user.target.wants/$unit" ]; then state=enabled; else state=disabled; fi
echo UnitFileState=$state
echo "Environment=$(sed -n 's/^Environment=//p' "$file" | tr '\n' ' ')"
END
chmod +x /usr/bin/systemctl
mkdir -p /etc/systemd/system/multi-user.target.wants
ln -sf /lib/systemd/system/walinuxagent.service /etc/systemd/system/multi-user.target.wants/
"""

LEASE = """
mkdir -p /run/systemd/netif/leases
echo OPTION_245=a83f8110 > "/run/systemd/netif/leases/$(cat /sys/class/net/eth0/ifindex)"
"""


def with_extension(code: int = 1, message: str = "Enable Succeeded", log: str = "", version: str = "1.0.9220.0") -> str:
    """Shell lines that leave the traces of a backup extension which ended with this code."""
    status = (
        '[{"status":{"name":"VMSnapshotLinux","operation":"Enable","status":"success","substatus":[{"code":"0","name":'
        '"[{\\"status\\": {\\"code\\": \\"9\\"}}]","status":"success","formattedMessage":null}],"code":'
        + str(code)
        + ","
        '"taskId":"e5e5602b-48a6-4c35-9f96-752043777af1","formattedMessage":{"lang":"en-US","message":"'
        + message
        + '"},'
        '"storageDetails":null},"version":"1.0","timestampUTC":"\\/Date(1795400000000)\\/"}]'
    )
    return f"""
cd /var/lib/waagent
mkdir -p {EXTENSION}-{version}/status {EXTENSION}-{version}/config /var/log/azure/{EXTENSION} /etc/azure
printf Enabled > {EXTENSION}-{version}/config/HandlerState
cat > {EXTENSION}-{version}/status/7.status <<'END'
{status}
END
echo key > 0B0A0D.prv
touch -d '2026-11-22 23:10:00 UTC' {EXTENSION}-{version}/status/7.status
printf '[SnapshotThread]\\nfsfreeze: True\\n' > /etc/azure/vmbackup.conf
cat > /var/log/azure/{EXTENSION}/extension.log <<'END'
2026-11-01 01:00:00.000000 [{EXTENSION}-1.0]enable
{log}
END
"""


SOUND = CONFIGURED + SYSTEMD + LEASE
INSTALLED = with_extension()
NO_AGENT_CODE = "rm -r /usr/lib/python3/dist-packages/azurelinuxagent\n"
ON_TMPFS = """
mkdir /tmp/keep; cp -a /var/lib/waagent/. /tmp/keep
mount -t tmpfs -o {options} tmpfs /var/lib/waagent
cp -a /tmp/keep/. /var/lib/waagent; rm -r /tmp/keep
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine. ``prepare`` runs before the agent starts, ``late`` after that. ``network``: the platform answers,
    its clock off by so many seconds; None: there is no network at all. ``disk``: where an ext4 file system of its own
    is mounted. ``daemon``: the real agent runs, and the probe starts when its log shows this text. ``firewall``: rules
    for nft. ``patience``: by how much the probe's time limits are longer than in a guest."""

    prepare: str = SOUND
    late: str = INSTALLED
    network: int | None = 0
    disk: str = ""
    daemon: str | None = None
    firewall: str = ""
    patience: int = PATIENCE
    runs: tuple[tuple[str, str], ...] = SHELLS

    @property
    def waits(self) -> bool:
        """Whether the probe runs into its time limits here: then they are short."""
        return self.patience < PATIENCE


BUSYBOX_ONLY = """
rm /usr/bin/curl /usr/bin/getent /usr/bin/python3* /usr/bin/bash
for name in $(busybox --list); do
  case $name in sh|busybox|mount|rm) continue ;; esac
  for folder in /usr/bin /usr/sbin; do [ -e $folder/$name ] && ln -sf /usr/bin/busybox $folder/$name; done
done
ln -sf /usr/bin/busybox /usr/bin/nc; ln -sf /usr/bin/busybox /usr/bin/nslookup
"""
# As a firewall in the guest would: WireServer refused, HostGAPlugin and storage silent.
BLOCKED = """
table inet guest { chain out { type filter hook output priority 0;
ip daddr 168.63.129.16 tcp dport 80 reject with tcp reset
ip daddr 168.63.129.16 tcp dport 32526 drop
tcp dport 443 drop
}
}
"""
# From 8.16 on curl says it otherwise.
NEWER_CURL = r"""
mv /usr/bin/curl /usr/bin/curl.real
cat > /usr/bin/curl <<'END'
#!/bin/sh
said='s/Connected to \(.*\) (\(.*\)) port \([0-9]*\).*/Established connection to \1 (\2 port \3) from 10.0.0.4 /'
{ curl.real "$@" 2>&1 >&3 3>&- | sed "$said" >&2; } 3>&1
END
chmod 755 /usr/bin/curl
"""
# As on RHEL 8 without a Python of its own for users: only the agent's is there.
PLATFORM_PYTHON = """
mkdir -p /usr/libexec
cp /usr/bin/python3.11 /usr/libexec/platform-python
/usr/libexec/platform-python -u /usr/sbin/waagent -daemon >/dev/null 2>&1 </dev/null &
tries=0
until grep -q 'ProcessExtensionsInGoalState completed' /var/log/waagent.log || [ $tries -gt 150 ]; do
  tries=$((tries + 1)); sleep 0.1
done
rm -f /usr/bin/python3 /usr/bin/python3.[0-9]*
"""
# A process that every "ps" would wait for: one of its threads waits for the thaw, another one for the first.
WAITS_FOR_THAW = r"""
cat > /tmp/waits.py <<'END'
import ctypes, mmap, os, threading, time
handle = os.open("/data/file", os.O_RDWR | os.O_CREAT)
os.ftruncate(handle, 4096)
pages = mmap.mmap(handle, 4096)
address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
libc = ctypes.CDLL(None)
open("/tmp/mapped", "w").close()
while not os.path.exists("/tmp/frozen"): time.sleep(0.02)
threading.Thread(target=lambda: libc.memset(ctypes.c_void_p(address), 1, 1)).start()
time.sleep(0.3)
threading.Thread(target=lambda: libc.munmap(ctypes.c_void_p(address), 4096)).start()
END
python3 /tmp/waits.py </dev/null >/dev/null 2>&1 &
until [ -e /tmp/mapped ]; do sleep 0.05; done
fsfreeze -f /data
touch /tmp/frozen
echo x > /data/other &
sleep 3
"""
# As a virus scanner does, on a folder that nobody else opens.
SCANNER = r"""
mkdir /watched
cat > /tmp/scanner.py <<'END'
import ctypes, time
open("/proc/self/comm", "w").write("scannerd")
libc = ctypes.CDLL(None, use_errno=True)
group = libc.fanotify_init(4, 0)
libc.fanotify_mark(group, 1, ctypes.c_uint64(0x10000), -100, b"/watched")
open("/tmp/watching", "w").close()
time.sleep(600)
END
python3 /tmp/scanner.py </dev/null >/dev/null 2>&1 &
until [ -e /tmp/watching ]; do sleep 0.05; done
cp /usr/bin/sleep /usr/bin/dockerd
dockerd 600 </dev/null >/dev/null 2>&1 &
"""
UNKNOWN_LINES = r"""
mkdir -p /var/lib/waagent/events
touch /var/lib/waagent/events/1 /var/lib/waagent/events/2 /var/lib/waagent/events/3
mkdir -p /var/log/azure/Microsoft.Azure.RecoveryServices.VMSnapshotLinux
cat > /var/log/waagent.log <<'END'
2026-11-22T01:00:00.000001Z INFO ExtHandler all is well
2026-11-22T02:00:00.000001Z ERROR ExtHandler ExtHandler Nobody knows number 1 of this
2026-11-22T03:00:00.000001Z ERROR ExtHandler ExtHandler Nobody knows number 2 of this
2026-11-22T03:30:00.000001Z ERROR Failed to send DHCP request: known
2026-11-22T04:00:00.000001Z WARNING PUT https://a.example/b?sig=secret0 failed, AccountKey=secret1 "password": "secret2"
Traceback (most recent call last):
  File "azurelinuxagent/agent.py", line 3, in <module>
OddError: nothing is as it was
END
printf '2026-11-20T01:00:00.1Z ERROR older
' > /var/log/waagent.log.1
"""
AGENT_UP = "ProcessExtensionsInGoalState completed"

MACHINES: dict[str, Machine] = {
    "healthy": Machine(daemon=AGENT_UP, runs=(*SHELLS, ("nobody", "dash"))),
    "agent_stopped": Machine(runs=SHELLS),
    "agent_broken": Machine(late=INSTALLED + NO_AGENT_CODE),
    "agent_from_github": Machine(
        late="""
mkdir -p /root/keep /usr/local/lib/python3.11/dist-packages
cp -a /usr/sbin/waagent /etc/waagent.conf /lib/systemd/system/walinuxagent.service /root/keep
cp -a /usr/lib/python3/dist-packages/azurelinuxagent /usr/lib/python3/dist-packages/WALinuxAgent* \\
  /usr/local/lib/python3.11/dist-packages/
dpkg --purge waagent >/dev/null 2>&1
cp -a /root/keep/waagent /usr/sbin/; cp -a /root/keep/waagent.conf /etc/
cp -a /root/keep/walinuxagent.service /lib/systemd/system/waagent.service
mkdir -p -m 700 /var/lib/waagent
"""
        + INSTALLED
    ),
    "agent_missing": Machine("dpkg --purge waagent >/dev/null 2>&1\nrm -rf /etc/waagent.conf /var/lib/waagent\n", ""),
    "extensions_disabled": Machine(
        SOUND + "sed -i 's/^Extensions.Enabled=.*/Extensions.Enabled=n/' /etc/waagent.conf\n",
        daemon="HEARTBEAT|Extension processing is disabled|ProcessExtensions|Checking for agent updates",
    ),
    "old_configuration": Machine(
        late=INSTALLED + NO_AGENT_CODE + "printf '%s\\n' 'Role.StateConsumer=None' 'Logs.Verbose=y # for now' "
        "'HttpProxy.Host = http://user:secret@proxy.example' 'HttpProxy.Port=3128' > /etc/waagent.conf\n"
    ),
    "windows_line_ends": Machine(
        late=INSTALLED
        + NO_AGENT_CODE
        + "printf '%s\\r\\n' 'Extensions.Enabled=n' 'Logs.Verbose=y' 'HttpProxy.Host=None' "
        "'OS.EnableFirewall=y' 'Extensions.GoalStatePeriod=600' > /etc/waagent.conf\n",
        runs=(("root", "dash -eu"), ("root", "bash -eu")),
    ),
    "read_only": Machine(
        late=INSTALLED + ON_TMPFS.format(options="noatime") + "mount -o remount,ro /var/lib/waagent\n", runs=ONE
    ),
    "linked_noexec": Machine(
        late="mkdir /data; mount -t tmpfs -o noexec tmpfs /data\n"
        "mv /var/lib/waagent /data/; ln -s /data/waagent /var/lib/waagent\n" + INSTALLED,
        runs=(("root", "dash"), ("root", "busybox sh")),
    ),
    "noexec": Machine(
        late=ON_TMPFS.format(options="noexec")
        + INSTALLED
        + "echo '2026-11-22T23:33:02.235781Z WARNING ExtHandler ExtHandler The noexec flag is set on /var. "
        "This can prevent extensions from executing.' > /var/log/waagent.log\n",
    ),
    "disk_full": Machine(
        late=ON_TMPFS.format(options="size=2m,nr_inodes=60")
        + INSTALLED
        + "head -c 3000000 /dev/zero > /var/lib/waagent/fill 2>/dev/null || true\n"
        "i=0; while touch /var/lib/waagent/fill$i 2>/dev/null; do i=$((i+1)); done\n",
    ),
    "no_network": Machine(SOUND.replace(LEASE, ""), network=None, daemon="No route exists"),
    "clock_skew": Machine(network=5400, daemon=AGENT_UP),
    "freeze_failed": Machine(
        late=with_extension(
            121,
            "T:S Enable failed with error: freeze failed for some mountStatusCode.FailedRetryableFsFreezeFailed,",
            f"2026-11-23 01:10:18.333008 [{EXTENSION}-1.0]T:S freeze, timeout value 60\n"
            f"2026-11-23 01:10:24.540054 [{EXTENSION}-1.0]freeze failed for some mount",
        ),
        daemon=AGENT_UP,
    ),
    "frozen": Machine(disk="/data", daemon=AGENT_UP, runs=ONE, patience=2, late=INSTALLED + WAITS_FOR_THAW),
    "scanned": Machine(disk="/var/lib/docker/ext4", late=INSTALLED + SCANNER),
    "start_waits": Machine(
        SOUND
        + r"""
printf 'ActiveState=inactive\nSubState=dead\nJob=12\n' > /run/systemd/walinuxagent.service.said
printf '%s\n' ' 12 walinuxagent.service                start waiting' \
  '  5 systemd-networkd-wait-online.service start running' \
  '  7 multi-user.target                   start waiting' > /run/systemd/jobs
""",
        runs=ONE,
    ),
    "gives_up": Machine(
        SOUND + r"printf 'ActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainStatus=1\nNRestarts=5\n' "
        "> /run/systemd/walinuxagent.service.said\n",
        runs=ONE,
    ),
    "scripts_refused": Machine(
        late=INSTALLED
        + r"""
printf '{"preScriptLocation": "/opt/pre.sh", "postScriptLocation": "/opt/post.sh", "continueBackupOnFailure": false}' \
  > /etc/azure/VMSnapshotScriptPluginConfig.json
chmod 644 /etc/azure/VMSnapshotScriptPluginConfig.json
touch /opt/post.sh; chmod 755 /opt/post.sh
""",
    ),
    "fixed_address": Machine(
        SOUND.replace(LEASE, "")
        + r"""
mkdir -p /etc/netplan
printf 'network:\n  version: 2\n  ethernets:\n    eth0:\n      addresses: [10.0.0.4/24]\n' > /etc/netplan/50-fixed.yaml
""",
        runs=ONE,
    ),
    "unknown_lines": Machine(late=INSTALLED + UNKNOWN_LINES),
    "left_over_state": Machine(
        late=INSTALLED
        + f"""
mkdir -p {EXTENSION}-1.0.9120.0/config
cat > /var/log/waagent.log <<'END'
2026/11/22 23:31:57.742721 INFO [{EXTENSION}-1.0.9120.0] Target handler state: enabled
2026/11/22 23:31:57.745038 ERROR [{EXTENSION}-1.0.9120.0] Failed to save handler status: [Errno 2] No such file or \
directory: '/var/lib/waagent/{EXTENSION}-1.0.9120.0/config/HandlerStatus'
2026/11/22 23:31:57.747218 ERROR Event: name={EXTENSION}, op=None, message=[ExtensionError] Downgrade not allowed
END
""",
    ),
    "python_missing": Machine(late=INSTALLED + "rm -f /usr/bin/python3 /usr/bin/python3.[0-9]*\n"),
    "python_crashes": Machine(
        late=INSTALLED + "rm /usr/bin/python3; printf '#!/bin/sh\\necho ?; kill -SEGV $$\\n' > /usr/bin/python3\n"
        "chmod 755 /usr/bin/python3\n",
        runs=ONE,
    ),
    "snapshot_no_network": Machine(
        late=with_extension(
            76,
            "T:S Enable failed with FailedRetryableSnapshotFailedNoNetwork errorStatusCode."
            "FailedRetryableSnapshotFailedNoNetwork, https://md-1.z1.blob.storage.azure.net/a/b?sv=2018&sig=topsecret",
        )
        + "sed -i '/10.99.0.9/d' /etc/hosts\n",
        daemon=AGENT_UP,
    ),
    "openssl_broken": Machine(
        late=INSTALLED
        + "printf 'openssl_conf = init\\n[init]\\nproviders = missing\\nx = $nothing\\n' > /etc/ssl/openssl.cnf\n"
    ),
    "wrong_endpoint": Machine(
        SOUND.replace(LEASE, "")
        + "mkdir -p /var/lib/dhclient\ncat > /var/lib/dhclient/dhclient-1234-eth0.lease <<'END'\nlease {\n"
        '  interface "eth0";\n  option unknown-245 172.31.9.4,10.224.128.4;\n}\nEND\n',
        INSTALLED + "printf 172.31.9.4,10.224.128.4 > /var/lib/waagent/WireServerEndpoint\n",
    ),
    "busybox_only": Machine(late=INSTALLED + BUSYBOX_ONLY, runs=(("root", "busybox sh"), ("root", "dash"))),
    "newer_curl": Machine(late=INSTALLED + NEWER_CURL, runs=ONE),
    "platform_python": Machine(late=INSTALLED + PLATFORM_PYTHON, runs=ONE),
    "blocked_curl": Machine(firewall=BLOCKED, patience=3, runs=ONE, late=INSTALLED),
    "blocked_bash": Machine(firewall=BLOCKED, patience=3, runs=ONE, late=INSTALLED + "rm /usr/bin/curl\n"),
    "blocked_nc": Machine(firewall=BLOCKED, patience=3, runs=ONE, late=INSTALLED + BUSYBOX_ONLY),
    "blocked_python": Machine(
        firewall=BLOCKED, patience=3, runs=ONE, late=INSTALLED + "rm /usr/bin/curl /usr/bin/bash\n"
    ),
    "unroutable_nc": Machine(CONFIGURED + SYSTEMD, network=None, runs=ONE, late=INSTALLED + BUSYBOX_ONLY),
    "unroutable_bash": Machine(CONFIGURED + SYSTEMD, network=None, runs=ONE, late=INSTALLED + "rm /usr/bin/curl\n"),
    "unroutable_python": Machine(
        CONFIGURED + SYSTEMD, network=None, runs=ONE, late=INSTALLED + "rm /usr/bin/curl /usr/bin/bash\n"
    ),
    "no_tools": Machine(
        late=INSTALLED + "rm /usr/bin/gzip /usr/bin/timeout\n", runs=(("root", "dash"), ("root", "bash"))
    ),
    "proxies": Machine(
        SOUND + "printf 'export https_proxy=\"http://u:secret@p.example:8080\"\\n' > /etc/environment\n"
        "sed -i 's#^ExecStart=#Environment=http_proxy=http://u:secret@p.example:3128\\n&#' "
        "/lib/systemd/system/walinuxagent.service\n"
    ),
    "large": Machine(
        late=INSTALLED
        + """
i=0
while [ $i -lt 90 ]; do
  i=$((i+1)); name=$(head -c 6 /dev/urandom | od -An -tx1 | tr -d ' \\n')
  ip link add $name type bridge
  value=$(head -c 30 /dev/urandom | base64 | tr -d '/+=')
  echo "OPTION_245=$value" > /run/systemd/netif/leases/$(cat /sys/class/net/$name/ifindex)
done
""",
    ),
    "stuck": Machine(
        late=INSTALLED
        + """
printf '#!/bin/sh\\nexec sleep 600\\n' > /usr/bin/hang; chmod 755 /usr/bin/hang
for name in waagent systemctl dpkg-query apt-cache stat openssl ip python3 curl getent; do
  for folder in /usr/sbin /usr/bin; do
    if [ -e $folder/$name ]; then cp --remove-destination /usr/bin/hang $folder/$name; fi
  done
done
""",
        runs=ONE,
        patience=1,
    ),
    "hostile": Machine(
        late=INSTALLED
        + r"""
mkdir -p '/mnt/a "b\c $(touch /owned) é' && mount -t tmpfs tmpfs '/mnt/a "b\c $(touch /owned) é'
mkdir -p '/data "x\y $(touch /owned)'
mount='/data"$(touch${IFS}/owned) ext4'
printf '%s\n' "/dev/x $mount" "/dev/y $mount" '#/dev/z /etc ext4' '/dev/q /etc ext4' > /etc/fstab
printf '%s\n' '[SnapshotThread]' 'MountsToSkip: /a"b\c,$(touch /owned)`touch /owned`' 'SafeFreezeWaitInSeconds = 90' \
  '[Other]' 'timeout: 1' > /etc/azure/vmbackup.conf
printf '"; touch /owned; \\ \001\377' > /var/lib/waagent/WireServerEndpoint
yes '2026-11-23T01:00:00.1Z ERROR [Errno 113] No route to host' | head -n 3000 > /var/log/waagent.log
""",
    ),
}


@dataclass(frozen=True, slots=True)
class Output:
    """What one run of the probe printed."""

    user: str
    shell: str
    text: str
    errors: str
    code: int
    took_ms: int


def examine(name: str, root: Path, work: Path) -> tuple[list[Output], str]:
    """Start this machine, run the probe in it; its outputs, and what changed on disk meanwhile (empty: nothing)."""
    machine = MACHINES[name]
    work.mkdir(parents=True, exist_ok=True)
    (work / "prepare.sh").write_text(machine.prepare, encoding="utf-8")
    (work / "late.sh").write_text(machine.late, encoding="utf-8")
    runs = [f"{number} {user} {shell}" for number, (user, shell) in enumerate(machine.runs)]
    (work / "runs").write_text("".join(f"{run}\n" for run in runs))
    (work / "firewall").write_text(machine.firewall)
    (work / "patience").write_text(str(machine.patience))
    if machine.disk:
        (work / "disk").write_text(machine.disk)
    if machine.network is not None:
        (work / "network").write_text(str(machine.network))
    if machine.daemon is not None:
        (work / "daemon").write_text(machine.daemon)
    arguments = [str(root), str(work), sys.executable, str(HERE), VM_ID, HOST]
    done = subprocess.run(
        ["unshare", "-n", "-m", "-p", "-u", "-f", "--kill-child", *PATIENT, str(HERE / "inside.sh"), *arguments],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    outputs = [_output(work, number, user, shell) for number, (user, shell) in enumerate(machine.runs)]
    return outputs, (work / "written").read_text().strip()


def _output(work: Path, number: int, user: str, shell: str) -> Output:
    return Output(
        user=user,
        shell=shell,
        text=(work / f"{number}.out").read_text(encoding="utf-8", errors="replace"),
        errors=(work / f"{number}.err").read_text(encoding="utf-8", errors="replace"),
        code=int((work / f"{number}.code").read_text()),
        took_ms=int((work / f"{number}.ms").read_text()),
    )
