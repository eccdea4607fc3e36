"""The log collector: what support asks for is in the archive, no secret is, and it says what it changed."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from programs import installed
from spellings import HOSTILE, NO_SECRETS, SECRET, SPELLINGS

SCRIPT = Path(__file__).parents[3] / "lib" / "vmbackup" / "guest" / "scripts" / "collect_logs_linux.sh"
EXTENSION = "Microsoft.Azure.RecoveryServices.VMSnapshotLinux"

FILES = {
    "etc/hostname": "vm-1\n",
    "etc/waagent.conf": "HttpProxy.Host=http://joe:S3CRET@proxy.example\nExtensions.Enabled=y\n",
    "var/log/waagent.log": "2026-11-23T01:00:00Z INFO https://x.blob.core.windows.net/a/b?sv=2018&sig=S3CRET%3D ok\n"
    "Authorization: Bearer S3CRET\ntoken eyJhbGciOi.eyJS3CRET.abc end\nplain line stays\n",
    "var/lib/waagent/ExtensionsConfig.1.xml": "<Blob>https://x/y?sv=1&amp;sig=S3CRET&amp;se=2</Blob>"
    '{"protectedSettings":"S3CRETAAAA","publicSettings":{"a":1}}',
    "var/lib/waagent/ovf-env.xml": "<ns1:UserPassword>S3CRET</ns1:UserPassword>"
    "<ns1:CustomData>UzNDUkVU</ns1:CustomData><ns1:HostName>vm-1</ns1:HostName>",
    "var/lib/waagent/Certificates.xml": "<CertificateFile><Data>S3CRET+/=</Data></CertificateFile>",
    # Every line is one way in which a log or a saved setting spells a secret.
    "var/log/azure/spellings.log": "proxy https://S3CRETtoken@proxy:3128/ used\n"
    '{"statusUploadBlob":{"value":"https://x/y?sv=2018\\u0026sig=S3CRET\\u0026se=1","type":"Block"}}\n'
    "sig=S3CRET&se=1\n\\u0026sig=S3CRET\nPASSWORD: S3CRET\n'passwd': 'S3CRET'\n"
    '"adminPassword": "S3CRET one S3CRET two"\n{\\"adminPassword\\": \\"S3CRET one\\", \\"size\\": 1}\n'
    'client_secret=S3CRET\naccess_token="S3CRET"\ntoken: S3CRET\ncustomData: UzNDUkVU\nx-ms-encryption-key: S3CRET\n'
    'storageAccountKey: "S3CRET=="\nx-ms-authorization: S3CRET\nSharedAccessSignature=sv=1&sig=S3CRET\n'
    "protectedSettingsCertThumbprint: AB12 stays\n",
    "var/lib/waagent/GoalState.1.xml": "<A><CustomData>\nUzNDUkVU\n</CustomData><B>stays</B></A>\n"
    "<Data>S3CRET\nS3CRET\n+S3CRET</Data><C>stays too</C>\n",
    "var/lib/waagent/ABC.prv": "S3CRET",
    "var/lib/waagent/TransportPrivate.pem": "S3CRET",
    f"var/log/azure/{EXTENSION}/extension.log": "a\n-----BEGIN RSA PRIVATE KEY-----\nS3CRET\n"
    "-----END RSA PRIVATE KEY-----\n"
    '"protectedSettings\\": \\"S3CRETAAAA\\"\nAccountKey=S3CRET;x\npassword=S3CRET\nb\n',
    f"var/lib/waagent/{EXTENSION}-1.0.9220.0/status/0.status": '[{"status":{"code":1}}]',
}  # fmt: skip


def machine(folder: Path) -> Path:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_archive(shell: str, tmp_path: Path) -> None:
    name, *options = shell.split()
    root, out = machine(tmp_path / "disk"), tmp_path / "out"
    out.mkdir()
    done = subprocess.run(
        [installed(name), *options, str(SCRIPT), str(out), str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (archive,) = out.iterdir()
    assert re.fullmatch(r"vmbackup-logs-vm-1-\d{8}T\d{6}Z\.tar\.gz", archive.name)
    assert archive.stat().st_mode & 0o077 == 0
    texts = packed(out)
    assert not [name for name, text in texts.items() if "S3CRET" in text or "UzNDUkVU" in text]
    assert not [name for name in texts if name.endswith((".prv", ".pem"))]
    assert "AB12 stays" in texts["var/log/azure/spellings.log"]
    assert '\\"size\\": 1}' in texts["var/log/azure/spellings.log"]
    assert "<B>stays</B>" in texts["var/lib/waagent/GoalState.1.xml"]
    assert "<C>stays too</C>" in texts["var/lib/waagent/GoalState.1.xml"]
    assert "plain line stays" in texts["var/log/waagent.log"]
    assert "<ns1:HostName>vm-1</ns1:HostName>" in texts["var/lib/waagent/ovf-env.xml"]
    assert '"publicSettings":{"a":1}' in texts["var/lib/waagent/ExtensionsConfig.1.xml"]
    assert texts[f"var/lib/waagent/{EXTENSION}-1.0.9220.0/status/0.status"].strip() == '[{"status":{"code":1}}]'
    assert "3 lines changed in /var/log/waagent.log" in texts["REDACTED.txt"]
    assert f"{archive}: " in done.stdout


def packed(out: Path) -> dict[str, str]:
    (archive,) = out.iterdir()
    with tarfile.open(archive) as tar:
        return {
            member.name.split("/", 1)[1]: handle.read().decode()
            for member in tar.getmembers()
            if (handle := tar.extractfile(member))
        }


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_links_do_not_lead_out_of_the_disk(shell: str, tmp_path: Path) -> None:
    """An absolute link on another machine's disk means that machine; followed, it would hand out this one's files."""
    here, root, out = tmp_path / "here", machine(tmp_path / "disk"), tmp_path / "out"
    (here / "logs").mkdir(parents=True)
    out.mkdir()
    (here / "secret").write_text("OURS\n")
    (here / "logs" / "other.log").write_text("OURS\n")
    (root / "etc" / "hostname").unlink()
    (root / "etc" / "hostname").symlink_to(here / "secret")
    (root / "var" / "log" / "azure" / "file.log").symlink_to(here / "secret")
    (root / "var" / "log" / "azure" / "inside.log").symlink_to(root / "etc" / "waagent.conf")
    (root / "var" / "log" / "azure" / "folder").symlink_to(here / "logs")
    name, *options = shell.split()
    done = subprocess.run(
        [installed(name), *options, str(SCRIPT), str(out), str(root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    texts = packed(out)
    assert not [name for name, text in texts.items() if "OURS" in text]
    assert "vmbackup-logs-unknown-" in done.stdout
    for name in ("file.log", "inside.log", "folder/other.log"):
        assert f"a link was not followed: /var/log/azure/{name}" in texts["REDACTED.txt"]


def redacted(texts: list[str], tools: str, tmp_path: Path) -> list[str]:
    """What the archive holds of these logs, where sed and awk are those of busybox, or awk is mawk."""
    root, out, own = (tmp_path / name for name in ("disk", "out", "bin"))
    logs = root / "var" / "log" / "azure"
    for folder in (logs, out, own):
        folder.mkdir(parents=True)
    for number, text in enumerate(texts):
        (logs / f"{number}.log").write_text(f"{text}\n")
    for name in {"busybox": ("sed", "awk"), "mawk": ("awk",)}.get(tools, ()):
        (own / name).symlink_to(installed(tools))
    environment = {**os.environ, "PATH": f"{own}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["sh", str(SCRIPT), str(out), str(root)], capture_output=True, check=True, env=environment)
    found = packed(out)
    return [found[f"var/log/azure/{number}.log"].rstrip("\n") for number in range(len(texts))]


@pytest.mark.parametrize("tools", ["installed", "mawk", "busybox"])
def test_no_spelling_of_a_secret_comes_through_and_nothing_else_is_removed(tools: str, tmp_path: Path) -> None:
    """As with the product's own redactor; of a web address the whole query goes here."""
    spelt = [spelling.format(SECRET) for spelling in SPELLINGS]
    lines = [words for words in spelt if "\n" not in words]
    blocks = [words for words in spelt if "\n" in words]
    harmless = [words for words in NO_SECRETS if "?" not in words]
    first, second, *others = redacted(["\n".join(lines), "\n".join(harmless), *blocks], tools, tmp_path)
    assert [words for words in first.splitlines() if SECRET in words or "REDACTED" not in words] == []
    assert [words for words in others if SECRET in words or "REDACTED" not in words] == []
    assert second.splitlines() == harmless


def test_a_line_without_an_end_is_redacted_in_time(tmp_path: Path) -> None:
    lines = [(fragment * (50_000 // len(fragment))).replace("\n", "") for fragment in HOSTILE]
    begun = time.monotonic()
    redacted(["\n".join(lines)], "installed", tmp_path)
    assert time.monotonic() - begun < 60  # on a busy machine; about a second elsewhere


def test_nothing_there(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", str(SCRIPT), str(tmp_path), str(tmp_path / "empty")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "found none of the logs" in done.stderr
    assert os.listdir(tmp_path) == []


def test_no_such_folder(tmp_path: Path) -> None:
    done = subprocess.run(["sh", str(SCRIPT), str(tmp_path / "no")], capture_output=True, text=True, check=False)
    assert done.returncode == 2
