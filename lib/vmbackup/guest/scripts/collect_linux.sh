#!/bin/sh
# Guest probe of vmbackup for Linux: read-only, any POSIX shell, root or not. README.md beside it has the contract.
# It writes no file (hence no here-documents), changes nothing, and bounds every question in time.
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
MOST_CS=4000
# In this order sections are given up last to first when the document is too large.
SECTIONS="agent agent_config extension network disk mounts python logs dhcp openssl agent_state clock vmbackup_conf selinux"
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
agent_exception Agent WALinuxAgent-[0-9.]+ failed with exception|Exception (processing|retrieving) (extension handlers|agent manifests)|Exception processing goal state
host_plugin_failed [Hh]ost plugin channel is not available|HostGAPlugin: Exception Get API versions
agent_event_files Too many files under
agent_cgroups [Cc][Gg]roup && ERROR|failed to update cgroups|Cgroup hierarchy
noexec noexec flag is set on
no_space No space left on device
read_only_file_system Read-only file system'

have() { command -v "$1" >/dev/null; }

# --- JSON ----------------------------------------------------------------------------------------------------------

# js TEXT [LENGTH]: J becomes the JSON string.
js() {
  J=$1
  if [ "${#J}" -le "${2:-180}" ]; then
    case $J in *[!A-Za-z0-9\ _./:@%+=,\(\)-]*) ;; *) J="\"$J\""; return ;; esac
  fi
  J=$(printf '%s' "$J" | tr '\011\012\015' '   ' | tr -d '\000-\037\177' | tr '\200-\377' '?' |
    cut -c1-"${2:-180}" | sed 's/["\\]/\\&/g')
  J="\"$J\""
}
kr() { O="$O${O:+,}\"$1\":$2"; }
ks() { if [ -n "$2" ]; then js "$2" "$3"; else J=null; fi; kr "$1" "$J"; }
kb() { case $2 in y | yes | 1 | [Tt]rue) kr "$1" true ;; n | no | 0 | [Ff]alse) kr "$1" false ;; *) kr "$1" null ;; esac; }
kn() {
  case $2 in '' | *[!0-9]*) kr "$1" null ;; *) J=${2#"${2%%[!0]*}"}; kr "$1" "${J:-0}" ;; esac
}
item() { js "$1" "$2"; L="$L${L:+,}$J"; }
is_number() { case $1 in '' | *[!0-9]* | ??????????????????*) return 1 ;; esac; }

errors=0 E=
oops() {
  errors=$((errors + 1))
  [ "$errors" -gt 8 ] && return
  js "$1" 100; E="$E${E:+,}$J"
}

# Secrets of URLs: credentials before a host, query strings after a path, signatures anywhere.
redacted() {
  printf '%s' "$1" | sed -e 's#://[^/@ ]*@#://***@#g' -e 's#\(https\{0,1\}://[^ ?"]*\)?[^ "]*#\1?***#g' \
    -e 's/\([Ss][Ii][Gg]\)=[^ &"]*/\1=***/g' -e 's/\([Pp]assword\)=[^ &"]*/\1=***/g' -e 's/\([Tt]oken\)=[^ &"]*/\1=***/g'
}

# --- time ----------------------------------------------------------------------------------------------------------

# U: hundredths of a second since boot.
now() { U=; read -r U _ </proc/uptime; U=${U%.*}${U#*.}; is_number "$U" || U=0; }

timeout_kind() {
  if timeout -s KILL 1 true; then echo new; elif timeout -t 1 -s KILL true; then echo old; else echo none; fi
}

# bounded SECONDS COMMAND…: its own exit code, 124 or more when it had to be killed.
bounded() {
  seconds=$1
  shift
  case $TIMEOUT in
    new) timeout -s KILL "$seconds" "$@" ;;
    old) timeout -t "$seconds" -s KILL "$@" ;;
    *)
      # A job in the background would otherwise read /dev/null.
      { "$@" <&3 3<&- & } 3<&0
      job=$!
      (sleep "$seconds"; kill -9 "$job") >/dev/null 2>&1 &
      guard=$!
      wait "$job"
      code=$?
      kill "$guard" 2>/dev/null
      return "$code"
      ;;
  esac
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
  unit='' active='' sub='' enabled='' restart='' unit_env=''
  if [ -d /run/systemd/system ] && have systemctl; then
    for name in walinuxagent waagent; do
      text=$(bounded 3 systemctl show --no-pager -p LoadState,ActiveState,SubState,UnitFileState,Restart,Environment "$name.service")
      [ $? -lt 124 ] || { oops "agent: systemctl does not answer"; break; }
      load=$(value_of LoadState "$text")
      case $load in loaded | masked) ;; *) continue ;; esac
      unit=$name
      active=$(value_of ActiveState "$text") sub=$(value_of SubState "$text") restart=$(value_of Restart "$text")
      enabled=$(value_of UnitFileState "$text") unit_env=$(value_of Environment "$text")
      [ "$load" = masked ] && enabled=masked
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

# The arguments of a command line stand without separators here: a shell drops the NUL bytes between them.
agent_processes() {
  daemon='' exthandlers='' running='' agent_python=''
  [ -r /proc/1/cmdline ] || return
  daemon=n exthandlers=n
  for file in /proc/[0-9]*/cmdline; do
    line=
    read -r line <"$file"
    [ "${#line}" -gt 400 ] && continue
    case $line in
      *python*-run-exthandlers*)
        exthandlers=y
        case $line in *WALinuxAgent-[0-9]*) running=${line##*WALinuxAgent-} running=${running%%-*} running=${running%%.egg*} ;; esac
        ;;
      *python*waagent*-daemon | *python*waagent*-daemon-configuration-path*)
        daemon=y
        # The extension falls back to the Python that the agent runs with.
        agent_python=$(readlink "${file%cmdline}exe")
        ;;
    esac
  done
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
  package='' package_version='' candidate='' source=unknown
  if have dpkg-query; then
    text=$(bounded 3 dpkg-query -W -f '${Status} ${Package} ${Version}\n' walinuxagent waagent)
    [ $? -lt 124 ] || { oops "agent: dpkg-query does not answer"; return; }
    set -- $(printf '%s\n' "$text" | sed -n 's/^install ok installed //p' | head -n 1)
    package=$1 package_version=$2
    # With these options apt-cache stores no index, and its scratch file is memory.
    [ -n "$package" ] && have apt-cache &&
      candidate=$(bounded 5 env TMPDIR=/dev/shm apt-cache -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= policy "$package" | sed -n 's/^ *Candidate: *//p')
    case $candidate in *none*) candidate= ;; esac
    [ -z "$waagent" ] || { bounded 3 dpkg-query -S "$waagent" >/dev/null; owned $?; }
  elif have rpm; then
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
  set +f; agent_processes; set -f
  agent_versions
  agent_package
  [ "$exthandlers" = y ] && running=${running:-$packaged}
  ks path "$waagent"; ks unit "$unit"; ks active "$active"; ks sub "$sub"; ks enabled "$enabled"; ks restart "$restart"
  kb daemon "$daemon"; kb exthandlers "$exthandlers"; ks packaged_version "$packaged"; ks running_version "$running"
  ks goal_state_version "$goal"; ks package "$package"; ks package_version "$package_version"
  ks package_candidate "$candidate"; ks source "$source"; ks python_version "$python"; kb starts "$starts"
  ks start_error "$(redacted "${start_error#timeout: }")"
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

by_version() { sort -t . -k 1,1n -k 2,2n -k 3,3n -k 4,4n; }

p_extension() {
  versions='' newest='' status='' seq='' text=''
  if [ ! -d "$LIB" ]; then
    kr versions '[]'; ks name ''
    return
  fi
  [ -r "$LIB" ] && [ -x "$LIB" ] || { oops "extension: $LIB may not be read"; return 9; }
  set +f
  versions=$(for file in "$LIB/$EXT"-[0-9]*; do [ -d "$file" ] && echo "${file##*-}"; done | by_version)
  set -f
  L=
  for name in $versions; do newest=$name; done
  for name in $(printf '%s\n' $versions | tail -n 8); do item "$name" 40; done
  if [ -n "$newest" ]; then
    set +f
    seq=$(for file in "$LIB/$EXT-$newest"/status/[0-9]*.status; do file=${file##*/}; echo "${file%.status}"; done | grep '^[0-9]*$' | sort -n | tail -n 1)
    set -f
  fi
  if [ -n "$seq" ]; then
    text=$(head -c 1000000 "$LIB/$EXT-$newest/status/$seq.status" | bounded 5 awk "$READ_STATUS")
    [ -n "$text" ] || oops "extension: $seq.status is not readable"
  fi
  # The text is still escaped as in the file.
  message=$(value_of message "$text" | sed -e 's/\\u[0-9a-fA-F]\{4\}/?/g' -e 's/\\[nrt]/ /g' -e 's/\\\(.\)/\1/g')
  if [ -n "$newest" ]; then ks name "$EXT"; else ks name ''; fi
  kr versions "[$L]"; ks newest "$newest"; ks status "$(value_of status "$text")"; kn code "$(value_of code "$text")"
  ks message "$(redacted "$message")"; ks operation "$(value_of operation "$text")"; kn seq "$seq"
}

p_agent_state() {
  L=
  if [ ! -d "$LIB" ] || [ ! -r "$LIB" ] || [ ! -x "$LIB" ]; then
    kb readable n; kb transport_certificate ''; kn private_keys ''; kr handlers '[]'
    return
  fi
  kb readable y
  if [ -s "$LIB/TransportCert.pem" ] && [ -s "$LIB/TransportPrivate.pem" ]; then kb transport_certificate y; else kb transport_certificate n; fi
  set +f
  count=0
  for file in "$LIB"/*.prv; do [ -s "$file" ] && count=$((count + 1)); done
  kn private_keys "$count"
  for name in $(printf '%s\n' $versions | tail -n 6); do
    state=
    [ -r "$LIB/$EXT-$name/config/HandlerState" ] && read -r state <"$LIB/$EXT-$name/config/HandlerState"
    found=false
    for file in "$LIB/$EXT-$name"/status/*.status; do [ -f "$file" ] && found=true; done
    js "$name" 40; entry="{\"version\":$J"
    js "$state" 40; [ -n "$state" ] || J=null
    L="$L${L:+,}$entry,\"state\":$J,\"status_file\":$found}"
  done
  set -f
  kr handlers "[$L]"
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
s = socket.socket(); s.settimeout(3)
try: s.connect((sys.argv[1], int(sys.argv[2]))); print("VMB connected")
except socket.timeout: print("timed out")
except EnvironmentError as e: print(e)'

# tcp HOST PORT: can a connection be opened.
tcp() {
  by=
  if have curl; then
    by=curl
    text=$(bounded 5 curl -q -sv --noproxy '*' -o /dev/null --connect-timeout 3 -m 4 "http://$1:$2/" 2>&1)
  elif have bash; then
    text=$(bounded 4 bash -c "exec 3<>/dev/tcp/$1/$2 && echo VMB connected" 2>&1)
  elif have nc; then
    text=$(printf 'GET / HTTP/1.0\r\n\r\n' | bounded 4 nc -w 3 "$1" "$2" 2>&1 && echo VMB connected)
  elif have python3; then
    text=$(bounded 5 python3 -B -c "$TCP_PYTHON" "$1" "$2" 2>&1)
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
s = socket.create_connection((sys.argv[1], 80), 3); s.settimeout(3)
s.sendall(("GET %s HTTP/1.0\r\nHost: %s\r\n%s\r\n\r\n" % (sys.argv[2], sys.argv[1], sys.argv[3])).encode())
while True:
    data = s.recv(4096)
    if not data: break
    sys.stdout.write(data.decode("latin-1"))'

# http HOST PATH HEADER: the whole answer.
http() {
  if have curl; then
    bounded 5 curl -q -s -i --noproxy '*' --connect-timeout 3 -m 4 -H "$3" "http://$1$2"
  elif have bash; then
    bounded 4 bash -c 'exec 3<>/dev/tcp/$0/80 && printf "GET %s HTTP/1.0\r\nHost: %s\r\n%s\r\n\r\n" "$1" "$0" "$2" >&3 && cat <&3' "$1" "$2" "$3"
  elif have nc; then
    printf 'GET %s HTTP/1.0\r\nHost: %s\r\n%s\r\n\r\n' "$2" "$1" "$3" | bounded 4 nc -w 3 "$1" 80
  elif have python3; then
    bounded 5 python3 -B -c "$HTTP_PYTHON" "$1" "$2" "$3"
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
  text=$(bounded 6 curl -q -sS -o /dev/null --connect-timeout 4 -m 5 "https://$1/" 2>&1)
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
  IFS=$NL
  for part in $(grep -i '^[ ]*\(export \)*[a-z]*_proxy=' /etc/environment | head -n 6); do
    unset IFS
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
  proxies; kr proxies "[$L]"

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

p_disk() {
  L='' wanted=''
  [ -n "$MOUNTS" ] || { oops "disk: /proc/self/mounts is not readable"; return 9; }
  for path in / /var "$LIB" /var/log/azure /tmp; do
    real=$(bounded 2 readlink -f "$path")
    mount_of "${real:-$path}"
    case " $wanted " in *" $M "*) ;; *) wanted="$wanted $M" ;; esac
  done
  lines=$(
    for name in $wanted; do
      plain "$name"
      (echo "$name $(bounded 3 stat -f -c '%S %b %f %c %d' "$P")") &
    done
    wait
  )
  for name in $wanted; do
    set -- $(printf '%s\n' "$lines" | awk -v m="$(printf '%s' "$name" | sed 's/\\/\\\\/g')" '$1 == m { print $2, $3, $4, $5, $6 }')
    size='' free='' inodes=null
    if is_number "$1" && is_number "$2" && is_number "$3"; then
      # In KiB first: bytes of a large file system would not fit into every shell's numbers.
      size=$(($2 * ($1 / 512) / 2048)) free=$(($3 * ($1 / 512) / 2048))
      if is_number "$4" && is_number "$5" && [ "$4" -gt 0 ]; then
        inodes=$((1000 * $5 / $4))
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
  kr filesystems "[$L]"
}

# Processes that stand in the kernel's "wait for the thaw"; told apart from a short wait by looking twice.
waiting_for_thaw() {
  [ "$ROOT" = y ] && [ -r /proc/1/wchan ] || return 1
  for file in /proc/[0-9]*/wchan; do
    line=
    read -r line <"$file"
    case $line in *sb_start* | *percpu_rwsem_wait* | *percpu_down_read*) file=${file#/proc/}; printf ' %s ' "${file%%/*}" ;; esac
  done
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
    [ "$count" -lt 40 ] && asked="$asked $2" count=$((count + 1))
  done
  unset IFS
  kr frozen "[$frozen]"

  lines=$(
    for name in $asked; do
      plain "$name"
      (text=$(bounded 3 stat -f -c %b "$P/." 2>&1); code=$?; [ "$code" -eq 0 ] || echo "$name $code ${text##*: }") &
    done
    wait
  )
  unreadable=
  IFS=$NL
  for line in $lines; do
    unset IFS
    set -- $line
    name=$1 code=$2
    shift 2
    why=$*
    [ "$code" -ge 124 ] && why=timeout
    case $others in *" $name "*) [ "$why" = timeout ] || continue ;; esac
    case $why in *[Pp]ermission*) [ "$ROOT" = y ] || continue ;; esac
    plain "$name"; js "$P"; entry="{\"mount\":$J"
    js "$why" 60; unreadable="$unreadable${unreadable:+,}$entry,\"why\":$J}"
  done
  unset IFS
  kr unreadable "[$unreadable]"

  L=
  for name in $(awk '$1 !~ /^#/ && NF >= 2 && $2 ~ /^\// && n[$2]++ == 1 { print $2 }' /etc/fstab | head -n 6); do plain "$name"; item "$P"; done
  kr fstab_duplicates "[$L]"
  L=
  for name in $twice; do item "$name"; done
  kr mounted_twice "[$L]"
  set +f
  if again=$(waiting_for_thaw); then
    count=0
    for name in $again; do case $WAITING in *" $name "*) count=$((count + 1)) ;; esac; done
    kn blocked_writers "$count"
  else
    kn blocked_writers ''
  fi
  set -f
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
  text=
  if [ -n "$found" ]; then
    text=$(bounded 5 "$found" -B -W ignore -c "$ASK_PYTHON")
    case $text in *version=*) ;; *) oops "python: $found does not answer" ;; esac
  fi
  ks path "$found"; ks version "$(value_of version "$text")"
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
  ks path "$file"
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

# configured_dhcp NAME: y or n when a configuration file says so.
configured_dhcp() {
  text=$(cat /etc/sysconfig/network-scripts/ifcfg-"$1" /etc/sysconfig/network/ifcfg-"$1" |
    sed -n "s/^ *BOOTPROTO= *[\"']*\([a-z0-9]*\).*/\1/p" | tail -n 1)
  case $text in dhcp*) echo y; return ;; none | static) echo n; return ;; esac
  text=$(cat /etc/network/interfaces /etc/network/interfaces.d/* | sed -n "s/^ *iface  *$1  *inet  *\([a-z]*\).*/\1/p" | tail -n 1)
  case $text in dhcp) echo y ;; static | manual) echo n ;; esac
}

p_dhcp() {
  list='' real=
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
    dhcp=$(configured_dhcp "$name")
    case $lease in /run/*) dhcp=y ;; esac
    case $text in *" dynamic "*) dhcp=y ;; esac
    [ -z "$dhcp" ] && [ -n "$lease" ] && dhcp=y
    O_=$O O=
    ks name "$name" 20; kb dhcp "$dhcp"; ks option_245 "$option" 60; ks lease "$lease" 100; kn addresses "$addresses"
    list="$list${list:+,}{$O}" O=$O_
  done
  set -f
  kr interfaces "[$list]"
  line=
  [ -r "$LIB/WireServerEndpoint" ] && read -r line <"$LIB/WireServerEndpoint"
  ks endpoint "$line" 60
  route=
  if have ip; then
    text=$(bounded 3 ip route get $WIRE 2>&1)
    code=$?
    case $text in
      *$WIRE*) if [ "$code" -eq 0 ]; then route=y; else route=n; fi ;;
      *nreachable* | *rohibited* | *nvalid*) route=n ;;
    esac
  fi
  kb route "$route"
}

# --- logs ----------------------------------------------------------------------------------------------------------

COUNT_LINES='
function hit(id) { n[id]++; if (t != "") last[id] = t }
/^[0-9][0-9][0-9][0-9][-.][0-9][0-9][-.][0-9][0-9][T ][0-9][0-9]:[0-9][0-9]:[0-9][0-9]/ { stamp() }
/^[0-9][0-9][0-9][0-9].[0-9][0-9].[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]/ { stamp() }
function stamp() { t = substr($0, 1, 4) "-" substr($0, 6, 2) "-" substr($0, 9, 2) "T" substr($0, 12, 8) "Z" }
/^[A-Z][a-z][a-z] [A-Z][a-z][a-z] +[0-9]+ [0-9]+:[0-9][0-9]:[0-9][0-9] .*[0-9][0-9][0-9][0-9]- / {
  m = (index("JanFebMarAprMayJunJulAugSepOctNovDec", $2) + 2) / 3; y = ""
  for (i = 5; i <= 7; i++) if (y == "" && $i ~ /^[0-9][0-9][0-9][0-9]-$/) y = substr($i, 1, 4)
  split($4, clock, ":"); h = clock[1] % 12
  if ($5 == "PM") h += 12; else if ($5 != "AM") h = clock[1]
  t = sprintf("%s-%02d-%02dT%02d:%s:%sZ", y, m, $3, h, clock[2], clock[3])
}'
PRINT_COUNTS='
END { for (id in n) { printf "%s\"%s\":{\"count\":%d,\"last\":%s}", sep, id, n[id], (id in last) ? "\"" last[id] "\"" : "null"; sep = "," } }'

# The patterns become part of the program: awk compiles regular expressions in its source only once.
log_rules() { printf '%s\n' "$PATTERNS" | sed -e 's/ && /\/ \&\& \//g' -e 's/^\([a-z0-9_]*\) \(.*\)$/\/\2\/ { hit("\1") }/'; }
log_program() { printf '%s\n%s\n%s\n' "$COUNT_LINES" "$(log_rules)" "$PRINT_COUNTS"; }

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
  found=$(for file in $files; do tail -c 300000 "$file"; echo; done | bounded 10 awk "$(log_program)") ||
    { oops "logs: did not end"; return 9; }
  kr patterns "{$found}"
}

# --- the document --------------------------------------------------------------------------------------------------

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

print_document() {
  PLAIN=' PLAIN'
  case $(printf x | gzip -9 -c | to_base64) in H4s*) PLAIN= ;; esac
  if ! fits "$SECTIONS"; then
    kept=
    for section in $SECTIONS; do fits "$kept $section" && kept="$kept $section"; done
    fits "$kept"
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
  set +f; WAITING=$(waiting_for_thaw); set -f
  MOUNTS=$(cat /proc/self/mounts)
  VM_ID='' proxy_host='' unit='' unit_env='' openssl_path='' versions='' waagent='' skew=''

  for section in agent agent_config network extension disk mounts python openssl logs dhcp agent_state clock vmbackup_conf selinux; do
    now
    if [ $((U - started)) -gt $MOST_CS ]; then oops "$section: not asked, time is over"; continue; fi
    O=
    p_$section
    [ $? -eq 9 ] || eval "S_$section=\"{\$O}\""
    set -f; unset IFS
  done

  # Firmware of older VMs gives the first three fields byte-swapped; whoever compares has to try both.
  [ -n "$VM_ID" ] || read -r VM_ID </sys/class/dmi/id/product_uuid
  read -r line </proc/sys/kernel/hostname
  now
  O=
  kn v 1; ks os linux; ks vm_id "$(printf '%s' "$VM_ID" | tr 'A-F' 'a-f')"; ks host "$line"
  ks at "$(date -u +%Y-%m-%dT%H:%M:%SZ)"; kb root "$ROOT"; kn took_ms $(((U - started) * 10))
  HEAD="{$O"
  print_document
}

(main </dev/null 2>/dev/null)
