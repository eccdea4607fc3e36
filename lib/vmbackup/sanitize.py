"""Removes secrets from text, and makes characters visible that would act on a terminal or a page.

Every text that a report, a result or a saved evidence carries goes through here. Pure. Each pattern reads a text once:
what repeats has a limit or takes all it can, so that no text costs more than in proportion to its length.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

BLOT = "[removed]"

# --- settings whose value is a secret, however they are written ------------------------------------------------------

_NAMES = (
    r"pass(?:word|wd|phrase|wort)|(?<=_)pass(?![a-z])|kennwort|geheimnis|pwd|pswd|(?<![a-z])pw(?![a-z])|"
    r"secret|(?:subscription|functions?|master|host)[_-]?key(?![a-z])|credential|api[_-]?key|apikey|private[_-]?key|"
    r"(?:account|shared|access|storage|primary|secondary|encryption|konto|zugriffs)[_-]?(?:account|access)?[_-]?"
    r"(?:key|schl(?:ü|ue)ssel)|"
    r"sharedaccesssignature|sas[_-]?token|connection[_-]?string|protected[_-]?settings|custom[_-]?data|"
    r"(?:access|refresh|id|auth|bearer|security|session)[_-]?token|(?<![a-z])token"
)
_QUOTES = r"(?:\\{0,3}[\"'])"
# The value: in quotes, which it may lack at the end of a line that was cut, or bare.
_VALUE = r"(?:@?\\{0,3}\"[^\"\n]*\"?|@?\\{0,3}'[^'\n]*'?|[^\s\"'<>;&,\\]+)"
_SETTING = re.compile(
    rf"(?i)((?:{_NAMES})[a-z0-9_-]{{0,20}}{_QUOTES}?\]?\s{{0,3}}(?:=>|:=|[:=]|%3D|%3A)\s{{0,3}})({_VALUE})"
)
_SECRET_NAME = re.compile(rf"(?i)(?:{_NAMES})")
_ELEMENT = re.compile(rf"(?i)(<[a-z0-9:]{{0,40}}(?:{_NAMES})[a-z0-9]{{0,20}}(?:\s[^<>]{{0,200}})?>)([^<]+)")
# A pair of name and value, in JSON, YAML and XML.
_PAIR = re.compile(
    rf"(?i)((?<![a-z])(?:key|name){_QUOTES}?\s{{0,3}}[:=]\s{{0,3}}{_QUOTES}?[\w.-]{{0,40}}(?:{_NAMES})[\w.-]{{0,20}}{_QUOTES}?"
    rf"\s{{0,3}},?(?:\s|\\{{1,3}}[nrt]){{0,20}}{_QUOTES}?value{_QUOTES}?\s{{0,3}}[:=]\s{{0,3}})({_VALUE})"
)
# In a sentence; a word without a digit is taken for one of the sentence's own.
_SAID = re.compile(
    r"(?i)((?:password|passphrase|passwort|kennwort)\s{1,3}(?:is|was|ist|war|lautet)\s{1,3}[\"']?)(?=\S{0,60}\d)([^\s\"']{6,})"
)
_QUOTED = re.compile(r"(?i)((?:password|passphrase|passwort|kennwort)\s{1,3}[\"'])([^\s\"']{4,})(?=[\"'])")
# `$PWD` and its like hold a folder, no password.
_FOLDER = re.compile(r"(?:OLD)?PWD=[\"']?(?:/|[A-Za-z]:\\)")
# Facts about a secret are not secret: its address, its name, whether there is one.
_ABOUT = re.compile(
    r"(?i)(?:ur[il]|id|name|path|thumbprint|type|version|state|status|authentication)[\"'\\\]]*\s*[:=]\s*$"
)
_NO_VALUE = re.compile(r"(?i)[\[{]|(?:true|false|null|none|yes|no|y|n|\d{1,3})$")

# --- commands and headers --------------------------------------------------------------------------------------------

_FLAG = re.compile(
    rf"(?i)((?<![\w-])(?:--?|/)(?:[a-z0-9]{{1,20}}[_-]){{0,3}}"
    rf"(?:(?:{_NAMES})(?!-(?:permissions|name|id|url|type|version)\b)[a-z0-9_-]{{0,20}}|"
    r"pass|key|rp|user-?password|a(?:ccount)?-key)(?:[=:]|\s{1,3}))"
    rf"({_VALUE})"
)
_SHORT_FLAG = re.compile(
    r"(?i)(\b(?:sshpass|mysql\w{0,10}|mariadb|sqlcmd|docker|podman|helm|psexec\w{0,3}|paexec|winrs|plink|pscp|az|smbclient|ldap\w{1,8})"
    rf"(?:\.exe)?\b(?:[ \t]+(?!-p)[^\s]{{1,100}}){{0,12}}[ \t]+-p[ \t:]{{0,3}})({_VALUE})"
)
_SETX = re.compile(rf"(?i)(\bsetx(?:\.exe)?[ \t]+[\w-]{{0,40}}(?:{_NAMES})[\w-]{{0,20}}[ \t]+)({_VALUE})")
_ECHO = re.compile(
    r"(?i)(\becho[ \t]+[\"']?(?:[^\s:|\"']{1,64}:)?)([^\s|\"']{1,128})"
    r"(?=[\"']?[ \t]{0,3}\|[ \t]{0,3}(?:sudo[ \t]+)?(?:ch)?passwd\b)"
)
_USER_AND_PASSWORD = re.compile(r"((?<!\S)-U[ \t]{0,3}[^\s%]{1,64}%)(\S+)")
_PASS = re.compile(r"((?<![A-Za-z])pass:)([^\s\"']{4,})")
_USER_FLAG = re.compile(
    r"(?i)(\b(?:curl|wget)(?:\.exe)?\b(?:[ \t]+(?!-u|--user|--proxy-user)[^\s]{1,200}){0,12}"
    r"[ \t]+(?:-u|--user|--proxy-user)[ \t=]{0,3}[\"']?[^\s:\"']{0,100}:)([^\s\"']+)"
)
_NET_USER = re.compile(r"(?i)(\bnet1?(?:\.exe)?[ \t]+user[ \t]+(?!/)[^\s/]{1,100}[ \t]+)(?![/*])(\S+)")
_NET_USE = re.compile(r"(?i)(\bnet1?(?:\.exe)?[ \t]+use[ \t]+(?:\w:[ \t]+|\*[ \t]+)?\\\\\S{1,200}[ \t]+)(?![/*])(\S+)")
_NET_USE_USER = re.compile(r"(?i)(\bnet1?(?:\.exe)?[ \t]+use[ \t][^\n]{0,200}/user:\S{1,100}[ \t]+)(?![/*])(\S+)")
_SECURE_STRING = re.compile(
    r"(?i)(\bConvertTo-SecureString(?:[ \t]+-String)?[ \t]+)(?!-)([\"'][^\"'\n]*[\"']?|[^\s-]\S*)"
)
_HEADER = re.compile(
    r"(?i)((?<![a-z])(?:proxy-)?authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:basic|bearer|digest|negotiate|sharedkey(?:lite)?)?\s{0,3})"
    r"([^\"'\n\r]+)"
)
_COOKIE = re.compile(r"(?i)((?<![a-z])(?:set-)?cookie2?[\"']?\s{0,3}:\s{0,3}[\"']?)([^\"'\n\r]+)")
_SCHEME = re.compile(
    r"(?i)(\b(?:bearer|basic|sharedkey(?:lite)?)[ \t]{1,3})(?!(?:authorization_uri|realm|error)=)"
    r"([A-Za-z0-9._~+/=:-]{8,})"
)

# --- what is a secret by its own shape -------------------------------------------------------------------------------

_SIGNATURE = re.compile(r"(?i)((?<![a-z])sig(?:=|%3D|%253D))([^&\s\"'<>;,]+)")
_SAS_PARAMETER = re.compile(r"([?&;](?:se|sp|sv|sr|st|skoid|sktid|skt|ske|sks|skv|spr|sip)=)([^&\s\"'<>;]+)")
_FUNCTION_KEY = re.compile(r"([?&]code=)([\w/+=%-]{16,})")
_STORAGE_KEY = re.compile(r"(?<![A-Za-z0-9+/=])()([A-Za-z0-9+/]{86}==)(?![A-Za-z0-9+/=])")
_CLIENT_SECRET = re.compile(r"(?<![\w~.-])()([\w~.-]{3}\dQ~[\w~.-]{31,34})(?![\w~.-])")
_KNOWN_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_])()(gh[opsur]_[A-Za-z0-9]{36,}|github_pat_\w{22,}|xox[a-z]-[\w-]{10,}|AKIA[A-Z0-9]{16})"
)
_NO_SCHEME = re.compile(
    r"(?<![\w/@.:-])([A-Za-z0-9._\\-]{1,64}:)([^\s@\"'<>/]{1,128})(?=@[A-Za-z0-9.-]{1,253}:\d{2,5}\b)"
)
_PRIVATE_KEY = re.compile(
    r"()(-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z))",
    re.DOTALL,
)
# A line's end may be written as a Python or JSON string writes it.
_LINE_END = r"(?:\r?\n|(?:\\r)?\\n)"
_PUTTY_KEY = re.compile(rf"(Private-Lines: {{0,3}}\d{{1,5}}{_LINE_END})((?:[A-Za-z0-9+/=]+{_LINE_END})+)")
_PUTTY_MAC = re.compile(r"(Private-MAC: {0,3})([A-Za-z0-9]+)")
_END_OF_KEY = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]+")

# A word is matched as a whole and searched once: searching from each of its letters would take too long.
_WORD = re.compile(r"[A-Za-z0-9_.-]{20,}")
_ADDRESS = re.compile(r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{1,20}://)([^\s\"'<>]+)")

_IN_NAMES = (
    "pass",
    "wort",
    "geheim",
    "pwd",
    "pswd",
    "secret",
    "cred",
    "key",
    "schl",
    "signature",
    "sas",
    "string",
    "setting",
    "custom",
    "token",
    "pw",
)
_IN_GROUPS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (_PRIVATE_KEY, ("private key",)),
    (_PUTTY_KEY, ("private-lines",)),
    (_PUTTY_MAC, ("private-mac",)),
    (_HEADER, ("authorization",)),
    (_COOKIE, ("cookie",)),
    (_SCHEME, ("bearer", "basic", "sharedkey")),
    (_SECURE_STRING, ("securestring",)),
    (_SHORT_FLAG, (" -p", "\t-p")),
    (_USER_FLAG, ("curl", "wget")),
    (_NET_USE_USER, ("/user:",)),
    (_NET_USER, (" user", "\tuser")),
    (_NET_USE, ("\\\\",)),
    (_FLAG, (*_IN_NAMES, "rp")),
    (_ELEMENT, ("<",)),
    (_PAIR, ("value",)),
    (_SETTING, _IN_NAMES),
    (_SAID, ("pass", "kennwort")),
    (_QUOTED, ("pass", "kennwort")),
    (_SETX, ("setx",)),
    (_ECHO, ("passwd",)),
    (_USER_AND_PASSWORD, ("-u",)),
    (_PASS, ("pass:",)),
    (_FUNCTION_KEY, ("code=",)),
    (_SIGNATURE, ("sig",)),
    (_SAS_PARAMETER, ("?", "&", ";")),
    (_STORAGE_KEY, ("==",)),
    (_CLIENT_SECRET, ("q~",)),
    (_KNOWN_TOKEN, ("gh", "github_pat_", "xox", "akia")),
    (_NO_SCHEME, ("@",)),
)
"""Patterns of two groups, what stays and the secret; each with words of which a text must hold one to be searched."""
_NEEDLES = frozenset(needle for _, needles in _IN_GROUPS for needle in needles)

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Zero-width joiners are part of words and emojis; half a surrogate pair can be written nowhere.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ud800-\udfff\ufeff]"
)


def text(value: object) -> str:
    """The value as harmless text: no secret, no escape sequence, control and direction marks as ``\\uXXXX``."""
    words = str(value)
    return _remembered_harmless(words) if len(words) <= _LONGEST_REMEMBERED else _harmless(words)


def _harmless(words: str) -> str:
    words = without_secrets(_ESCAPE_SEQUENCE.sub("", words))
    return _UNSEEN.sub(lambda mark: f"\\u{ord(mark.group()):04x}", words.replace("\r\n", "\n"))


def escaped(value: object) -> str:
    """The value as harmless text in HTML, between tags or in a quoted attribute."""
    return html.escape(text(value))


def shortened(value: object, longest: int = 300) -> str:
    """The value as harmless text, at most so long; a mark at its end says that it was cut."""
    words = text(value)
    return words if len(words) <= longest else f"{words[:longest]} …"


def without_secrets(words: str) -> str:
    """The words with every secret in them replaced by ``[removed]``."""
    return _remembered(words) if len(words) <= _LONGEST_REMEMBERED else _blotted_out(words)


def _blotted_out(words: str) -> str:
    words = _without_tails_of_keys(words)
    lower = words.lower()
    there = {needle for needle in _NEEDLES if needle in lower}
    for pattern, needles in _IN_GROUPS if there else ():
        if not there.isdisjoint(needles):
            words = pattern.sub(_blotted, words)
    if "@" in words:
        words = _ADDRESS.sub(_without_sign_in, words)
    return _WORD.sub(_without_token, words) if "eyJ" in words else words


# Whatever a run saves is saved after each of its steps, and shown in three forms; most of it are the same few names,
# times and numbers.
_LONGEST_REMEMBERED = 1000
_remembered = lru_cache(maxsize=5_000)(_blotted_out)
_remembered_harmless = lru_cache(maxsize=5_000)(_harmless)


@lru_cache(maxsize=5_000)
def _names_a_secret(key: str) -> bool:
    return bool(_SECRET_NAME.search(key)) and not _ABOUT.search(f"{key}:")


def data(value: Any, clean: Callable[[str], str] = text) -> Any:
    """The same JSON value with every text in it made harmless, keys included; ``without_secrets`` leaves the rest."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, (list, tuple)):
        return [data(item, clean) for item in value]
    # To ask whether something is a Mapping takes longer than all else here.
    if isinstance(value, dict) or (value is not None and isinstance(value, Mapping)):
        return {clean(str(key)): _of(key, item, clean) for key, item in value.items()}
    return value


def _of(key: object, item: Any, clean: Callable[[str], str]) -> Any:
    """What stands under a key; a text under the name of a secret is one, whatever it looks like."""
    named = isinstance(item, str) and item and _names_a_secret(str(key))
    return BLOT if named and not _NO_VALUE.match(item) else data(item, clean)


def _blotted(found: re.Match[str]) -> str:
    kept, secret = found.groups()
    if _FOLDER.match(found.group()) or _NO_VALUE.match(secret) or _ABOUT.search(kept[-40:]):
        return found.group()
    return f"{kept}{BLOT}"


def _without_token(found: re.Match[str]) -> str:
    """A word up to where a signed token begins in it: three parts in base64, of which the first is ``{"…``."""
    before, mark, token = found.group().partition("eyJ")
    return f"{before}{BLOT}" if mark and "." in token else found.group()


def _without_sign_in(found: re.Match[str]) -> str:
    """An address without the user and password before its host; a password may hold any sign, ``@`` among them."""
    scheme, rest = found.groups()
    sign_in, at, host = rest.rpartition("@")
    user, colon, password = sign_in.partition(":")
    is_port = password.split("/")[0].isdigit() and "/" in password
    if not (at and colon) or "/" in user or is_port:
        return found.group()
    return f"{scheme}{BLOT}@{host}"


def _without_tails_of_keys(words: str) -> str:
    """Without the last lines of a private key whose beginning was cut off."""
    if "PRIVATE KEY" not in words or "-----END" not in words:
        return words
    lines = words.split("\n")
    begun = False
    for number, line in enumerate(lines):
        begun = begun or "-----BEGIN" in line
        if _END_OF_KEY.search(line) and not begun:
            _blot_lines_before(lines, number)
        if _END_OF_KEY.search(line):
            begun = False
    return "\n".join(lines)


def _blot_lines_before(lines: list[str], end: int) -> None:
    at = end - 1
    while at >= 0 and _KEY_LINE.fullmatch(lines[at].strip()):
        lines[at] = BLOT
        at -= 1
    lines[end] = _END_OF_KEY.sub("", lines[end]) and BLOT
