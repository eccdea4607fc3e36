#!/bin/sh
# Guest probe of vmbackup for Linux: read-only, any POSIX shell, root or not. README.md beside it has the contract.
# It writes no file (hence no here-documents), changes nothing, and bounds every question in time: each section is asked
# by a process of its own, which is left behind when it hangs in the kernel, where not even a kill reaches it.
# Every value from the system passes through js(), which makes it a JSON string of at most 180 ASCII characters.
# shellcheck disable=SC2015,SC2016,SC2034,SC2046,SC2086,SC2209,SC2231,SC3045
# SC2034: the S_* variables are read through eval. SC2046, SC2086, SC2231: words are split on purpose, with globbing off.

WIRE=168.63.129.16
IMDS=169.254.169.254
LIB=/var/lib/waagent
EXT=Microsoft.Azure.RecoveryServices.VMSnapshotLinux
# An account of the Azure platform; asked only where no goal state on disk names the VM's own storage account.
STORAGE=zrdfepirv2cbz06prdstr01a.blob.core.windows.net
MOST_BYTES=4000
# After so many hundredths of a second no further section is begun; one section has so many seconds.
MOST_CS=3400
MOST_S=25
# Every limit is multiplied by this; more than 1 only where the script is tested on a busy machine.
PATIENCE=1
MARK=VMBACKUP-END
# In this order sections are given up last to first when the document is too large; before them the lines of log_lines.
SECTIONS="agent agent_config extension network disk mounts python logs dhcp openssl agent_state clock vmbackup_conf selinux folders script_plugin scanners containers log_lines"
# What one section finds out for the ones after it, and the errors: all that leaves a section's process besides its facts.
HANDED_ON="waagent unit unit_env agent_python interpreter extension_python short openssl_path proxy_host versions VM_ID skew LINES errors E"
TAB=$(printf '\t')
NL='
'

# id, blank, extended regular expressions that must all match, joined by " && ". They are those of signatures.yaml:
# tests/renew_pattern_tables.py writes them here.
PATTERNS='disk_lun_list IsAnyDiskExcluded is marked as true but input LUN list
snapshot_limit FailedSnapshotLimitReached
snapshot_rate SnapshotRateExceeded
crp_timeout CRP timeout limit has reached
snapshot_conflict snapshot result: errorcode: 409
snapshot_inconsistent [Ss]napshot result inconsistent|Snapshots are inconsistent|Inconsistent snapshot because
unable_to_sleep Machine unable to sleep|Unable to execute sleep
freeze_failed freeze failed for some mount|Failed to FIFREEZE
freeze_timeout freeze timed-out|freeze took longer than timeout|receive timely Thaw
open_mount_failed file open failed for some mount
freeze_program_missing safefreeze binary is missing
thaw_failed Failed to FITHAW
freeze_already Mount Points already freezed
freeze_lock_held Failed to (open file or )?aquire lock
freeze_begin T:S freeze, timeout value
freeze_end T:S (freeze|thaw) result
certificate_not_found unable to load certificate|\.prv: No such file
decrypt_failed Failed to decrypt && Certificates\.p7m
openssl_config configuration file routines|Unable to load config info from
openssl_cipher unknown cipher|digital envelope routines:[A-Za-z_]*:unsupported|Cannot convert PFX to PEM
openssl_missing openssl: (command )?not found|openssl.?: No such file|sh: [0-9]+: None: not found
transport_certificate Transport(Cert|Private)\.pem && is missing|Failed to create
downgrade VMSnapshotLinux && Downgrade (is )?not allowed
handler_status_failed VMSnapshotLinux-[0-9.]+\] Failed to save handler status
extension_exit VMSnapshotLinux && Non-zero exit code: (3|127),
extension_exit_other VMSnapshotLinux && Non-zero exit code: ([124-9]|[1-9][0-9]|[2-9][0-9][0-9]),
exit_126 exit code: 126
exit_127 exit code: 127
python_unknown python version unknown
module_missing No module named
extension_import_failed VMSnapshotLinux-[0-9.]+.main && , line [0-9]+, in <module>
handle_failed - [1-9][0-9]* returned from handle\.py
old_agent_api Failed to construct ConfigurationProvider
blob_properties_failed Failed to get blob properties
extension_exception Failed to enable the extension with error|Enable failed with exception in safe freeze|Failed to do the snapshot with error|Failed to call the daemon
script_failed (PreScript|PostScript) failed for the plugin|(Prescript|Postscript) for [A-Za-z0-9_.-]+ (failed with|timed out)
script_setup Plugin Host Precheck Failed|Cant run prescript for
workload_failed Workload Patch failed with
snapshot_no_network FailedRetryableSnapshotFailedNoNetwork
snapshot_restricted_network FailedRetryableSnapshotFailedRestrictedNetwork
host_snapshot_error From Host- IsSuccessful:[Ff]alse|Failed to do the (pre )?snapshot in host|DoSnapshot: responseBody is empty|dosnapshot responseBody: ..?.?error|dosnapshot responseBody: StatusCode:[45]|Could not find config corresponding to the Disk|FailedHostSnapshotRemoteServerError
presnapshot_refused PreSnapshot: Status Code: ([13-9][0-9][0-9]|20[2-9]|2[1-9][0-9])
presnapshot_ok PreSnapshot: Status Code: 20[01]
snapshot_through_host Taking Snapshot through Host
host_service_missing BHS is not runnn?ing on host machine
wrong_host_address Hitting wrong WireServer IP
extension_http_error resp status: [45][0-9][0-9]
heartbeat \[HEARTBEAT\] Agent WALinuxAgent-
no_route No route exists to [0-9]
no_route_to_host \[Errno 113\] No route to host
wireserver_not_responding WireServer is not responding
wireserver_503 Calling wire server failed: 503
protocol_not_found Protocol endpoint not found
wireserver_timed_out 168\.63\.129\.16 && IOError timed out
wireserver_closed 168\.63\.129\.16 && Connection (refused|reset by peer)
host_error \[HTTP Failed\] \[5[0-9][0-9]:
network_unreachable \[Errno 101\] Network is unreachable|\(101, .Network is unreachable
goal_state_failed (retrieving|Error fetching) the goal state:|goal state is still failing|goal state, giving
goal_state_missing GoalState\.[0-9]+\.xml is missing
dhcp_failed Failed to send DHCP request
wrong_endpoint (found endpoint \[|Wire server endpoint: ?)(([02-9]|1[0-57-9]|16[0-79]|168\.[0-57-9])|[0-9.]+,)
agent_python_error unexpected keyword argument .etype.
python_traceback (NameError|TypeError|AttributeError|SyntaxError|IndexError|KeyError|ValueError|UnicodeDecodeError|UnicodeEncodeError|RecursionError):
exthandlers_failed run-exthandlers && failed with (return code|exception)|exited with return code|returned code: [1-9]|Failed to run
agent_version_given_up is permanently blacklisted|maximum recursion depth exceeded
agent_waits_for_orphan waiting for orphan process [0-9]+ to terminate
agent_exception Agent WALinuxAgent-[0-9.]+ failed with exception|Exception (processing|retrieving) (extension handlers|agent manifests)|Exception processing goal state
host_plugin_failed [Hh]ost plugin channel is not available|HostGAPlugin: Exception Get API versions
agent_event_files Too many files under
agent_cgroups [Cc][Gg]roup && ERROR|failed to update cgroups|Cgroup hierarchy
noexec noexec flag is set on
no_space No space left on device
read_only_file_system Read-only file system'

have() { command -v "$1" >/dev/null; }

# --- JSON ----------------------------------------------------------------------------------------------------------

# js TEXT [LENGTH]: J becomes the JSON string; "..." at its end where it was too long.
js() {
  J=$1
  if [ "${#J}" -le "${2:-180}" ]; then
    case $J in *[!A-Za-z0-9\ _./:@%+=,\(\)-]*) ;; *) J="\"$J\""; return ;; esac
  fi
  # A byte more than fits shows that something is missing.
  J=$(printf '%s' "$J" | tr '\011\012\015' '   ' | tr -d '\000-\037\177' | tr '\200-\377' '?' |
    cut -c1-$((${2:-180} + 1)))
  if [ "${#J}" -gt "${2:-180}" ]; then
    J=${J%????}...
  fi
  J=$(printf '%s' "$J" | sed 's/["\\]/\\&/g')
  J="\"$J\""
}
kr() { O="$O${O:+,}\"$1\":$2"; }
ks() { if [ -n "$2" ]; then js "$2" "$3"; else J=null; fi; kr "$1" "$J"; }
kb() { case $2 in y | yes | 1 | [Tt]rue) kr "$1" true ;; n | no | 0 | [Ff]alse) kr "$1" false ;; *) kr "$1" null ;; esac; }
kn() {
  case $2 in '' | *[!0-9]*) kr "$1" null ;; *) J=${2#"${2%%[!0]*}"}; kr "$1" "${J:-0}" ;; esac
}
# kt: like ks for what was looked for; empty means that there is none.
kt() { js "$2" "$3"; kr "$1" "$J"; }
item() { js "$1" "$2"; L="$L${L:+,}$J"; }
# partial KEY: this list of the section is not complete; cut_lists adds the key that says so.
partial() { case $C in *"\"$1\""*) ;; *) C="$C${C:+,}\"$1\"" ;; esac; }
cut_lists() { kr cut "[$C]"; }
is_number() { case $1 in '' | *[!0-9]* | ??????????????????*) return 1 ;; esac; }

errors=0 E=
oops() {
  errors=$((errors + 1))
  [ "$errors" -gt 8 ] && return
  js "$1" 100; E="$E${E:+,}$J"
}

# Secrets: credentials before a host, query strings after a path, settings that carry secrets, tokens and signatures.
redacted() {
  printf '%s' "$1" | sed -e 's#://[^/@ ]*@#://***@#g' -e 's#\(https\{0,1\}://[^ ?"]*\)?[^ "]*#\1?***#g' \
    -e 's/\([Ss][Ii][Gg]\)=[^ &"]*/\1=***/g' -e 's/\([Bb]earer\) .*/\1 ***/' -e 's/eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]*/***/g' \
    -e 's/\([Pp]ass[a-z]*[Ww]*or*d\|[Ss]ecret\|[Tt]oken\|[A-Za-z]*[Kk]ey\|[Ss]ignature\|[Aa]uthorization\)\(["'"'"' ]*[:=]["'"'"' ]*\)[^ ,;&"'"'"']*/\1\2***/g'
}

# --- time ----------------------------------------------------------------------------------------------------------

# U: hundredths of a second since boot.
now() { U=; read -r U _ </proc/uptime; U=${U%.*}${U#*.}; is_number "$U" || U=0; }

timeout_kind() {
  if timeout -s KILL 1 true; then echo new; elif timeout -t 1 -s KILL true; then echo old; else echo none; fi
}

# bounded SECONDS COMMAND…: its own exit code, 124 or more when it had to be killed.
bounded() {
  seconds=$(($1 * PATIENCE))
  shift
  case $TIMEOUT in
    new) timeout -s KILL "$seconds" "$@" ;;
    old) timeout -t "$seconds" -s KILL "$@" ;;
    *)
      # A job in the background would otherwise read /dev/null.
      { "$@" <&3 3<&- & } 3<&0
      pid=$!
      (sleep "$seconds"; kill -9 "$pid") >/dev/null 2>&1 &
      watch=$!
      wait "$pid"
      code=$?
      kill "$watch" 2>/dev/null
      return "$code"
      ;;
  esac
}

# within SECONDS FUNCTION…: what it prints until it ends or the time is over. A process that waits for a frozen file
# system cannot be killed and keeps its pipe open for ever: the mark ends the reading, and the process is left behind.
within() {
  seconds=$(($1 * PATIENCE))
  shift
  {
    sleep "$seconds" >/dev/null &
    guard=$!
    { "$@"; kill "$guard"; } &
    worker=$!
    wait "$guard"
    kill -9 "$worker"
    printf '\n%s\n' "$MARK"
  } | sed "/^$MARK\$/q" | sed '$d'
}

# epoch "23 Nov 2026 03:00:00": seconds since 1970, nothing for another text.
epoch() {
  set -- $(printf '%s' "$1" | tr ':' ' ')
  [ $# -ge 6 ] || return
  case $2 in
    Jan) m=1 ;; Feb) m=2 ;; Mar) m=3 ;; Apr) m=4 ;; May) m=5 ;; Jun) m=6 ;;
    Jul) m=7 ;; Aug) m=8 ;; Sep) m=9 ;; Oct) m=10 ;; Nov) m=11 ;; Dec) m=12 ;; *) return ;;
  esac
  for part in "$1" "$3" "$4" "$5" "$6"; do is_number "$part" || return; done
  y=$3
  [ $m -le 2 ] && y=$((y - 1))
  days=$((365 * y + y / 4 - y / 100 + y / 400 + (153 * ((m + 9) % 12) + 2) / 5 + ${1#0} - 1 - 719468))
  echo $((86400 * days + 3600 * ${4#0} + 60 * ${5#0} + ${6#0}))
}

# Each p_<section> fills O with the keys of one section; it returns 9 when the section is to be left out.

# --- the agent -----------------------------------------------------------------------------------------------------

value_of() { printf '%s\n' "$2" | sed -n "s/^$1=//p" | head -n 1; }

agent_unit() {
  unit='' active='' sub='' enabled='' restart='' unit_env='' result='' exit_status='' restarts='' job=unknown waits=''
  if [ -d /run/systemd/system ] && have systemctl; then
    for name in walinuxagent waagent; do
      text=$(bounded 3 systemctl show --no-pager -p LoadState,ActiveState,SubState,UnitFileState,Restart,Environment,Result,ExecMainStatus,NRestarts,Job "$name.service")
      [ $? -lt 124 ] || { oops "agent: systemctl does not answer"; break; }
      load=$(value_of LoadState "$text")
      case $load in loaded | masked) ;; *) continue ;; esac
      unit=$name
      active=$(value_of ActiveState "$text") sub=$(value_of SubState "$text") restart=$(value_of Restart "$text")
      enabled=$(value_of UnitFileState "$text") unit_env=$(value_of Environment "$text")
      result=$(value_of Result "$text") exit_status=$(value_of ExecMainStatus "$text")
      restarts=$(value_of NRestarts "$text")
      [ "$load" = masked ] && enabled=masked
      agent_job "$(value_of Job "$text")"
      return
    done
  fi
  for name in walinuxagent waagent; do
    for file in /etc/systemd/system /run/systemd/system /usr/lib/systemd/system /lib/systemd/system; do
      [ -f "$file/$name.service" ] && unit=$name && return
    done
    [ -f "/etc/init.d/$name" ] && unit=$name && return
  done
}

# agent_job NUMBER: what systemd still has to do with the unit, and which units are started before it.
agent_job() {
  case $1 in '' | 0) job=''; return ;; esac
  text=$(bounded 3 systemctl list-jobs --no-pager --no-legend)
  [ $? -lt 124 ] || { oops "agent: systemctl does not list its jobs"; return; }
  job=$(printf '%s\n' "$text" | awk -v unit="$unit.service" '$2 == unit { print $3, $4; exit }')
  case $job in
    *waiting) waits=$(printf '%s\n' "$text" | awk '$4 == "running" { print $2 }') ;;
    '') job=unknown ;;
  esac
}

# Whatever may be the agent, each by itself: "comm" can always be read, but a command line hangs with its process.
python_processes() {
  for file in /proc/[0-9]*/comm; do
    line=
    read -r line <"$file"
    case $line in *python* | *waagent* | *WALinux*) ;; *) continue ;; esac
    (
      file=${file%/comm} line=
      read -r line <"$file/cmdline"
      # The arguments stand without separators here: a shell drops the NUL bytes between them.
      [ "${#line}" -gt 400 ] || echo "$file $line"
    ) &
  done
  wait
  echo all
}

# of_root FOLDER: what others run is not the agent, however it calls itself.
of_root() { [ "$(sed -n 's/^Uid:[^0-9]*\([0-9]*\).*/\1/p' "$1/status")" = 0 ]; }

agent_processes() {
  daemon='' exthandlers='' running='' agent_python=''
  [ -r /proc/1/cmdline ] || return
  set +f
  text=$(within 5 python_processes)
  set -f
  IFS=$NL
  for line in $text; do
    unset IFS
    file=${line%% *}
    case $line in
      all) daemon=${daemon:-n} exthandlers=${exthandlers:-n} ;;
      *python*-run-exthandlers*)
        of_root "$file" || continue
        exthandlers=y
        case $line in *WALinuxAgent-[0-9]*) running=${line##*WALinuxAgent-} running=${running%%-*} running=${running%%.egg*} ;; esac
        ;;
      *python*waagent*-daemon | *python*waagent*-daemon-configuration-path*)
        of_root "$file" || continue
        daemon=y
        # The extension falls back to the Python that the agent runs with.
        agent_python=$(readlink "$file/exe")
        ;;
    esac
  done
  unset IFS
  [ -n "$daemon" ] && [ -n "$exthandlers" ] || oops "agent: a process that may be the agent does not let itself be read"
}

agent_versions() {
  packaged='' goal='' python='' starts='' start_error=''
  [ -n "$waagent" ] || return
  text=$(bounded 6 "$waagent" --version 2>&1)
  code=$?
  packaged=$(printf '%s\n' "$text" | sed -n 's/^WALinuxAgent-\([0-9][0-9.]*\).*/\1/p' | head -n 1)
  python=$(printf '%s\n' "$text" | sed -n 's/^[Pp]ython: *\([0-9][0-9.]*\).*/\1/p' | head -n 1)
  # Without the right to list $LIB the agent would call its packaged version the goal state's.
  [ -r "$LIB" ] && [ -x "$LIB" ] &&
    goal=$(printf '%s\n' "$text" | sed -n "s/^[Gg]oal [Ss]tate [Aa]gent: *b*'*\([0-9][0-9.]*\).*/\1/p" | head -n 1)
  if [ "$code" -eq 0 ] && [ -n "$packaged" ]; then
    starts=y
  elif [ "$code" -eq 137 ] || [ "$code" -eq 124 ]; then
    oops "agent: waagent --version did not end"
  else
    start_error=$(printf '%s\n' "$text" | sed -n '/[^ ]/p' | tail -n 1)
    start_error=${start_error:-exit code $code}
    case $start_error in *[Pp]ermission*) [ "$ROOT" = y ] && starts=n ;; *) starts=n ;; esac
  fi
}

# owned EXIT_CODE: source, from the answer of the package manager to "whose is this file".
owned() { case $1 in 0) source=distro ;; 1) source=foreign ;; esac; }

agent_package() {
  package='' package_version='' candidate='' source=unknown asked=''
  if have dpkg-query; then
    text=$(bounded 3 dpkg-query -W -f '${Status} ${Package} ${Version}\n' walinuxagent waagent)
    [ $? -lt 124 ] || { oops "agent: dpkg-query does not answer"; return; }
    asked=y
    set -- $(printf '%s\n' "$text" | sed -n 's/^install ok installed //p' | head -n 1)
    package=$1 package_version=$2
    # With these options apt-cache stores no index, and its scratch file is memory.
    [ -n "$package" ] && have apt-cache &&
      candidate=$(bounded 6 env TMPDIR=/dev/shm apt-cache -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= policy "$package" | sed -n 's/^ *Candidate: *//p')
    case $candidate in *none*) candidate= ;; esac
    [ -z "$waagent" ] || { bounded 3 dpkg-query -S "$waagent" >/dev/null; owned $?; }
  elif have rpm; then
    asked=y
    # No candidate: dnf, yum and zypper write logs and caches even when only asked.
    for name in WALinuxAgent python3-azure-agent python-azure-agent waagent; do
      package_version=$(bounded 3 rpm -q --qf '%{VERSION}-%{RELEASE}' "$name") && package=$name && break
      package_version=
    done
    [ -z "$waagent" ] || { bounded 3 rpm -qf "$waagent" >/dev/null; owned $?; }
  fi
  [ "$source" = foreign ] || return
  # No package owns it: what its installer left behind tells pip from a checkout of the project.
  source=unknown
  set +f
  for file in /usr/lib/python*/*-packages /usr/local/lib/python*/*-packages /usr/lib64/python*/*-packages; do
    for name in "$file"/WALinuxAgent* "$file"/walinuxagent*; do
      [ -e "$name" ] || continue
      installer=
      [ -r "$name/INSTALLER" ] && read -r installer <"$name/INSTALLER"
      if [ "$installer" = pip ]; then source=pip; else source=github; fi
    done
  done
  set -f
}

p_agent() {
  waagent=
  for file in /usr/sbin/waagent /usr/bin/waagent /usr/local/sbin/waagent /usr/local/bin/waagent /usr/share/oem/bin/waagent; do
    [ -f "$file" ] && waagent=$file && break
  done
  agent_unit
  agent_processes
  agent_versions
  agent_package
  [ "$exthandlers" = y ] && running=${running:-$packaged}
  kt path "$waagent"; kt unit "$unit"; ks active "$active"; ks sub "$sub"; ks enabled "$enabled"; ks restart "$restart"
  ks result "$result"; kn exit_status "$exit_status"; kn restarts "$restarts"
  if [ "$job" = unknown ]; then kr job null; else kt job "$job"; fi
  L='' count=0
  for name in $waits; do
    count=$((count + 1))
    if [ "$count" -gt 5 ]; then partial job_waits_for; else item "$name" 80; fi
  done
  if [ "$job" = unknown ]; then kr job_waits_for null; else kr job_waits_for "[$L]"; fi
  kb daemon "$daemon"; kb exthandlers "$exthandlers"; ks packaged_version "$packaged"; ks running_version "$running"
  ks goal_state_version "$goal"
  if [ -n "$asked" ]; then kt package "$package"; else kr package null; fi
  ks package_version "$package_version"
  ks package_candidate "$candidate"; ks source "$source"; ks python_version "$python"; kb starts "$starts"
  ks start_error "$(redacted "${start_error#timeout: }")"
  cut_lists
}

# The agent's own modules read its configuration: "waagent --show-configuration" prints the same, but creates directories.
READ_CONFIGURATION='from azurelinuxagent.common import conf
from azurelinuxagent.common.osutil import get_osutil
conf.load_conf_from_file(get_osutil().get_agent_conf_file_path())
for pair in conf.get_configuration().items(): print("%s=%s" % pair)'

# setting KEY DEFAULT: V; a default taken is noted in L.
setting() {
  V=$(printf '%s\n' "$settings" | sed -n "s/^[ $TAB]*$1[ $TAB]*=[ $TAB]*//p" | tail -n 1)
  V=${V%%#*}
  V=$(printf '%s' "$V" | sed -e 's/^[" ]*//' -e "s/[\" $TAB]*\$//")
  [ "$V" = None ] && V=
  if [ "$via" = file ] && [ -z "$V" ] && [ -n "$2" ]; then V=$2; item "$1"; fi
}
switch() { setting "$1" "$2"; case $V in [Yy] | [Tt]rue) V=y ;; [Nn] | [Ff]alse) V=n ;; esac; }

p_agent_config() {
  via='' settings='' interpreter='' L=''
  if [ -n "$waagent" ] && read -r line <"$waagent"; then
    set -- ${line#\#!}
    interpreter=$1
    case $interpreter in */env) interpreter=$2 ;; esac
    have "$interpreter" && settings=$(bounded 6 "$interpreter" -B -W ignore -c "$READ_CONFIGURATION")
    case $settings in *Extensions.Enabled=*) via=waagent ;; esac
  fi
  if [ -z "$via" ]; then
    for file in /etc/waagent.conf /usr/share/oem/waagent.conf; do
      [ -r "$file" ] && settings=$(tr -d '\r' <"$file") && via=file && break
    done
  fi
  if [ -z "$via" ]; then
    settings=
    [ -z "$waagent" ] || oops "agent_config: neither the agent nor its file says it"
  fi
  ks via "$via"
  switch Extensions.Enabled y; kb extensions_enabled "$V"
  switch AutoUpdate.Enabled y; kb auto_update_enabled "$V"
  switch AutoUpdate.UpdateToLatestVersion ''; kb auto_update_to_latest "$V"
  switch Logs.Verbose n; kb logs_verbose "$V"
  setting HttpProxy.Host ''; proxy_host=$V; ks proxy_host "$(redacted "$V")"
  setting HttpProxy.Port ''; ks proxy_port "$V"
  setting Provisioning.Agent auto; ks provisioning_agent "$V"
  switch OS.EnableFirewall ''; kb enable_firewall "$V"
  switch OS.EnableFIPS n; kb enable_fips "$V"
  setting Protocol.EndpointDiscovery ''; ks endpoint_discovery "$V"
  setting Extensions.GoalStatePeriod 6; kn goal_state_period_s "$V"
  setting OS.OpensslPath ''; openssl_path=$V
  kr assumed "[$L]"
}

# --- the extension -------------------------------------------------------------------------------------------------

# A small JSON reader: records end at quotation marks, so that even a large file is read in one pass. It prints
# status.status, .code, .operation and .formattedMessage.message of the first entry.
READ_STATUS='
function value(v) {
  if (type[d] == "o" && want == "key") { key[d] = v; return }
  if (key[2] != "status") return
  if (d == 3 && (key[3] == "status" || key[3] == "code" || key[3] == "operation")) print key[3] "=" v
  if (d == 4 && key[3] == "formattedMessage" && key[4] == "message") print "message=" v
}
BEGIN { RS = "\"" }
inside {
  s = s $0; n = 0
  for (i = length($0); i > 0 && substr($0, i, 1) == "\\"; i--) n++
  if (n % 2) { s = s "\""; next }
  inside = 0; value(s); next
}
{
  gsub(/[ \t\r\n]/, ""); word = ""
  for (i = 1; i <= length($0); i++) {
    c = substr($0, i, 1)
    if (index("{}[]:,", c) == 0) { word = word c; continue }
    if (word != "") { value(word); word = "" }
    if (c == "{") { type[++d] = "o"; want = "key" }
    else if (c == "[") { type[++d] = "a"; want = "value" }
    else if (c == "}" || c == "]") { d--; want = "value" }
    else if (c == ":") want = "value"
    else want = (type[d] == "o") ? "key" : "value"
  }
  inside = 1; s = ""
}'

# newest_of COUNT KEY: so many of the versions, the newest; the list under the key is cut where there are more.
newest_of() {
  some=$(printf '%s\n' $versions | tail -n "$1")
  set -- "$1" "$2" $versions
  [ $# -le $(($1 + 2)) ] || partial "$2"
}

by_version() { sort -t . -k 1,1n -k 2,2n -k 3,3n -k 4,4n; }

p_extension() {
  versions='' newest='' status='' seq='' text='' stamp=''
  if [ ! -d "$LIB" ]; then
    kr versions '[]'; ks name ''; cut_lists
    return
  fi
  [ -r "$LIB" ] && [ -x "$LIB" ] || { oops "extension: $LIB may not be read"; return 9; }
  set +f
  versions=$(for file in "$LIB/$EXT"-[0-9]*; do [ -d "$file" ] && echo "${file##*-}"; done | by_version | tr '\n' ' ')
  set -f
  L=
  for name in $versions; do newest=$name; done
  newest_of 8 versions
  for name in $some; do item "$name" 40; done
  if [ -n "$newest" ]; then
    set +f
    seq=$(for file in "$LIB/$EXT-$newest"/status/[0-9]*.status; do file=${file##*/}; echo "${file%.status}"; done | grep '^[0-9]*$' | sort -n | tail -n 1)
    set -f
  fi
  if [ -n "$seq" ]; then
    text=$(head -c 1000000 "$LIB/$EXT-$newest/status/$seq.status" | bounded 5 awk "$READ_STATUS")
    [ -n "$text" ] || oops "extension: $seq.status is not readable"
    stamp=$(date -u -r "$LIB/$EXT-$newest/status/$seq.status" +%Y-%m-%dT%H:%M:%SZ)
  fi
  # The text is still escaped as in the file.
  message=$(value_of message "$text" | sed -e 's/\\u[0-9a-fA-F]\{4\}/?/g' -e 's/\\[nrt]/ /g' -e 's/\\\(.\)/\1/g')
  if [ -n "$newest" ]; then ks name "$EXT"; else ks name ''; fi
  kr versions "[$L]"; ks newest "$newest"; ks status "$(value_of status "$text")"; kn code "$(value_of code "$text")"
  ks message "$(redacted "$message")"; ks operation "$(value_of operation "$text")"; kn seq "$seq"; ks at "$stamp"; cut_lists
}

p_agent_state() {
  L=
  if [ ! -d "$LIB" ] || [ ! -r "$LIB" ] || [ ! -x "$LIB" ]; then
    kb readable n; kb transport_certificate ''; kn private_keys ''; cut_lists
    if [ -d "$LIB" ]; then kr handlers null; else kr handlers '[]'; fi
    return
  fi
  kb readable y
  if [ -s "$LIB/TransportCert.pem" ] && [ -s "$LIB/TransportPrivate.pem" ]; then kb transport_certificate y; else kb transport_certificate n; fi
  set +f
  count=0
  for file in "$LIB"/*.prv; do [ -s "$file" ] && count=$((count + 1)); done
  kn private_keys "$count"
  newest_of 6 handlers
  for name in $some; do
    state=
    [ -r "$LIB/$EXT-$name/config/HandlerState" ] && read -r state <"$LIB/$EXT-$name/config/HandlerState"
    found=false
    for file in "$LIB/$EXT-$name"/status/*.status; do [ -f "$file" ] && found=true; done
    js "$name" 40; entry="{\"version\":$J"
    js "$state" 40; [ -n "$state" ] || J=null
    L="$L${L:+,}$entry,\"state\":$J,\"status_file\":$found}"
  done
  set -f
  kr handlers "[$L]"; cut_lists
}

# --- the network ---------------------------------------------------------------------------------------------------

# word EXIT_CODE TEXT: what went wrong, from the words of the tool.
word() {
  case $2 in
    *refused*) echo refused ;;
    *"No route"* | *nreachable*) echo no_route ;;
    *esolve* | *"bad address"* | *"not known"* | *"name resolution"*) echo dns ;;
    *[Tt]"imed out"* | *[Tt]"imeout"*) echo timeout ;;
    *) if [ "$1" -eq 28 ] || [ "$1" -ge 124 ]; then echo timeout; else echo error; fi ;;
  esac
}

TCP_PYTHON='import errno, socket, sys
s = socket.socket(); s.settimeout(float(sys.argv[3]))
try: s.connect((sys.argv[1], int(sys.argv[2]))); print("VMB connected")
except socket.timeout: print("timed out")
except EnvironmentError as e: print(e)'

# tcp HOST PORT: can a connection be opened.
tcp() {
  by=
  if have curl; then
    by=curl
    text=$(bounded 5 curl -q -sv --noproxy '*' -o /dev/null --connect-timeout $((3 * PATIENCE)) -m $((4 * PATIENCE)) "http://$1:$2/" 2>&1)
  elif have bash; then
    text=$(bounded 4 bash -c "exec 3<>/dev/tcp/$1/$2 && echo VMB connected" 2>&1)
  elif have nc; then
    text=$(printf 'GET / HTTP/1.0\r\n\r\n' | bounded 4 nc -w $((3 * PATIENCE)) "$1" "$2" 2>&1 && echo VMB connected)
  elif have python3; then
    text=$(bounded 5 python3 -B -c "$TCP_PYTHON" "$1" "$2" $((3 * PATIENCE)) 2>&1)
  else
    return
  fi
  code=$?
  # curl keeps its own time: where it had to be killed, nothing was found out.
  [ "$by" = curl ] && [ "$code" -ge 124 ] && return
  # The second is what curl 8.16 and newer say.
  case $text in
    *"Connected to "* | *"stablished connection to "* | *"VMB connected"*) echo ok ;;
    *) word "$code" "$text" ;;
  esac
}

HTTP_PYTHON='import socket, sys
s = socket.create_connection((sys.argv[1], 80), float(sys.argv[4]))
s.sendall(("GET %s HTTP/1.0\r\nHost: %s\r\n%s\r\n\r\n" % (sys.argv[2], sys.argv[1], sys.argv[3])).encode())
while True:
    data = s.recv(4096)
    if not data: break
    sys.stdout.write(data.decode("latin-1"))'

# http HOST PATH HEADER: the whole answer.
http() {
  if have curl; then
    bounded 5 curl -q -s -i --noproxy '*' --connect-timeout $((3 * PATIENCE)) -m $((4 * PATIENCE)) -H "$3" "http://$1$2"
  elif have bash; then
    bounded 4 bash -c 'exec 3<>/dev/tcp/$0/80 && printf "GET %s HTTP/1.0\r\nHost: %s\r\n%s\r\n\r\n" "$1" "$0" "$2" >&3 && cat <&3' "$1" "$2" "$3"
  elif have nc; then
    printf 'GET %s HTTP/1.0\r\nHost: %s\r\n%s\r\n\r\n' "$2" "$1" "$3" | bounded 4 nc -w $((3 * PATIENCE)) "$1" 80
  elif have python3; then
    bounded 5 python3 -B -c "$HTTP_PYTHON" "$1" "$2" "$3" $((3 * PATIENCE))
  fi
}

# answer NAME HOST PATH HEADER: one line with the HTTP status, the local time in the middle, the server's date and the
# last line of the body.
answer() {
  before=$(date +%s)
  text=$(http "$2" "$3" "$4" | head -c 4000 | tr -d '\000\r')
  after=$(date +%s)
  code=$(printf '%s\n' "$text" | sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p')
  stamp=$(printf '%s\n' "$text" | sed -n 's/^[Dd]ate: *[A-Za-z]*, *\([A-Za-z0-9: ]*\) GMT.*/\1/p' | head -n 1)
  is_number "$before" && is_number "$after" && before=$(((before + after) / 2))
  echo "$1 ${code:-none}|$before|$stamp|$(printf '%s\n' "$text" | tail -n 1)"
}

# The agent's environment may name a proxy, and the extension would use it: so does this one question.
storage() {
  if ! have curl; then
    tcp "$1" 443
    return
  fi
  text=$(bounded 6 curl -q -sS -o /dev/null --connect-timeout $((4 * PATIENCE)) -m $((5 * PATIENCE)) "https://$1/" 2>&1)
  code=$?
  if [ "$code" -eq 0 ]; then echo ok; elif [ "$code" -lt 124 ]; then
    case $text in
      *efused* | *nreachable* | *"No route"* | *esolve* | *imed\ out*) word "$code" "$text" ;;
      # This curl does not say why it could not connect; the way past a proxy would be another one.
      *) if [ "$code" -eq 7 ] && [ -z "${https_proxy:-}${HTTPS_PROXY:-}${all_proxy:-}${ALL_PROXY:-}" ]; then tcp "$1" 443; else word "$code" "$text"; fi ;;
    esac
  fi
}

resolves() {
  if have getent; then
    bounded 4 getent hosts "$1" >/dev/null
  elif have nslookup; then
    bounded 4 nslookup "$1" >/dev/null
  elif have python3; then
    bounded 4 python3 -B -c 'import socket, sys; socket.gethostbyname(sys.argv[1])' "$1"
  else
    return 3
  fi
  code=$?
  if [ "$code" -eq 0 ]; then echo ok; elif [ "$code" -ge 124 ]; then echo timeout; else echo dns; fi
}

storage_host() {
  set +f
  host=$(cat "$LIB"/ExtensionsConfig.*.xml "$LIB"/history/*/*.xml "$LIB"/history/*/*.json 2>/dev/null | head -c 2000000 |
    sed -n 's#.*https://\([a-z0-9.-]*\.blob\.[a-z0-9.-]*\).*#\1#p' | head -n 1)
  set -f
  own=y
  [ -n "$host" ] || { own=n; host=$STORAGE; }
}

proxy() {
  [ -n "$2" ] || return
  js "$1" 60; entry="{\"where\":$J"
  js "$(redacted "$2")" 120
  L="$L${L:+,}$entry,\"value\":$J}"
}

proxies() {
  L=
  for name in http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy; do
    eval "proxy \"environment \$name\" \"\${$name:-}\""
  done
  [ -n "$proxy_host" ] && proxy "waagent.conf HttpProxy.Host" "$proxy_host"
  for part in $unit_env; do
    part=${part#\"} part=${part%\"}
    case ${part%%=*} in *[Pp][Rr][Oo][Xx][Yy]) proxy "unit $unit ${part%%=*}" "${part#*=}" ;; esac
  done
  IFS=$NL count=0
  for part in $(grep -i '^[ ]*\(export \)*[a-z]*_proxy=' /etc/environment); do
    unset IFS
    count=$((count + 1))
    [ "$count" -le 6 ] || { partial proxies; break; }
    part=${part#export } part=${part#"${part%%[! ]*}"}
    value=${part#*=} value=${value#[\"\']} value=${value%[\"\']}
    case ${part%%=*} in no_proxy | NO_PROXY) ;; *) proxy "/etc/environment ${part%%=*}" "$value" ;; esac
  done
  unset IFS
}

p_network() {
  storage_host
  lines=$(
    (echo "w80 $(tcp $WIRE 80)") &
    (echo "w32526 $(tcp $WIRE 32526)") &
    (answer whttp $WIRE '/?comp=versions' 'x-ms-version: 2012-11-30') &
    (answer imds $IMDS '/metadata/instance/compute/vmId?api-version=2021-02-01&format=text' 'Metadata: true') &
    (echo "i80 $(tcp $IMDS 80)") &
    (echo "s443 $(storage "$host")") &
    (echo "dns $(resolves "$host")") &
    wait
  )
  line_of() { printf '%s\n' "$lines" | sed -n "s/^$1 //p" | head -n 1; }
  w80=$(line_of w80) w32526=$(line_of w32526) i80=$(line_of i80) s443=$(line_of s443) dns=$(line_of dns)
  whttp=$(line_of whttp) imds=$(line_of imds)
  case ${whttp%%|*} in 200) wire_http=ok ;; none) if [ "$w80" = ok ]; then wire_http=timeout; else wire_http=$w80; fi ;; *) wire_http=error ;; esac
  if [ "$ROOT" = n ]; then
    # The agent's own firewall rule keeps everyone but root from the WireServer: a failure says nothing then.
    for name in w80 w32526 wire_http; do eval "[ \"\$$name\" = ok ] || $name="; done
    [ -n "$w80" ] || oops "network: not root, the WireServer may be closed to others"
  fi
  # Where the fallback account is unknown but other names resolve, nothing is wrong with the VM's name resolution.
  if [ "$own" = n ] && [ "$dns" = dns ]; then
    dns=$(resolves management.azure.com)
    if [ "$dns" = ok ] && [ "$s443" = dns ]; then s443=; fi
  fi
  ks wireserver_80 "$w80"; ks wireserver_32526 "$w32526"; ks wireserver_http "$wire_http"; ks imds "$i80"
  ks storage_443 "$s443"; ks dns "$dns"
  proxies; kr proxies "[$L]"; cut_lists

  VM_ID=$(printf '%s' "${imds##*|}" | grep -i '^[0-9a-f]\{8\}-[0-9a-f]\{4\}-[0-9a-f]\{4\}-[0-9a-f]\{4\}-[0-9a-f]\{12\}$')
  skew=''
  for text in "$whttp" "$imds"; do
    [ -z "$skew" ] || break
    rest=${text#*|}
    local_s=${rest%%|*} rest=${rest#*|}
    server_s=$(epoch "${rest%%|*}")
    is_number "$local_s" && is_number "$server_s" && skew=$((local_s - server_s))
  done
}

p_clock() {
  kr skew_s "${skew:-null}"
  text=''
  if [ -d /run/systemd/system ] && have timedatectl; then
    text=$(bounded 4 timedatectl show -p NTPSynchronized)
    text=${text#*=}
  fi
  if [ "$text" != yes ] && have chronyc; then
    case $(bounded 3 chronyc -n tracking) in
      *"Not synchronised"*) text=no ;;
      *"Leap status"*Normal*) text=yes ;;
    esac
  fi
  kb synchronized "$text"
}

# --- file systems --------------------------------------------------------------------------------------------------

# plain TEXT: P without the octal escapes of /proc/mounts.
plain() {
  P=$1
  case $P in *\\*) P=$(printf '%b' "$(printf '%s' "$P" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')") ;; esac
}

# mount_of PATH: M the mount that holds it, M_OPTIONS its options.
mount_of() {
  M='' M_OPTIONS=''
  IFS=$NL
  for line in $MOUNTS; do
    unset IFS
    set -- "$1" $line
    prefix=${3%/}
    case $1/ in
      "$prefix"/*) if [ "${#3}" -ge "${#M}" ]; then M=$3 M_OPTIONS=$5; fi ;;
    esac
  done
  unset IFS
}

# Folders that are known to grow; what another one of them holds is counted there too.
GROWING="$LIB/events $LIB /var/log/azure /var/log/journal /var/log /var/cache /var/lib/docker /var/crash /var/tmp /tmp /home /root"

# held PATH…: path, MiB and number of files of each folder, as far as they can be counted in time.
held() {
  for path in "$@"; do
    (
      size=$(bounded 6 du -skx "$path" | awk '{ print int($1 / 1024) }')
      files=$(bounded 6 find "$path" -xdev -type f -exec printf . ';' | wc -c)
      echo "${size:-?} $files $path"
    ) &
  done
  wait
}

p_disk() {
  L='' wanted='' short=
  [ -n "$MOUNTS" ] || { oops "disk: /proc/self/mounts is not readable"; return 9; }
  for path in / /var "$LIB" /var/log/azure /tmp; do
    real=$(bounded 2 readlink -f "$path")
    mount_of "${real:-$path}"
    case " $wanted " in *" $M "*) ;; *) wanted="$wanted $M" ;; esac
  done
  lines=$(within 4 sizes $wanted)
  for name in $wanted; do
    set -- $(printf '%s\n' "$lines" | awk -v m="$(printf '%s' "$name" | sed 's/\\/\\\\/g')" '$1 == m { print $2, $3, $4, $5, $6 }')
    size='' free='' inodes=null
    if is_number "$1" && is_number "$2" && is_number "$3"; then
      # In KiB first: bytes of a large file system would not fit into every shell's numbers.
      size=$(($2 * ($1 / 512) / 2048)) free=$(($3 * ($1 / 512) / 2048))
      [ "$free" -ge 1024 ] || short=y
      if is_number "$4" && is_number "$5"; then
        # Where they are not counted, as on btrfs, they do not run out.
        inodes=1000
        [ "$4" -eq 0 ] || inodes=$((1000 * $5 / $4))
        [ "$inodes" -ge 50 ] || short=y
        inodes=$((inodes / 10)).$((inodes % 10))
      fi
    else
      oops "disk: $name does not answer"
    fi
    plain "$name"
    O_=$O O=
    ks mount "$P"; kn size_mb "$size"; kn free_mb "$free"; kr free_inodes_pct "$inodes"
    L="$L${L:+,}{$O}" O=$O_
  done
  kr filesystems "[$L]"; cut_lists
}

sizes() {
  for name in "$@"; do
    plain "$name"
    (echo "$name $(bounded 3 stat -f -c '%S %b %f %c %d' "$P")") &
  done
  wait
}

p_folders() {
  [ "$ROOT" = y ] || return 9
  asked='' L=''
  for path in $GROWING; do
    [ -d "$path" ] && asked="$asked $path"
    [ -n "$short" ] || break
  done
  lines=$(within 9 held $asked | sort -k 1,1nr -k 2,2nr | head -n 5)
  IFS=$NL
  for line in $lines; do
    unset IFS
    set -- $line
    O_=$O O=
    ks path "$3"; kn size_mb "$1"; kn files "$2"
    L="$L${L:+,}{$O}" O=$O_
  done
  unset IFS
  kr folders "[$L]"
}

# Threads that stand in the kernel's "wait for the thaw"; told apart from a short wait by looking twice.
waiting_for_thaw() {
  [ "$ROOT" = y ] && [ -r /proc/1/wchan ] || return
  set +f
  for file in /proc/[0-9]*/task/[0-9]*/wchan; do
    line=
    read -r line <"$file"
    case $line in *sb_start* | *percpu_rwsem_wait* | *percpu_down_read*) file=${file%/wchan}; printf '%s ' "${file##*/}" ;; esac
  done
  echo all
}

p_mounts() {
  [ -n "$MOUNTS" ] || { oops "mounts: /proc/self/mounts is not readable"; return 9; }
  # The agent's directory may be a link to another file system.
  real=$(bounded 2 readlink -f "$LIB")
  if [ -n "$real" ]; then mount_of "$real"; else M='' M_OPTIONS=''; fi
  noexec='' read_only=''
  [ -n "$M_OPTIONS" ] && noexec=n read_only=n
  case ,$M_OPTIONS, in *,noexec,*) noexec=y ;; esac
  # The second is what ext4 says of itself after an error, on newer kernels.
  case ,$M_OPTIONS, in *,ro,* | *,emergency_ro,*) read_only=y ;; esac
  plain "$M"; ks agent_dir_mount "$P"; kb agent_dir_noexec "$noexec"; kb agent_dir_read_only "$read_only"

  suspended=
  set +f
  for file in /sys/block/dm-*/dm; do
    line=
    [ -r "$file/suspended" ] && read -r line <"$file/suspended"
    [ "$line" = 1 ] && read -r name <"$file/name" && suspended="$suspended /dev/mapper/$name "
  done
  set -f
  frozen='' asked='' others='' devices='' twice='' count=0
  IFS=$NL
  for line in $MOUNTS; do
    unset IFS
    set -- $line
    case $suspended in *" $1 "*) plain "$2"; L=$frozen; item "$P"; frozen=$L; continue ;; esac
    case $1 in
      /dev/loop*) ;;
      /dev/*)
        # A file as mount point is a bind mount of a container, no second mount of the file system.
        case $devices in *" $1 "*) [ -d "$2" ] && case $twice in *"$1"*) ;; *) twice="$twice $1" ;; esac ;; esac
        devices="$devices $1 "
        ;;
    esac
    # autofs would mount something, most others are not on disks.
    case $3 in
      ext3 | ext4 | xfs | btrfs) ;;
      # The extension does not freeze these; but one that hangs holds up its "df".
      ext* | jfs | reiserfs | vfat | f2fs | nfs* | cifs | smb* | gfs2 | ocfs2 | ceph | fuse.glusterfs | lustre) others="$others $2 " ;;
      *) continue ;;
    esac
    count=$((count + 1))
    if [ "$count" -le 60 ]; then asked="$asked $2"; else partial unreadable; fi
  done
  unset IFS
  kr frozen "[$frozen]"

  lines=$(within 5 readable $asked)
  unreadable=
  for name in $asked; do
    # One that does not even let itself be killed has no line.
    set -- $(printf '%s\n' "$lines" | awk -v m="$(printf '%s' "$name" | sed 's/\\/\\\\/g')" '$1 == m { $1 = ""; print; exit }')
    code=${1:-137}
    [ $# -eq 0 ] || shift
    why=$*
    [ "$code" -eq 0 ] && continue
    [ "$code" -ge 124 ] && why=timeout
    case $others in *" $name "*) [ "$why" = timeout ] || continue ;; esac
    case $why in *[Pp]ermission*) [ "$ROOT" = y ] || continue ;; esac
    plain "$name"; js "$P"; entry="{\"mount\":$J"
    js "$why" 60; unreadable="$unreadable${unreadable:+,}$entry,\"why\":$J}"
  done
  if [ -n "$asked" ] && [ -z "$lines" ]; then
    # Not one answered in time, not even the root: this is a slow machine, no mount that hangs.
    unreadable=null
    oops "mounts: no file system answers in time"
  else
    unreadable="[$unreadable]"
  fi
  kr unreadable "$unreadable"

  L=
  count=0
  for name in $(awk '$1 !~ /^#/ && NF >= 2 && $2 ~ /^\// && n[$2]++ == 1 { print $2 }' /etc/fstab); do
    count=$((count + 1))
    [ "$count" -le 6 ] || { partial fstab_duplicates; break; }
    plain "$name"; item "$P"
  done
  kr fstab_duplicates "[$L]"
  L='' count=0
  for name in $twice; do
    count=$((count + 1))
    [ "$count" -le 12 ] || { partial mounted_twice; break; }
    item "$name"
  done
  kr mounted_twice "[$L]"
  after=$(within 3 waiting_for_thaw)
  count=''
  case $blocked_before$after in
    *all*all)
      count=0
      for name in $after; do case " $blocked_before " in *" $name "*) [ "$name" = all ] || count=$((count + 1)) ;; esac; done
      ;;
  esac
  kn blocked_writers "$count"; cut_lists
}

# The status and the error of asking each file system for its size.
readable() {
  for name in "$@"; do
    plain "$name"
    (text=$(bounded 3 stat -f -c %b "$P/." 2>&1); echo "$name $? ${text##*: }") &
  done
  wait
}

# --- what the extension runs on ------------------------------------------------------------------------------------

ASK_PYTHON='import platform, sys
print("version=%d.%d.%d" % tuple(sys.version_info[:3]))
print("dist=%s" % hasattr(platform, "dist"))
for name in ("crypt", "distutils", "imp"):
    try: __import__(name)
    except Exception: print("missing=" + name)'

p_python() {
  found='' L=''
  # The list and its order are those of the extension's own main/handle.sh.
  for name in python3.8 python3.7 python3.6 python3.5 python3.4 python3.3 python3 python2.7 python2.6 python2 python; do
    for file in /usr/bin /usr/local/bin; do
      [ -f "$file/$name" ] || continue
      if [ -z "$found" ]; then found=$file/$name; else item "$file/$name"; fi
      break
    done
  done
  [ -n "$found" ] || found=$(command -v python || echo "$agent_python")
  [ -n "$found" ] || { [ -x "$interpreter" ] && found=$interpreter; }
  text='' extension_python=$found
  if [ -n "$found" ]; then
    text=$(bounded 5 "$found" -B -W ignore -c "$ASK_PYTHON")
    case $text in *version=*) ;; *) oops "python: $found does not answer" ;; esac
  fi
  kt path "$found"; ks version "$(value_of version "$text")"
  kb platform_dist "$(value_of dist "$text")"
  kr others "[$L]"
  L=
  for name in $(printf '%s\n' "$text" | sed -n 's/^missing=//p'); do item "$name"; done
  case $text in *version=*) kr missing "[$L]" ;; *) kr missing null ;; esac
}

p_openssl() {
  file=${openssl_path:-/usr/bin/openssl}
  [ -f "$file" ] || file=$(command -v openssl)
  ok='' text='' version='' fips=n
  [ -r /proc/sys/crypto/fips_enabled ] && read -r fips </proc/sys/crypto/fips_enabled
  if [ -n "$file" ]; then
    version=$(bounded 3 "$file" version 2>&1) && ok=y
    # "req" reads the whole configuration, as the agent's own calls do; on an empty request it does nothing else.
    [ -n "$ok" ] && text=$(bounded 3 "$file" req -noout -in /dev/null 2>&1)
    case $version$text in *"onfiguration file routines"* | *"rror on line"* | *"rror loading config"* | *"nable to load config"*) ok=n ;; esac
  fi
  kt path "$file"
  ks version "$(printf '%s\n' "$version" | sed -n 's/^[A-Za-z]*SSL \([^ ]*\).*/\1/p' | head -n 1)"
  kb fips "$fips"; kb config_ok "$ok"
  if [ "$ok" = n ]; then ks error "$(printf '%s\n' "$version$NL$text" | grep -i 'config.*file\|rror on line' | head -n 1)"; else ks error ''; fi
}

p_vmbackup_conf() {
  file=/etc/azure/vmbackup.conf
  if [ ! -e "$file" ]; then
    if [ -d /etc/azure ] && [ ! -x /etc/azure ]; then kb present ''; else kb present n; fi
    kb encoding_ok ''; kr values '{}'
    return
  fi
  kb present y
  [ -r "$file" ] || { kb encoding_ok ''; kr values '{}'; oops "vmbackup_conf: may not be read"; return; }
  foreign=$(head -c 20000 "$file" | tr -d '\011\012\015\040-\176\200-\375' | wc -c)
  start=$(head -c 3 "$file" | od -An -tx1 | tr -d ' \n')
  case $start in efbbbf* | fffe* | feff*) foreign=1 ;; esac
  if [ "$((foreign))" -eq 0 ]; then kb encoding_ok y; else kb encoding_ok n; fi
  O_=$O O=
  text=$(head -c 20000 "$file" | tr -d '\000\r' | awk '/^\[/ { on = ($0 ~ /^\[SnapshotThread\]/); next } on && /^[A-Za-z]/ && /[:=]/ { i = match($0, /[:=]/); k = tolower(substr($0, 1, i - 1)); v = substr($0, i + 1); gsub(/^[ \t]+|[ \t]+$/, "", k); gsub(/^[ \t]+|[ \t]+$/, "", v); print k "=" v }')
  for name in fsfreeze mountstoskip safefreezewaitinseconds timeout seqsnapshot isanysnapshotfailed onlylocalfilesystems snapshotmethod; do
    case $NL$text in *"$NL$name="*) js "$(value_of $name "$text")" 80; kr "$name" "$J" ;; esac
  done
  text=$O O=$O_
  kr values "{$text}"
}

p_selinux() {
  mode=disabled
  if [ -r /sys/fs/selinux/enforce ]; then
    read -r mode </sys/fs/selinux/enforce
    case $mode in 1) mode=enforcing ;; *) mode=permissive ;; esac
  fi
  ks mode "$mode"
  count='' text=''
  if [ "$mode" = disabled ]; then
    count=0
  elif [ -r /var/log/audit/audit.log ]; then
    text=$(tail -c 1000000 /var/log/audit/audit.log | grep 'avc: *denied.*\(waagent\|VMSnapshot\|handle\.py\)')
    count=$(printf '%s' "$text" | grep -c .)
    text=$(printf '%s\n' "$text" | tail -n 1)
  fi
  kn denials "$count"; ks last "${text#*avc: }" 160
}

# As the extension itself looks at the configuration and at the two scripts.
READ_SCRIPTS='import json, os, sys
def say(key, value): sys.stdout.write("%s=%s\n" % (key, value))
def judge(name, path):
    if not os.path.isfile(path): return say("fault", name + "_missing")
    about = os.stat(path)
    if about.st_mode & 63: say("fault", name + "_mode")
    if about.st_uid: say("fault", name + "_owner")
try:
    conf = json.load(open(sys.argv[1]))
    scripts = [(name, conf[name + "ScriptLocation"]) for name in ("pre", "post")]
except Exception: say("fault", "config_json")
else:
    for name, path in scripts: say(name, json.dumps(path)); judge(name, path)
    say("continue", conf.get("continueBackupOnFailure", True))
    say("freeze", conf.get("fsFreezeEnabled", True))
    say("timeout", conf.get("timeoutInSeconds", 10))
say("all", 1)'

p_script_plugin() {
  file=/etc/azure/VMSnapshotScriptPluginConfig.json text=
  if [ -e "$file" ]; then
    kb present y
    mode=$(bounded 2 stat -c '%a %u' "$file")
    [ -r "$file" ] && [ -n "$extension_python" ] && text=$(bounded 5 "$extension_python" -B -W ignore -c "$READ_SCRIPTS" "$file")
  elif [ -d /etc/azure ] && [ ! -x /etc/azure ]; then
    kb present ''
  else
    kb present n; kr faults '[]'
    return
  fi
  for name in pre post; do
    line=$(value_of $name "$text")
    line=${line#\"}
    ks ${name}_script "${line%\"}" 100
  done
  kb continue_on_failure "$(value_of continue "$text")"; kb freeze "$(value_of freeze "$text")"
  kn timeout_s "$(value_of timeout "$text")"
  L=
  case $text in *all=1)
    case ${mode%% *} in 0 | *[0246]00) ;; *) item config_mode ;; esac
    [ "${mode##* }" = 0 ] || item config_owner
    for name in $(printf '%s\n' "$text" | sed -n 's/^fault=//p'); do item "$name"; done
    kr faults "[$L]"
    ;;
  esac
}

# --- who else has a hand in files -----------------------------------------------------------------------------------

# Descriptors of fanotify, as "PID number"; "all" says that every process was looked at.
fanotify_descriptors() {
  set +f
  ls -l /proc/[0-9]*/fd | awk '/^\/proc\// { split($0, part, "/"); pid = part[3] } /anon_inode:.*fanotify/ { for (i = 1; i < NF; i++) if ($(i + 1) == "->") print pid, $i }'
  echo all
}

p_scanners() {
  if [ "$ROOT" = n ]; then
    kr programs null; cut_lists
    return
  fi
  text=$(within 6 fanotify_descriptors)
  L='' seen='' count=0
  IFS=$NL
  for line in $text; do
    unset IFS
    set -- $line
    [ $# -eq 2 ] || continue
    case " $seen " in *" $1 "*) continue ;; esac
    # FAN_OPEN_PERM, FAN_ACCESS_PERM and FAN_OPEN_EXEC_PERM: the kernel waits for this program's answer.
    for mask in $(sed -n 's/^fanotify .* mask:\([0-9a-f]*\) .*/\1/p' "/proc/$1/fdinfo/$2" | sort -u | head -n 8); do
      [ $((0x$mask & 0x70000)) -ne 0 ] || continue
      seen="$seen $1" count=$((count + 1)) name=
      read -r name <"/proc/$1/comm"
      if [ "$count" -le 6 ]; then item "$name" 40; else partial programs; fi
      break
    done
  done
  unset IFS
  case $text in *all) kr programs "[$L]" ;; *) kr programs null ;; esac
  cut_lists
}

container_runtimes() {
  set +f
  for file in /proc/[0-9]*/comm; do
    line=
    read -r line <"$file"
    case $line in dockerd | containerd | crio | podman | kubelet | k3s* | lxd | incusd | nomad) echo "$line" ;; esac
  done
  echo all
}

p_containers() {
  text=$(within 4 container_runtimes | sort -u)
  L=
  for name in $text; do [ "$name" = all ] || item "$name" 40; done
  case " $(echo $text) " in *' all '*) kr runtimes "[$L]" ;; *) kr runtimes null ;; esac
  L='' count=0
  IFS=$NL
  for line in $MOUNTS; do
    unset IFS
    set -- $line
    case $3 in ext3 | ext4 | xfs | btrfs) ;; *) continue ;; esac
    case $2 in
      /var/lib/docker/* | /var/lib/containerd/* | /var/lib/containers/* | /var/lib/kubelet/* | /run/containerd/* | /run/docker/* | /var/snap/docker/*)
        count=$((count + 1))
        [ "$count" -le 6 ] || { partial mounts; break; }
        plain "$2"; item "$P" 80
        ;;
    esac
  done
  unset IFS
  if [ -n "$MOUNTS" ]; then kr mounts "[$L]"; else kr mounts null; fi
  cut_lists
}

# --- DHCP ----------------------------------------------------------------------------------------------------------

# option_245 FILE: the newest value in a lease, in the format of dhclient or of systemd and NetworkManager.
option_245() {
  text=$(sed -n -e 's/^[ ]*option \(unknown-245\|option-245\) *\(.*\);.*/\2/p' -e 's/^OPTION_245=//p' "$1" | tail -n 1 | tr -d '" ')
  case $text in
    *[!0-9a-fA-F:]* | '') ;;
    *)
      hex=$(printf '%s' "$text" | awk -F: 'NF > 1 { for (i = 1; i <= NF; i++) printf "%2s", $i; next } { print }' | tr ' ' 0)
      if [ "${#hex}" -eq 8 ]; then
        text=
        while [ -n "$hex" ]; do
          rest=${hex#??}
          text=$text${text:+.}$((0x${hex%"$rest"}))
          hex=$rest
        done
      fi
      ;;
  esac
  printf '%s' "$text"
}

# lease_of NAME INDEX: the newest lease file of an interface.
lease_of() {
  for file in "/run/systemd/netif/leases/$2" /var/lib/NetworkManager/*"-$1.lease" /var/lib/dhclient/*"-$1.lease"* \
    /var/lib/dhclient/*"--$1.lease" /var/lib/dhcp/dhclient."$1".leases /var/lib/dhcp/dhclient-*"-$1.lease"* \
    /var/lib/dhclient/dhclient.leases /var/lib/dhcp/dhclient.leases; do
    [ -s "$file" ] || continue
    case $file in */dhclient.leases) grep -q "interface \"$1\"" "$file" || continue ;; esac
    echo "$file"
    return
  done
}

# Each reads files of one kind and prints "y FILE" or "n FILE" when they say whether the interface uses DHCP.
# It knows the interface by its name or its hardware address; of several files the last one decides.
READ_NETPLAN='
function value(text) { sub(/^[^:]*:[ \t]*/, "", text); gsub(/["\047 \t\r]/, "", text); return text }
function decide() { if (ours && dhcp != "") print dhcp, file; else if (ours && fixed) print "n", file; ours = 0; dhcp = ""; fixed = 0; id = -1; child = -1 }
FNR == 1 { decide(); kinds = -1; file = FILENAME }
{
  sub(/(^|[ \t])#.*/, ""); if ($0 ~ /^[ \t\r]*$/) next
  match($0, /^ */); deep = RLENGTH; key = $0; sub(/^ */, "", key); sub(/:.*/, "", key); gsub(/["\047]/, "", key)
  if (kinds < 0 || deep <= kinds) { decide(); kinds = (key ~ /^(ethernets|bonds|bridges|vlans)$/) ? deep : -1; next }
  if (id < 0 || deep <= id) { decide(); id = deep; ours = (key == want); if (match($0, /dhcp4: *[a-z]+/)) dhcp = ($0 ~ /dhcp4: *(true|yes|on)/) ? "y" : "n"; next }
  if (child < 0) child = deep
  if ((key == "set-name" || key == "name") && value($0) == want) ours = 1
  if (key == "macaddress" && tolower(value($0)) == mac) ours = 1
  if (deep != child) next
  if (key == "dhcp4") dhcp = (value($0) ~ /^(true|yes|on|y)$/) ? "y" : "n"
  if (key == "addresses") fixed = 1
}
END { decide() }'
# Key files of NetworkManager and systemd-networkd: sections in brackets with "key=value".
READ_KEY_FILES='
function decide() { if (ours && dhcp != "") print dhcp, file; else if (ours && fixed) print "n", file; ours = 0; dhcp = ""; fixed = 0; section = "" }
FNR == 1 { decide(); file = FILENAME }
/^[ \t]*\[/ { section = tolower($0); gsub(/[^a-z0-9]/, "", section); next }
/^[ \t]*[#;]/ { next }
{
  i = index($0, "="); if (!i) next
  key = tolower(substr($0, 1, i - 1)); v = substr($0, i + 1); gsub(/[ \t\r]/, "", key); gsub(/[ \t\r]/, "", v)
  if ((section == "connection" && key == "interface-name" || section == "match" && key == "name") && v == want) ours = 1
  if ((section == "ethernet" && key == "mac-address" || section == "match" && key == "macaddress") && tolower(v) == mac) ours = 1
  if (section == "ipv4" && key == "method") dhcp = (v == "auto") ? "y" : (v == "manual") ? "n" : ""
  if (section == "network" && key == "dhcp") dhcp = (tolower(v) ~ /^(yes|true|on|1|ipv4|both)$/) ? "y" : "n"
  if (section == "network" && key == "address" && v ~ /^[0-9.]+(\/[0-9]+)?$/) fixed = 1
}
END { decide() }'
READ_IFCFG='
/^[ ]*IPADDR[0-9_]*=/ { if (said == "") said = "n " FILENAME }
/^[ ]*BOOTPROTO=/ { v = tolower($0); gsub(/.*=|["\047 \r]/, "", v); if (v ~ /^dhcp/) said = "y " FILENAME; else if (v ~ /^(none|static)$/) said = "n " FILENAME }
END { print said }'
READ_INTERFACES='
$1 == "iface" && $2 == want && $3 == "inet" { if ($4 == "dhcp") print "y", FILENAME; else if ($4 ~ /^(static|manual)$/) print "n", FILENAME }'

# configured_dhcp NAME HARDWARE_ADDRESS: y or n and the file that says so.
configured_dhcp() {
  set +f
  said=
  for kind in NETPLAN KEY_FILES IFCFG INTERFACES; do
    case $kind in
      NETPLAN) set -- "$1" "$2" /lib/netplan/*.y*ml /etc/netplan/*.y*ml /run/netplan/*.y*ml ;;
      KEY_FILES) set -- "$1" "$2" /etc/NetworkManager/system-connections/* /etc/systemd/network/*.network ;;
      IFCFG) set -- "$1" "$2" /etc/sysconfig/network-scripts/ifcfg-"$1" /etc/sysconfig/network/ifcfg-"$1" ;;
      INTERFACES) set -- "$1" "$2" /etc/network/interfaces /etc/network/interfaces.d/* ;;
    esac
    want=$1 mac=$2
    shift 2
    for file in "$@"; do
      shift
      [ -f "$file" ] && [ -r "$file" ] && set -- "$@" "$file"
    done
    [ $# -eq 0 ] || said=$(eval "bounded 3 awk -v want=\$want -v mac=\$mac \"\$READ_$kind\" \"\$@\"" | tail -n 1)
    set -- "$want" "$mac"
    [ -z "$said" ] || break
  done
  set -f
  printf '%s' "$said"
}

p_dhcp() {
  list='' real='' looked=ks
  # Others may not read all of these files.
  [ "$ROOT" = y ] && looked=kt
  set +f
  for path in /sys/class/net/*/device; do [ -e "$path" ] && real=y; done
  for path in /sys/class/net/*; do
    name=${path##*/}
    # Where there are network cards, whatever else exists belongs to containers and tunnels.
    [ -z "$real" ] || [ -e "$path/device" ] || continue
    case $name in lo | docker* | veth* | br-* | virbr* | cni* | flannel* | cali* | tun* | wg* | bonding_masters) continue ;; esac
    # A virtual function of accelerated networking: its addresses are on its master.
    [ -e "$path/master" ] && continue
    index=
    [ -r "$path/ifindex" ] && read -r index <"$path/ifindex"
    lease=$(lease_of "$name" "$index")
    option=''
    [ -r "$lease" ] && option=$(option_245 "$lease")
    addresses=
    text=$(bounded 3 ip -4 -o addr show dev "$name") && addresses=$(printf '%s' "$text" | grep -c 'inet ')
    mac=
    [ -r "$path/address" ] && read -r mac <"$path/address"
    said=$(configured_dhcp "$name" "$mac")
    dhcp=${said%% *}
    case $lease in /run/*) dhcp=y ;; esac
    case $text in *" dynamic "*) dhcp=y ;; esac
    [ -z "$dhcp" ] && [ -n "$lease" ] && dhcp=y
    O_=$O O=
    ks name "$name" 20; kb dhcp "$dhcp"; $looked configured_by "${said#* }" 100; $looked option_245 "$option" 60
    $looked lease "$lease" 100; kn addresses "$addresses"
    list="$list${list:+,}{$O}" O=$O_
  done
  set -f
  kr interfaces "[$list]"
  line=
  if [ -r "$LIB/WireServerEndpoint" ]; then
    read -r line <"$LIB/WireServerEndpoint"
    kt endpoint "$line" 60
  elif [ -x "$LIB" ] || [ ! -e "$LIB" ]; then
    kt endpoint ''
  else
    kr endpoint null
  fi
  route=
  if have ip; then
    text=$(bounded 3 ip route get $WIRE 2>&1)
    code=$?
    case $text in
      *$WIRE*) if [ "$code" -eq 0 ]; then route=y; else route=n; fi ;;
      *nreachable* | *rohibited* | *nvalid*) route=n ;;
    esac
  fi
  kb route "$route"; cut_lists
}

# --- logs ----------------------------------------------------------------------------------------------------------

# A line "\001name" begins each log. What no pattern knows is kept by its words: numbers make no other message of it.
COUNT_LINES='
function hit(id) { n[id]++; known = 1; if (t != "") last[id] = t }
function stamp() { t = substr($0, 1, 4) "-" substr($0, 6, 2) "-" substr($0, 9, 2) "T" substr($0, 12, 8) "Z" }
substr($0, 1, 1) == "\001" { log_name = substr($0, 2); logs[++log_count] = log_name; t = ""; next }
{ known = 0 }
/^[0-9][0-9][0-9][0-9][-.][0-9][0-9][-.][0-9][0-9][T ][0-9][0-9]:[0-9][0-9]:[0-9][0-9]/ { stamp() }
/^[0-9][0-9][0-9][0-9].[0-9][0-9].[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/ { stamp() }
/^[A-Z][a-z][a-z] [A-Z][a-z][a-z] +[0-9]+ [0-9]+:[0-9][0-9]:[0-9][0-9] .*[0-9][0-9][0-9][0-9]- / {
  m = (index("JanFebMarAprMayJunJulAugSepOctNovDec", $2) + 2) / 3; y = ""
  for (i = 5; i <= 7; i++) if (y == "" && $i ~ /^[0-9][0-9][0-9][0-9]-$/) y = substr($i, 1, 4)
  split($4, clock, ":"); h = clock[1] % 12
  if ($5 == "PM") h += 12; else if ($5 != "AM") h = clock[1]
  t = sprintf("%s-%02d-%02dT%02d:%s:%sZ", y, m, $3, h, clock[2], clock[3])
}
t != "" && !(log_name in since) { since[log_name] = t }'
PRINT_COUNTS='
!known && /ERROR|WARN|CRIT|FATAL|[Ee]rror|[Ww]arning|Exception|[Ff]ail(ed|ure)|denied|[Nn]ot found|No such / {
  words = $0; sub(/^[0-9][-0-9TZ:.\/ ]* /, "", words); key = substr(words, 1, 160); gsub(/[0-9]+/, "#", key)
  where = log_name "\t" key; text[where] = substr(words, 1, 400); at[where] = t; seen[where] = NR
}
END {
  for (id in n) { printf "%s\"%s\":{\"count\":%d,\"last\":%s}", sep, id, n[id], (id in last) ? "\"" last[id] "\"" : "null"; sep = "," }
  sep = "\n"
  for (i = 1; i <= log_count; i++) { name = logs[i]; printf "%s\"%s\":%s", sep, name, (name in since) ? "\"" since[name] "\"" : "null"; sep = "," }
  print ""
  for (rank = 1; rank <= 3; rank++)
    for (i = 1; i <= log_count; i++) {
      best = ""; name = logs[i] "\t"
      for (where in seen) if (index(where, name) == 1 && (best == "" || seen[where] > seen[best])) best = where
      if (best != "") { print logs[i] "\t" at[best] "\t" text[best]; delete seen[best] }
    }
}'

# The patterns become part of the program: awk compiles regular expressions in its source only once.
log_rules() { printf '%s\n' "$PATTERNS" | sed -e 's/ && /\/ \&\& \//g' -e 's/^\([a-z0-9_]*\) \(.*\)$/\/\2\/ { hit("\1") }/'; }
log_program() { printf '%s\n%s\n%s\n' "$COUNT_LINES" "$(log_rules)" "$PRINT_COUNTS"; }

# The end of each log, and of the one before it where that was begun anew a short while ago.
log_tails() {
  for file in $files; do
    printf '\001%s\n' "${file##*/}"
    rest=$((300000 - $(wc -c <"$file")))
    if [ "$rest" -gt 0 ] && [ -r "$file.1" ]; then
      tail -c "$rest" "$file.1"
      echo
    fi
    tail -c 300000 "$file"
    echo
  done
}

p_logs() {
  have awk || { oops "logs: no awk"; return 9; }
  files='' denied=
  set +f
  for file in /var/log/waagent.log /var/log/azure/$EXT/extension.log /var/log/azure/$EXT/shell.log \
    /var/log/azure/$EXT/[0-9]*/extension.log /var/log/azure/$EXT/[0-9]*/shell.log; do
    [ -f "$file" ] || continue
    if [ -r "$file" ]; then files="$files $file"; else denied=y; fi
  done
  set -f
  [ "$ROOT" = n ] && [ -d /var/log/azure ] && [ ! -x /var/log/azure ] && denied=y
  if [ -n "$denied" ]; then
    oops "logs: may not be read"
    kr patterns null
    return
  fi
  found=$(log_tails | bounded 10 awk "$(log_program)") || { oops "logs: did not end"; return 9; }
  kr patterns "{$(printf '%s\n' "$found" | sed -n 1p)}"; kr since "{$(printf '%s\n' "$found" | sed -n 2p)}"
  LINES=$TAB
  IFS=$NL
  for line in $(printf '%s\n' "$found" | sed 1,2d); do
    unset IFS
    O_=$O O=
    ks log "${line%%"$TAB"*}" 40; line=${line#*"$TAB"}
    ks at "${line%%"$TAB"*}" 20; ks text "$(redacted "${line#*"$TAB"}")" 150
    LINES="$LINES{$O}$TAB" O=$O_
  done
  unset IFS
}

# --- the document --------------------------------------------------------------------------------------------------

# answer_of SECTION: its facts as one line that begins with "facts", and what it hands on to the others.
answer_of() {
  O='' C=''
  p_"$1" >/dev/null
  code=$?
  [ "$code" -eq 9 ] || printf 'facts %s\n' "$O"
  for name in $HANDED_ON; do
    eval "text=\$$name"
    case $text in *"$NL"*) ;; *) printf '%s %s\n' "$name" "$text" ;; esac
  done
  echo all
}

# ask SECTION: S_<section> its facts.
ask() {
  now
  if [ $((U - started)) -gt $((MOST_CS * PATIENCE)) ]; then oops "$1: not asked, time is over"; return; fi
  ended=
  answer=$(within $MOST_S answer_of "$1")
  IFS=$NL
  for line in $answer; do
    unset IFS
    case $line in
      all) ended=y ;;
      'facts '*) eval "S_$1=\"{\${line#facts }}\"" ;;
      *) case " $HANDED_ON " in *" ${line%% *} "*) eval "${line%% *}=\${line#* }" ;; esac ;;
    esac
  done
  unset IFS
  [ -n "$ended" ] || { eval "S_$1="; oops "$1: did not end"; }
}

# document SECTIONS: D with those of them that were answered; what is not in the list is named in "cut".
document() {
  facts='' cut=''
  for name in $SECTIONS; do
    eval "text=\$S_$name"
    [ -n "$text" ] || continue
    case " $1 " in
      *" $name "*) facts="$facts${facts:+,}\"$name\":$text" ;;
      *) cut="$cut${cut:+,}\"$name\"" ;;
    esac
  done
  D="$HEAD,\"errors\":[$E],\"cut\":[$cut],\"facts\":{$facts}}"
}

to_base64() { if have base64; then base64; else openssl base64; fi; }

# pack: B the text between the markers. PLAIN says that there is no gzip.
pack() {
  if [ -z "$PLAIN" ]; then B=$(printf '%s' "$D" | gzip -9 -c | to_base64); else B=$(printf '%s' "$D" | to_base64); fi
}
fits() { document "$1"; pack; [ $((${#B} + 120)) -le $MOST_BYTES ]; }

# S_log_lines from LINES, which begins and ends with a tab and has one behind every line.
log_lines() {
  S_log_lines=
  [ -n "$LINES" ] || return
  text=${LINES#"$TAB"}
  S_log_lines="{\"lines\":[$(printf '%s' "${text%"$TAB"}" | tr '\t' ',')],\"cut\":[$1]}"
}

print_document() {
  PLAIN=' PLAIN'
  case $(printf x | gzip -9 -c | to_base64) in H4s*) PLAIN= ;; esac
  log_lines
  # The lines that nobody knows go first, the older ones of each log before its last.
  while ! fits "$SECTIONS" && [ "${#LINES}" -gt 1 ]; do
    LINES=${LINES%"$TAB"} LINES=${LINES%"$TAB"*}$TAB
    log_lines '"lines"'
  done
  if ! fits "$SECTIONS"; then
    kept=
    for section in $SECTIONS; do fits "$kept $section" && kept="$kept $section"; done
    if ! fits "$kept"; then
      echo "vmbackup: the document is too large: ${#B} characters, $MOST_BYTES fit"
      return 1
    fi
  fi
  length=$(printf '%s' "$B" | tr -d '\r\n')
  length=${#length}
  [ -n "$PLAIN" ] && set -- $(printf '%s' "$D" | cksum) && length="$length $1"
  dashes=----- label='VMBACKUP GU'
  label="${label}EST 1$PLAIN"
  printf '%sBEGIN %s%s\n%s\n%sEND %s %s%s\n' $dashes "$label" $dashes "$B" $dashes "$label" "$length" $dashes
}

main() {
  export LC_ALL=C LANG=C PYTHONDONTWRITEBYTECODE=1
  PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:$PATH
  cd / || return
  # A shell that ends at the first failure, or at a variable that is not set, would print nothing.
  set +eu -f
  unset IFS
  now; started=$U
  TIMEOUT=$(timeout_kind)
  if [ "$(id -u)" = 0 ]; then ROOT=y; else ROOT=n; fi
  blocked_before=$(within 3 waiting_for_thaw)
  MOUNTS=$(cat /proc/self/mounts)
  for name in $HANDED_ON; do eval "$name="; done
  errors=0

  for section in agent agent_config network extension disk folders mounts python openssl logs dhcp agent_state clock \
    vmbackup_conf selinux script_plugin scanners containers; do
    ask $section
  done

  # Firmware of older VMs gives the first three fields byte-swapped; whoever compares has to try both.
  [ -n "$VM_ID" ] || read -r VM_ID </sys/class/dmi/id/product_uuid
  read -r line </proc/sys/kernel/hostname
  now
  O=
  kn v 1; kn script 2; ks os linux; ks vm_id "$(printf '%s' "$VM_ID" | tr 'A-F' 'a-f')"; ks host "$line"
  ks at "$(date -u +%Y-%m-%dT%H:%M:%SZ)"; kb root "$ROOT"; kn took_ms $(((U - started) * 10))
  HEAD="{$O"
  print_document
}

(main </dev/null 2>/dev/null)
