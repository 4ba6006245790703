"""Keys, tokens and passwords that must be in no index. `SECRETS` has every kind.

A placeholder in documentation is none: `<your-key>`, `AKIAIOSFODNN7EXAMPLE`, `sk-...`, `user:password@host`.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Secret(NamedTuple):
    """A secret of a kind begins on `line` (from 1). What it says is not kept."""

    kind: str
    line: int


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` is tried only where one of `literals` is in the text; its last group (or all of it) is the secret."""

    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    is_secret: Callable[[str], bool]


def find_secrets(text: str) -> list[Secret]:
    """Every secret of the text, in order of lines; each kind once per line."""
    found = {(_line(text, start), kind) for kind, start in _found(text)}
    return [Secret(kind, line) for line, kind in sorted(found)]


def _found(text: str) -> Iterator[tuple[str, int]]:
    for kind, rule in SECRETS.items():
        if any(literal in text for literal in rule.literals):
            for match in rule.pattern.finditer(text):
                if rule.is_secret(match[match.lastindex or 0]):
                    yield kind, match.start()
    yield from (("password or key in an assignment", start) for start in _assignments(text))


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


# --- what only looks like one -----------------------------------------------------

_PLACEHOLDER = re.compile(
    r"example|sample|placeholder|your|dummy|fake|change.?me|redacted|xxxx|\*{3}|\.{3}|…|[<>{}]|\$[A-Za-z_({]"
    r"|%\w+%|to.?do|insert"
    r"|replace|1234567|abcdef|qwerty|foo.?bar|deadbeef|secret.?key|my.?secret|my.?key|lorem|access.?token|mock|demo",
    re.IGNORECASE,
)
_DISTINCT = 8  # characters; what repeats fewer is `aaaaaaaa` or `0000-0000`


def is_placeholder(value: str) -> bool:
    """Whether a value stands for one that the reader is to put in."""
    return _PLACEHOLDER.search(value) is not None


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits per character."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def _random(value: str) -> bool:
    """Looks drawn by chance: what a generator makes, and nobody writes as an example."""
    return len(set(value)) >= _DISTINCT and entropy(value) >= 3.0 and not is_placeholder(value)


def _token(value: str) -> bool:
    """Random, and of more than one kind of sign: `sk-this-is-where-it-goes` has words only."""
    return _random(value) and any(sign.isdigit() for sign in value) and not is_worded(value)


def is_worded(value: str) -> bool:
    """Whether half of it or more is words or short numbers between separators: the name of a thing."""
    parts = re.split(r"[-_/+.:]|(?<=[a-z])(?=[A-Z])", value)
    worded = sum(len(part) for part in parts if _WORD.fullmatch(part) or (part.isdigit() and len(part) <= 4))
    return worded >= len(value) / 2


_WORD = re.compile(r"[A-Za-z]?[a-z]{3,}|[A-Z]{4,}")


def _json_web_token(value: str) -> bool:
    """Three parts of which the first is a JSON header; the one that every tutorial shows is none."""
    head, payload, _ = value.split(".", 2)
    header, claims = _decoded(head), _decoded(payload)
    try:
        is_header = isinstance(json.loads(header), dict)
    except (ValueError, RecursionError):
        return False
    return is_header and b'"1234567890"' not in claims and not is_placeholder(value)


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        return b""


def _basic_credentials(value: str) -> bool:
    user, colon, password = _decoded(value).decode("utf-8", "replace").partition(":")
    return bool(colon) and user.isprintable() and password.isprintable() and _password(password)


def _key_body(value: str) -> bool:
    body = re.sub(r"\\[nr]|\s", "", value)
    return len(body) >= 64 and _random(body)


_COMMON = re.compile(
    r"(?:my|the|some|db|user|admin|root|test|guest|dev|sa|default|super|strong|new|old|secure|a"
    r"|p)?[-_.]?(?:passw(?:or)?d|pass|pwd|pw|"
    r"p[@4a]ss?w[o0]rd|secret|token|key|admin|root|guest|user(?:name)?|postgres|mysql|test|changeit|letmein"
    r"|hunter2|\w*api)[-_.]?\d{0,4}[!@#$]?",
    re.IGNORECASE,
)


def _password(value: str) -> bool:
    """A password that somebody uses, and not the word for one."""
    return len(value) >= 6 and len(set(value)) >= 5 and not _COMMON.fullmatch(value) and not is_placeholder(value)


def _rule(literals: str, pattern: str, is_secret: Callable[[str], bool] = _random) -> Rule:
    return Rule(tuple(literals.split()), re.compile(pattern, re.ASCII), is_secret)


# Each pattern begins with a literal where it can: that is what a search skips to.
# --- by their form ---------------------------------------------------------------------

_END = r"(?![A-Za-z0-9_-])"
SECRETS: Mapping[str, Rule] = {
    "AWS access key": _rule("AKIA ASIA", rf"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{{16}}{_END}"),
    "GitHub token": _rule(
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        rf"(?<![A-Za-z0-9_])(?:gh[pousr]_[A-Za-z0-9]{{36,255}}|github_pat_[A-Za-z0-9_]{{60,255}}){_END}",
    ),
    "GitLab token": _rule("glpat-", rf"(?<![A-Za-z0-9_])glpat-[A-Za-z0-9_-]{{20,255}}{_END}"),
    "model provider key": _rule("sk-", rf"(?<![A-Za-z0-9_-])sk-[A-Za-z0-9_-]{{20,255}}{_END}", _token),
    "Slack token": _rule(
        "xox hooks.slack.com",
        r"(?<![A-Za-z0-9_])xox[abeoprs]-[A-Za-z0-9-]{20,255}"
        r"|hooks\.slack\.com/services/T\w{6,16}/B\w{6,16}/(\w{20,32})",
        _token,
    ),
    "Google key": _rule(
        "AIza ya29. GOCSPX-",
        rf"(?<![A-Za-z0-9_-])(?:AIza[A-Za-z0-9_-]{{35}}|ya29\.[A-Za-z0-9_-]{{20,512}}"
        rf"|GOCSPX-[A-Za-z0-9_-]{{28}}){_END}",
    ),
    "Stripe key": _rule("k_live_ whsec_", rf"(?<![A-Za-z0-9_])(?:[rs]k_live_|whsec_)[A-Za-z0-9+/]{{16,255}}{_END}"),
    "package registry token": _rule(
        "npm_ pypi-", rf"(?<![A-Za-z0-9_])(?:npm_[A-Za-z0-9]{{36}}|pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{{50,512}}){_END}"
    ),
    "Hugging Face token": _rule("hf_", rf"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{{30,40}}{_END}"),
    "service token": _rule(
        "SG. dop_v1_ shpat_ dapi sq0 :AA",
        rf"(?<![A-Za-z0-9_])(?:SG\.[A-Za-z0-9_-]{{16,32}}\.[A-Za-z0-9_-]{{32,64}}|dop_v1_[a-f0-9]{{64}}"
        rf"|shpat_[a-f0-9]{{32}}"
        rf"|dapi[a-f0-9]{{32}}|sq0(?:atp|csp)-[A-Za-z0-9_-]{{22,64}}|\d{{8,10}}:AA[A-Za-z0-9_-]{{33}}){_END}",
    ),
    "Azure key": _rule(
        "AccountKey= SharedAccessKey= sig=",
        r"(?:AccountKey|SharedAccessKey)=([A-Za-z0-9+/]{40,90}={0,2})|[?&;]sig=([A-Za-z0-9%+/]{40,80})",
    ),
    "private key": _rule(
        "PRIVATE KEY",
        r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:(?:\\n|\\r"
        r"|\s){1,4}[A-Z][A-Za-z-]{2,20}: [^\n\\]{1,80}){0,4}"
        r"((?:[A-Za-z0-9+/=]|\\n|\\r|\s){64,8192}+)",
        _key_body,
    ),
    "JSON web token": _rule(
        "eyJ",
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,2048}+\.[A-Za-z0-9_-]{10,8192}+\.[A-Za-z0-9_-]{16,1024}+",
        _json_web_token,
    ),
    "bearer token": _rule("earer ", r"earer {1,4}+([A-Za-z0-9._~+/-]{20,2048}+={0,2})", _token),
    "basic credentials": _rule("asic ", r"asic {1,4}+([A-Za-z0-9+/]{12,512}+={0,2})", _basic_credentials),
    "password in a connection string": _rule(
        "://",
        r"://[^\s:/@<>\"'`]{0,64}+:([^\s@/<>\"'`]{3,128}+)@(?=[A-Za-z0-9\[])",
        _password,
    ),
}

# --- by what they are assigned to ----------------------------------------------------

_NAMES = ("passw", "pwd", "secret", "token", "key", "credential")
_KEYS = re.compile(r"(?:api|access|account|auth|private|encryption|signing|master|license|subscription|shared)[_-]?\Z")
_ASSIGNED = re.compile(
    r"[A-Za-z0-9_-]{0,24}+[\"']?(?:[ \t]{0,4}+(?:=>|:=|=|:)[ \t]{0,4}+"
    r"|[ \t]{1,4}+)(?P<quote>[\"']?)(?P<value>[^\s\"'`,;<>(){}\[\]|]{8,256}+)",
    re.ASCII,
)
_LONG_BITS = 3.3  # bits per character: what random hexadecimal digits have


def _assignments(text: str) -> Iterator[int]:
    """Where a name such as `client_secret` is given a value that looks random."""
    folded = text.lower()
    if len(folded) != len(text):  # some letters grow when folded, and positions would not fit
        folded = "".join(sign.lower() if len(sign.lower()) == 1 else sign for sign in text)
    for name in _NAMES:
        at = folded.find(name)
        while at >= 0:
            # Of keys only those that a name says are secret: a keyboard, a foreign key and a key point are not.
            named = name != "key" or _KEYS.search(folded, max(0, at - 13), at)
            match = _ASSIGNED.match(text, at + len(name)) if named else None
            behind = at + len(name)
            if match and any(sign in text[behind : match.start("value")] for sign in "=:"):
                behind = match.end("value")  # what was read once is not read again for a name within it
                if _assigned_secret(match["value"]):
                    yield at
            at = folded.find(name, behind)


def _assigned_secret(given: str) -> bool:
    value = given.rstrip(".:)")
    if len(value) < 12 or is_worded(value) or not _random(value):
        return False
    kinds = sum(any(test(sign) for sign in value) for test in (str.islower, str.isupper, str.isdigit))
    marks = sum(not sign.isalnum() for sign in value)
    is_reference = re.match(r"(?:https?:|/|\.|@|--|\w+\.\w+\.)", value) is not None
    if is_reference or not any(sign.isdigit() for sign in value):
        return False
    mixed = kinds == 3 and (len(value) >= 16 or marks > 0)
    return mixed or (len(value) >= 20 and entropy(value) >= _LONG_BITS)
