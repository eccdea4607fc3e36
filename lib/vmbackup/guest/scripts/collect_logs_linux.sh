#!/bin/sh
# Packs the logs that support asks for into one archive, with secrets removed. For an operator, as root, over SSH or the
# serial console: Run Command would cut the result off.
#
#   sudo sh collect_logs_linux.sh [FOLDER [ROOT]]
#
# FOLDER gets vmbackup-logs-<host>-<UTC time>.tar.gz, readable by its owner only; default: the current directory.
# ROOT is where another machine's disk is mounted (a repair VM), default: this machine.
# Links are not followed: they may lead out of that disk, or to what nobody wants to hand on.
# Of every file only the last 20 MB are taken. Keys, certificates and the contents of disks are never read.
# REDACTED.txt in the archive says how many lines were changed in which file.
# shellcheck disable=SC2016

set -u
LC_ALL=C
export LC_ALL
umask 077
folder=${1:-.} root=${2:-}
[ -d "$folder" ] || { echo "no such folder: $folder" >&2; exit 2; }
folder=$(cd "$folder" && pwd) || exit 2

work=$(mktemp -d "$folder/.vmbackup-logs.XXXXXX") || { echo "cannot write to $folder" >&2; exit 2; }
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# leads_away FILE: it is a link, or one of its folders leads out of the disk. On this machine's own disk folders may be
# links: /var/lib/waagent often lies elsewhere.
top=$(readlink -f "${root:-/}")
top=${top%/}
leads_away() {
  [ -L "$1" ] && return
  real=$(readlink -f "$1")
  case $real in "$top"/*) return 1 ;; esac
}

if [ -z "$root" ]; then
  host=$(uname -n)
else
  leads_away "$root/etc/hostname" || host=$(head -c 64 "$root/etc/hostname" 2>/dev/null)
fi
host=$(printf '%s' "${host:-unknown}" | tr -cd 'A-Za-z0-9.-')
name=vmbackup-logs-$host-$(date -u +%Y%m%dT%H%M%SZ)
mkdir "$work/$name"
report=$work/$name/REDACTED.txt
: >"$report"

# Private keys, the contents of some elements, and a value under the name of a secret stand on several lines. Of a key
# whose beginning was cut off, the lines that could be the rest of one are held until it is seen whether its end follows.
without_blocks() {
  awk 'function let_go() { printf "%s", held; held = "" }
       /-----BEGIN [A-Z ]*PRIVATE KEY/ { let_go(); print "REDACTED private key"; key = 1 }
       !key && !inside && !putty && /^[A-Za-z0-9+\/=]+\r?$/ { held = held $0 "\n"; if (length(held) > 20000) let_go(); next }
       /-----END [A-Z ]*PRIVATE KEY/ { if (!key) print "REDACTED private key"; held = ""; key = 0; next }
       { let_go() }
       putty && /^[A-Za-z0-9+\/=]+\r?$/ { next }
       { putty = /Private-Lines: *[0-9]+/ }
       putty { print; print "REDACTED private key"; next }
       named { sub(/[Vv]alue["\047]? *: *.*/, "value: REDACTED"); named = 0 }
       tolower($0) ~ /name["\047]? *: *["\047]?[a-z0-9_.-]*(pass|pwd|secret|token|key)[a-z0-9_.-]*["\047]?,? *\r?$/ { named = 1 }
       inside && /<[\/]/ { sub(/^[^<]*/, ""); inside = 0 }
       !key && !inside && /<[A-Za-z0-9:]*(Password|CustomData|ProtectedSettings|TenantEncryptionCert|Data)[^<>\/]*>[^<]*$/ {
         sub(/>[^<>]*$/, ">REDACTED"); print; inside = 1; next }
       !key && !inside { print }
       END { let_go() }'
}

# The same spellings as in vmbackup/sanitize.py, and every query of a web address. A mark in front of what only looks
# like a secret, or is one no more, keeps the expressions that follow from it; the last one removes the marks.
mark=$(printf '\001')
names='pass(word|wd|phrase|wort)|kennwort|geheimnis|pwd|pswd|secret|credential|token'
names=$names'|(subscription|functions?|master|host|api|private)[_-]?key|sharedaccesssignature|connection[_-]?string'
names=$names'|(acc|account|shared|access|storage|primary|secondary|encryption|konto|zugriffs)[_-]?(account|access)?[_-]?'
names=$names'(key|schl(ü|ue)ssel)|protected[_-]?settings|custom[_-]?data'
quote="(\\\\{0,3}[\"'])?"
value="(@?\\\\{0,3}\"[^\"$mark]+\"?|@?\\\\{0,3}'[^'$mark]+'?|[^[:space:]\"'<>;&,\\\\$mark]+)"
word='(^|[^A-Za-z0-9_])'
arguments='([ \t]+[^ \t]{1,100}){0,12}[ \t]+'
cat >"$work/secrets.sed" <<END
s/((key|name)$quote {0,3}[:=] {0,3}${quote}[a-z0-9_.-]{0,40}($names)[a-z0-9_.-]{0,20}$quote {0,3},?[ \t]{0,20}${quote}value$quote {0,3}[:=] {0,3})$value/\1${mark}REDACTED/gI
s/((OLD)?P)(WD=["']?(\/|[A-Za-z]:\\\\))/\1$mark\3/g
s/((ur[il]|id|name|path|thumbprint|type|version|state|status|authentication)$quote\]? {0,3}[:=])/\1$mark/gI
s/([:=] {0,3}\\\\{0,3}["'])((true|false|null|none|yes|no|y|n|[0-9]{1,3})\\\\{0,3}["'])/\1$mark\2/gI
s/([:=] {0,3})((true|false|null|none|yes|no|y|n|[0-9]{1,3})([],;&} ]|\$))/\1$mark\2/gI
s/([:=] {0,3})([[{])/\1$mark\2/g
s/(--?[a-z0-9_-]*-(permissions|name|id|url|type|version))([=: ])/\1$mark\3/gI
s/((bearer|basic)[ \t]+)((authorization_uri|realm|error)=)/\1$mark\3/gI
s/(:\/\/[^]:\/ "'<>@]*:[0-9]+(\/|\$))/\1$mark/g
s/(https?:\/\/[^] ?"'<>\\\\[]*)\?[^] "'<>]*/\1?REDACTED/gI
s/(:\/\/)[^]:\/ "'<>@]*:[^ "'<>$mark]*@/\1REDACTED@/g
s/((https?|ftp):\/\/)[^\/@ "'<>]+@/\1REDACTED@/gI
s/((^|[^A-Za-z0-9_\/@.:-])[A-Za-z0-9._\\\\-]{1,64}:)[^ @"'<>\/]{1,128}(@[A-Za-z0-9.-]{1,253}:[0-9]{2,5})/\1REDACTED\3/g
s/((^|[^a-z])(proxy-)?authorization$quote {0,3}[:=] {0,3}$quote)[^"']+/\1REDACTED/gI
s/((^|[^a-z])(set-)?cookie2?$quote {0,3}: {0,3}$quote)[^"']+/\1REDACTED/gI
s/(${word}(bearer|basic|sharedkey(lite)?)[ \t]{1,3})[A-Za-z0-9._~+\/=:-]{8,}/\1REDACTED/gI
s/(ConvertTo-SecureString([ \t]+-String)?[ \t]+)("[^"]*"?|'[^']*'?|[^ \t"'-][^ \t]*)/\1REDACTED/gI
:short
s/($word(sshpass|mysql[a-z0-9_]{0,10}|mariadb|sqlcmd|docker|podman|helm|psexec[a-z0-9_]{0,3}|paexec|winrs|plink|pscp|az|smbclient|ldap[a-z]{1,8})(\.exe)?$arguments-p[ \t:]{0,3})$value/\1${mark}REDACTED/I
t short
s/($word(curl|wget)(\.exe)?$arguments(-u|--user|--proxy-user)[ \t=]{0,3}["']?[^ \t:"']{0,100}:)[^ \t"']+/\1REDACTED/I
s/(${word}net1?(\.exe)?[ \t]+use[ \t].{0,200}\/user:[^ \t]{1,100}[ \t]+)[^ \t\/*][^ \t]*/\1REDACTED/I
s/(${word}net1?(\.exe)?[ \t]+use[ \t]+([a-z]:[ \t]+|\*[ \t]+)?\\\\\\\\[^ \t]{1,200}[ \t]+)[^ \t\/*][^ \t]*/\1REDACTED/I
s/(${word}net1?(\.exe)?[ \t]+user[ \t]+[^ \t\/]{1,100}[ \t]+)[^ \t\/*][^ \t]*/\1REDACTED/I
s/((^|[^a-z0-9_-])(--?|\/)([a-z0-9]{1,20}[_-]){0,3}(($names)[a-z0-9_-]{0,20}|pass|key|rp|user-?password|a(ccount)?-key)([=:]|[ \t]{1,3}))$value/\1REDACTED/gI
s/(<[A-Za-z0-9:]*(Password|CustomData|ProtectedSettings|TenantEncryptionCert|Data)[^<>]*>)[^<]+/\1REDACTED/g
s/(<[a-z0-9:]{0,40}($names)[a-z0-9]{0,20}([ \t][^<>]{0,200})?>)[^<]+/\1REDACTED/gI
s/(($names)[a-z0-9_-]{0,20}$quote\]? {0,3}(=>|:=|[:=]|%3D|%3A)[ \t]{0,3})$value/\1REDACTED/gI
s/(((^|[^a-z])pw|_pass)$quote {0,3}[:=] {0,3})$value/\1REDACTED/gI
s/((password|passphrase|passwort|kennwort) {1,3}(is|was|ist|war|lautet) {1,3}["']?)([^ "']{5,60}[0-9][^ "']*|[^ "']{0,60}[0-9][^ "']{5,})/\1REDACTED/gI
s/((password|passphrase|passwort|kennwort) {1,3}["'])[^ "']{4,}(["'])/\1REDACTED\3/gI
s/(${word}setx(\.exe)?[ \t]+[a-z0-9_-]{0,40}($names)[a-z0-9_-]{0,20}[ \t]+)$value/\1REDACTED/gI
s/(${word}echo[ \t]+["']?([^ \t:|"']{1,64}:)?)[^ \t|"']{1,128}(["']?[ \t]{0,3}\|[ \t]{0,3}(sudo[ \t]+)?(ch)?passwd)/\1REDACTED\4/gI
s/((^|[ \t])-U[ \t]{0,3}[^ \t%]{1,64}%)[^ \t]+/\1REDACTED/g
s/((^|[^A-Za-z])pass:)[^ \t"']{4,}/\1REDACTED/g
s/(Private-MAC: {0,3})[A-Za-z0-9]+/\1REDACTED/g
s/((^|[^a-z])sig(=|%3D|%253D))[^]& "'<>;,\\\\]+/\1REDACTED/gI
s/([?&]code=)[A-Za-z0-9_\/+=%-]{16,}/\1REDACTED/g
s/(^|[^A-Za-z0-9+\/=])[A-Za-z0-9+\/]{86}==/\1REDACTED/g
s/(^|[^A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}/\1REDACTED/g
s/gh[opsur]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|xox[a-z]-[A-Za-z0-9-]{10,}|AKIA[A-Z0-9]{16}/REDACTED/g
s/eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]*/REDACTED/g
s/$mark//g
END
without_secrets() { sed -E -f "$work/secrets.sed"; }

take() {
  [ -f "$1" ] && [ -r "$1" ] || return
  if leads_away "$1"; then
    echo "a link was not followed: ${1#"$root"}" >>"$report"
    return
  fi
  case $1 in *.pem | *.prv | *.crt | *.p7m | *.key | *.pfx | *.zip | *.gz) return ;; esac
  inside=$work/$name${1#"$root"}
  mkdir -p "$(dirname "$inside")"
  tail -c 20000000 "$1" | tr -d '\000\001' | without_blocks | without_secrets >"$inside"
  changed=$(grep -c REDACTED "$inside")
  [ "$changed" -gt 0 ] && echo "$changed lines changed in ${1#"$root"}" >>"$report"
  count=$((count + 1))
}

count=0
for file in "$root"/var/lib/waagent/*.xml "$root"/var/log/waagent.log "$root"/var/log/waagent.log.1 \
  "$root"/etc/waagent.conf "$root"/etc/azure/vmbackup.conf \
  "$root"/var/lib/waagent/Microsoft.Azure.RecoveryServices.VMSnapshotLinux-*/status/*.status \
  "$root"/var/log/azure/* "$root"/var/log/azure/*/* "$root"/var/log/azure/*/*/*; do
  take "$file"
done
if [ "$count" -eq 0 ]; then
  echo "found none of the logs$([ "$(id -u)" = 0 ] || echo ', and only root may read them')" >&2
  exit 1
fi

tar -C "$work" -cf - "$name" | gzip -c >"$work/archive" || { echo "cannot write the archive" >&2; exit 1; }
mv "$work/archive" "$folder/$name.tar.gz"
echo "$folder/$name.tar.gz: $count files; please look into it before you hand it on"
