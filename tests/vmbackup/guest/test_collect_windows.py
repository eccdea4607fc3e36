"""The Windows guest script: held to a parser, to a list of what it may call, and to a reading of its output contract.

No Windows is at hand: that the script runs there is not proven here, and guest/README.md says so.
"""

import base64
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints, is_typeddict

import jsonschema
import output_schema
import pytest
import tree_sitter
import tree_sitter_powershell
from windows_facts import HEALTHY, SICK

import vmbackup
from vmbackup.guest.document import decode, shapes

GUEST = Path(vmbackup.__file__).parent / "guest" / "scripts"
SOURCE = (GUEST / "collect_windows.ps1").read_bytes()
TEXT = SOURCE.decode("ascii")
SCHEMA = json.loads((GUEST / "output.schema.json").read_text("utf-8"))
CODE = re.sub(r"(?m)^\s*#.*$", "", TEXT)


def tree(kind: str) -> Iterator[tree_sitter.Node]:
    parsed = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language())).parse(SOURCE)
    waiting = [parsed.root_node]
    while waiting:
        node = waiting.pop()
        waiting += node.children
        if node.type == kind or (kind == "ERROR" and node.is_missing):
            yield node


def text(node: tree_sitter.Node) -> str:
    return SOURCE[node.start_byte : node.end_byte].decode()


def nodes(kind: str) -> list[str]:
    return [text(node) for node in tree(kind)]


READS_ONLY = {
    "ConvertFrom-Json",
    "ForEach-Object",
    "Get-Acl",
    "Get-ChildItem",
    "Get-Command",
    "Get-Process",
    "Get-Service",
    "Get-WinEvent",
    "New-Object",
    "Select-Object",
    "Sort-Object",
    "Test-Path",
    "Where-Object",
    "Write-Output",
}


def test_it_parses() -> None:
    assert nodes("ERROR") == []


def test_it_calls_only_commands_that_read_and_functions_of_its_own() -> None:
    called, defined = set(nodes("command_name")), set(nodes("function_name"))
    assert called - defined <= READS_ONLY
    by_name = set(re.findall(r"ask = '(Get-\w+Facts)'", TEXT))
    assert defined - called == by_name, "every function is used, every probe is defined"


METHODS = re.findall(
    r"\w+",
    """
    Add AddDays AddScript Append BeginConnect BeginInvoke BeginRead BeginStop Close Contains ContainsKey
    DeserializeObject Dispose EndConnect EndInvoke EndRead FileStream GZipStream Get GetAccessRules GetBytes
    GetIPProperties GetIPv4Properties GetResponse GetResponseStream GetString GetSubKeyNames GetValue GetValueNames
    IsInRole Kill LastIndexOf ManagementObjectSearcher Open OpenSubKey ReadToEnd Replace Seek
    SessionStateFunctionEntry StreamReader Substring ToArray ToCharArray ToLowerInvariant ToString ToUniversalTime
    ToXml Trim TrimEnd WaitForExit WaitOne WindowsPrincipal Write X509Store ASCII Administrator BeginGetHostAddresses
    Ceiling Compress Create CreateDefault CreateRunspace EndGetHostAddresses Exists Floor FromSeconds
    GetAllNetworkInterfaces GetCurrent GetDrives GetEnvironmentVariable GetFileName GetHostName InvariantCulture
    LoadWithPartialName LocalMachine Match Matches Min MinValue Now Parse ReadAllText Start StartNew ToBase64String
    ToInt32 TryParse Users UtcNow
    """,
)


def test_it_uses_only_methods_that_read() -> None:
    assert set(re.findall(r"\.(\w+)\(|::(\w+)", CODE)) <= {(name, "") for name in METHODS} | {
        ("", name) for name in METHODS
    }
    assert re.findall(r"(\$\w+)\.Write\(", CODE) == ["$gzip"], "into memory"
    assert re.findall(r"FileStream\(([^)]*)\)", CODE) == ["$path, 'Open', 'Read', 'ReadWrite, Delete'"]
    opened = re.findall(r"(?:::LocalMachine|::Users|\$root|\$key)\.OpenSubKey\(([^)]*)\)", CODE)
    assert opened == ["$path", "$name", '"S-1-5-18\\SOFTWARE\\$settings"', "$sub"], "one argument: for reading only"
    assert CODE.count("OpenSubKey(") == len(opened)


@pytest.mark.parametrize(
    "forbidden",
    [
        r"(?i)\b(Invoke-Expression|iex|Start-Process|Invoke-WebRequest|Add-Type)\b",
        r"(?i)\b(Set|Remove|Restart|Stop|Start|Clear|Rename|Move|Copy|Enable|Disable|Install|Register)-[A-Z]\w+",
        r"(?i)\bNew-(Item|Service|Net\w+|PS\w+)",
        r"[^>]>[>&]?\s*[$'\"\w\\]",
    ],
)
def test_nothing_in_it_can_change_the_guest(forbidden: str) -> None:
    assert re.findall(forbidden, CODE) == []


def test_it_starts_one_program_that_lists_and_ends_no_other_process() -> None:
    assert re.findall(r"[\w.-]+\.exe(?=\")", CODE) == ["vssadmin.exe"]
    assert re.findall(r"Arguments = '([^']*)'", CODE) == ["list writers"]
    assert re.findall(r"(\$\w+)\.Kill\(", CODE) == ["$process"]
    assert re.findall(r"(\$\w+) = \[System\.Diagnostics\.Process\]::Start\(", CODE) == ["$process"]


# --- PowerShell 2: what came later is not used; no PowerShell is at hand to try it -----------------------------------

PARAMETERS = {
    "Get-Acl": {"-Path"},
    "Get-ChildItem": {"-Path", "-LiteralPath", "-Filter", "-ErrorAction"},
    "Get-Command": {"-Name", "-ErrorAction"},
    "Get-Process": {"-Name", "-ErrorAction"},
    "Get-Service": {"-Name", "-ErrorAction"},
    "Get-WinEvent": {"-FilterHashtable", "-MaxEvents"},
    "Select-Object": {"-First", "-Last"},
    "Sort-Object": {"-Property", "-Descending", "-Unique"},
    "Test-Path": {"-LiteralPath"},
}
OPERATORS = {
    "-band", "-bor", "-and", "-or", "-not", "-is", "-isnot", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-like",
    "-match", "-notmatch", "-cnotmatch", "-contains", "-notcontains", "-replace", "-split", "-join",
}  # fmt: skip
# All of .NET Framework 3.5 or older, or of PowerShell 2 itself.
TYPES = re.findall(
    r"[\w.]+",
    """
    array bool byte char datetime decimal double enum int long ref regex string timespan version void
    Microsoft.Win32.Registry System.BitConverter System.Collections.IDictionary System.Collections.IEnumerable
    System.Convert System.Diagnostics.Process System.Diagnostics.Stopwatch System.Environment
    System.Globalization.CultureInfo System.Globalization.DateTimeStyles System.IO.Compression.CompressionMode
    System.IO.DriveInfo System.IO.File
    System.IO.Path System.Management.Automation.PowerShell System.Management.Automation.Runspaces.InitialSessionState
    System.Management.Automation.Runspaces.RunspaceFactory System.Math System.Net.Dns
    System.Net.NetworkInformation.NetworkInterface System.Net.Sockets.SocketException System.Net.WebException
    System.Net.WebRequest System.Reflection.Assembly System.Security.AccessControl.FileSystemRights
    System.Security.Cryptography.X509Certificates.OpenFlags System.Security.Principal.SecurityIdentifier
    System.Security.Principal.WindowsBuiltInRole System.Security.Principal.WindowsIdentity System.Text.Encoding
    System.ValueType
    System.Collections.ArrayList System.Diagnostics.ProcessStartInfo System.IO.Compression.GZipStream
    System.IO.FileStream System.IO.MemoryStream System.IO.StreamReader System.Management.ManagementObjectSearcher
    System.Management.Automation.Runspaces.SessionStateFunctionEntry System.Net.Sockets.TcpClient
    System.Security.Cryptography.X509Certificates.X509Store System.Security.Principal.WindowsPrincipal
    System.Text.StringBuilder System.Web.Script.Serialization.JavaScriptSerializer
    """,
)


def test_every_parameter_is_one_of_powershell_2() -> None:
    for node in tree("command_parameter"):
        command = node
        while command.type != "command":
            assert command.parent is not None
            command = command.parent
        assert text(node) in PARAMETERS[text(command.children[0])], text(command)


def test_every_operator_and_every_type_is_one_of_powershell_2_and_net_3_5() -> None:
    used = {node.type for kind in OPERATORS for node in tree(kind)} | set(nodes("comparison_operator"))
    assert used <= OPERATORS
    for kind in ("-in", "-notin", "-shl", "-shr", "??", "?.", "&&", "||", "class_statement", "enum_statement"):
        assert nodes(kind) == [], kind
    assert {name.strip("[]") for name in nodes("type_literal")} <= set(TYPES)
    assert set(re.findall(r"New-Object ([\w.]+)", CODE)) <= set(TYPES)
    assert "[ordered]" not in CODE


def test_no_loop_runs_over_null() -> None:
    """PowerShell 2 would run it once: what is looped over is an array, whatever was found."""
    over = [text(node).split("{", 1)[0] for node in tree("foreach_statement")]
    loose = [head for head in over if not re.search(r" in @\(", head)]
    assert sorted(loose) == ["foreach ($char in $text.ToCharArray()) ", "foreach ($function in $functions) "]


def test_what_only_newer_ones_have_is_asked_for_before_it_is_used() -> None:
    body = CODE[CODE.index("function Read-Json ") : CODE.index("function Get-ExtensionFacts ")]
    assert "if (Get-Command -Name 'ConvertFrom-Json'" in body
    assert CODE.count("ConvertFrom-Json") == body.count("ConvertFrom-Json") == 2


def test_it_can_be_pasted_and_read_in_every_code_page() -> None:
    assert TEXT.isascii(), "Windows PowerShell reads a file without a mark in the local code page"
    assert CODE.count("& {") == 1, "it can be pasted as one block"


def test_its_source_holds_no_whole_marker() -> None:
    flat = re.sub(r"\s", "", TEXT)
    assert "VMBACKUPGUEST" not in flat


def test_every_probe_is_bounded_and_fails_alone() -> None:
    loop = TEXT[TEXT.index("foreach ($probe in @($probes))") :]
    assert re.search(r"try \{\s+\$facts = Invoke-Bounded \$probe\.ask \d+\s", loop)
    for waits in (r"WaitOne\(", r"WaitForExit\("):
        assert all(argument != ")" for argument in re.findall(waits + r"(.)", CODE)), "no wait without a limit"


def pattern_of(function: str, start: str) -> re.Pattern[str]:
    """The regular expression in this function that begins so; .NET and Python read those used here alike."""
    body = TEXT[TEXT.index(f"function {function} ") :]
    found = re.search(r"'(" + re.escape(start) + r"(?:[^'\n]|'')*)'", body)
    assert found is not None
    return re.compile(found.group(1).replace("''", "'"))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Writer name: 'SqlServerWriter'", "SqlServerWriter"),
        ('Verfassername: "Microsoft Exchange Writer"', "Microsoft Exchange Writer"),
        ("Nom du r\u00e9dacteur\u00a0: \u00ab\u00a0System Writer\u00a0\u00bb", "System Writer"),
        ("\u7f16\u5199\u5668\u540d\u79f0\uff1a \u201cSystem Writer\u201d", "System Writer"),
        ("   Writer Id: {e8132975-6f93-4464-a53e-1050253ae220}", None),
        ("   State: [1] Stable", None),
        ("vssadmin 1.1 - Volume Shadow Copy Service administrative command-line tool", None),
        ("Error: You don't have the correct permissions to run this command.", None),
    ],
)
def test_a_writer_is_known_by_its_name_in_every_language(line: str, name: str | None) -> None:
    found = pattern_of("ConvertFrom-WriterList", r"^\S").search(line)
    assert (found.group(1).strip() if found else None) == name


@pytest.mark.parametrize(
    "words",
    [
        "Application: WindowsAzureGuestAgent.exe\nFramework Version: v4.0.30319\nDescription: The process was "
        "terminated due to an unhandled exception.\nException Info: System.DllNotFoundException\n   at Microsoft",
        "Anwendung: WindowsAzureGuestAgent.exe\nFrameworkversion: v4.0.30319\nBeschreibung: Der Prozess wurde aufgrund "
        "einer unbehandelten Ausnahme beendet.\nAusnahmeinformationen: System.DllNotFoundException\n   bei Microsoft",
    ],
)
def test_a_crash_is_known_in_every_language(words: str) -> None:
    program = pattern_of("Get-CrashFacts", r"\S+\.exe").search(words)
    reason = pattern_of("Get-CrashFacts", r"[\w.]+Exception").search(words)
    assert program is not None
    assert reason is not None
    assert (program.group(), reason.group()) == ("WindowsAzureGuestAgent.exe", "System.DllNotFoundException")


def test_times_are_the_same_under_every_culture_and_secrets_never_leave() -> None:
    assert all("InvariantCulture)" in line for line in CODE.splitlines() if ".ToString('yyyy" in line)
    assert re.search(r"message = Hide-Secrets \(", CODE)
    assert re.search(r"Hide-Secrets \(\[string\]\$key\.GetValue\(\$name\)\) \}", CODE), "values of the registry too"
    assert "$text = Hide-Secrets $words" in CODE, "lines of logs too, before they are shortened"
    assert "PROCESSOR_ARCHITEW6432" in CODE, "the 32-bit PowerShell would see other files"


SECRETS = [
    ("PUT https://a.example/b?sv=1&sig=abc failed", "PUT https://a.example/b?*** failed"),
    ('"password": "hunter2", next', '"password": "***", next'),
    ("AccountKey=abc/def==;EndpointSuffix=x", "AccountKey=***;EndpointSuffix=x"),
    ("Authorization: Bearer abc.def", "Authorization: ***"),
    ("token=eyJhbGciOi.eyJzdWIi.sig and more", "token=*** and more"),
    ("the key was not found", "the key was not found"),
    ("http://user:pw@proxy:8080/", "http://proxy:8080/"),
]


@pytest.mark.parametrize(("said", "shown"), SECRETS)
def test_secrets_are_recognised(said: str, shown: str) -> None:
    """The expressions of Hide-Secrets, in its order; .NET and Python read those used here alike."""
    body = TEXT[TEXT.index("function Hide-Credentials ") : TEXT.index("function Get-Stamp ")]
    for pattern, by in re.findall(r"-replace '((?:[^'\n]|'')*)', '((?:[^'\n]|'')*)'", body):
        said = re.sub(pattern.replace("''", "'"), re.sub(r"\$(\d)", r"\\\1", by), said, flags=re.IGNORECASE)
    assert said.startswith(shown)


def keys_of(shape: Any) -> set[str]:
    """Every key that a shape names, at any depth."""
    if is_typeddict(shape):
        hints = get_type_hints(shape)
        return set(hints).union(*(keys_of(kind) for kind in hints.values()))
    return set().union(*(keys_of(kind) for kind in get_args(shape)))


def test_it_has_a_probe_for_every_windows_fact() -> None:
    assert set(re.findall(r"@\{ name = '(\w+)'; ask = 'Get-\w+Facts' \}", TEXT)) == set(shapes("windows"))


@pytest.mark.parametrize("section", sorted(shapes("windows")))
def test_it_names_every_key_of_every_fact(section: str) -> None:
    for key in keys_of(shapes("windows")[section]):
        assert re.search(rf"[{{;.\s]{key} \+?= ", TEXT), f"{section}: {key}"


# --- what the script prints, and what is read from it ----------------------------------------------------------------


def printed(facts: dict[str, Any], **about: object) -> str:
    document = {
        "v": 1,
        "script": 2,
        "os": "windows",
        "vm_id": None,
        "host": "sql-01",
        "at": "2026-11-23T03:00:00Z",
        "root": True,
    }
    document |= {"took_ms": 9000, "errors": [], "cut": [], "facts": facts, **about}
    jsonschema.validate(document, SCHEMA)
    text = base64.b64encode(gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0)).decode()
    lines = [text[at : at + 76] for at in range(0, len(text), 76)]
    return "\r\n".join(["-----BEGIN VMBACKUP GUEST 1-----", *lines, f"-----END VMBACKUP GUEST 1 {len(text)}-----", ""])


def test_a_healthy_guest_fits_into_run_command_with_every_section() -> None:
    output = printed(HEALTHY)
    assert len(output) < 4000
    read = decode(output)
    assert read.facts == HEALTHY
    assert read.unreadable == {}


@pytest.mark.parametrize(("section", "data"), SICK.values(), ids=SICK.keys())
def test_what_the_script_says_is_what_is_read(section: str, data: dict[str, Any]) -> None:
    read = decode(printed({**HEALTHY, section: data}))
    assert read.unreadable == {}
    assert {key: read.facts[section][key] for key in data} == data
    assert set(read.facts) == set(HEALTHY)


def test_probes_that_failed_and_sections_that_did_not_fit_are_named() -> None:
    facts = {key: data for key, data in HEALTHY.items() if key not in ("vss", "logs")}
    read = decode(printed(facts, errors=["vss: did not end within 60 s"], cut=["logs"], root=False))
    assert (read.errors, read.cut, read.root) == (("vss: did not end within 60 s",), ("logs",), False)
    assert "vss" not in read.facts


def test_the_schema_says_what_the_shapes_say() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert (GUEST / "output.schema.json").read_text("utf-8") == output_schema.text(), "see output_schema.py"
