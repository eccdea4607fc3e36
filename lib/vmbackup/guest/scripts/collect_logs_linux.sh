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

# Private keys, and the contents of some elements, stand on many lines.
without_blocks() {
  awk '/-----BEGIN [A-Z ]*PRIVATE KEY-----/ { print "REDACTED private key"; key = 1 }
       inside && /<[\/]/ { sub(/^[^<]*/, ""); inside = 0 }
       !key && !inside && /<[A-Za-z0-9:]*(Password|CustomData|ProtectedSettings|TenantEncryptionCert|Data)[^<>\/]*>[^<]*$/ {
         sub(/>[^<>]*$/, ">REDACTED"); print; inside = 1; next }
       !key && !inside { print }
       /-----END [A-Z ]*PRIVATE KEY-----/ { key = 0 }'
}

# Settings whose value is a secret, in any spelling: password, passwd, client_secret, access_token, storageAccountKey, …
secret='[Pp][Aa][Ss][Ss][Ww][Oo]*[Rr]*[Dd]\|[Ss][Ee][Cc][Rr][Ee][Tt]\|[Tt][Oo][Kk][Ee][Nn]\|[Cc]ustom[Dd]ata'
secret=$secret'\|[Pp]rotected[Ss]ettings\|[Aa]cc[a-z]*[Kk]ey\|[Ss]hared[Kk]ey\|[Ee]ncryption-[Kk]ey'

# One expression per kind of secret: query strings of URLs, credentials in URLs, settings that carry secrets, tokens.
without_secrets() {
  sed -e 's#\(https\{0,1\}://[^] ?"<>\\[]*\)?[^] "<>]*#\1?REDACTED#g' \
    -e 's#://[^/@ "<>]*@#://REDACTED@#g' \
    -e 's/\(^\|[^A-Za-z]\)\([Ss][Ii][Gg]=\)[^]& "<>;\\]*/\1\2REDACTED/g' \
    -e 's#\(<[A-Za-z0-9:]*\(Password\|CustomData\|ProtectedSettings\|TenantEncryptionCert\|Data\)[^<>]*>\)[^<][^<]*#\1REDACTED#g' \
    -e 's/\(SharedAccessSignature=\)[^;" ]*/\1REDACTED/g' \
    -e "s/\(\($secret\)[\\\\\"' ]*[:=][\\\\ ]*[\"']\)[^\"'][^\"']*/\1REDACTED/g" \
    -e "s/\(\($secret\)[\\\\\"' ]*[:=][\\\\ ]*\)[^]\\\\\"',; <&][^]\\\\\"',; <&]*/\1REDACTED/g" \
    -e 's/\([Aa]uthorization[\\" ]*: *\).*/\1REDACTED/' -e 's/\(Bearer \)[A-Za-z0-9._~+\/=-]*/\1REDACTED/g' \
    -e 's/eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]*/REDACTED/g'
}

take() {
  [ -f "$1" ] && [ -r "$1" ] || return
  if leads_away "$1"; then
    echo "a link was not followed: ${1#"$root"}" >>"$report"
    return
  fi
  case $1 in *.pem | *.prv | *.crt | *.p7m | *.key | *.pfx | *.zip | *.gz) return ;; esac
  inside=$work/$name${1#"$root"}
  mkdir -p "$(dirname "$inside")"
  tail -c 20000000 "$1" | tr -d '\000' | without_blocks | without_secrets >"$inside"
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
