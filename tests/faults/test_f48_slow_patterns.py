"""Row 48: no pattern of the cleansing room takes more than linear time, whatever a document holds."""

from __future__ import annotations

import importlib
import math
import pkgutil
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import pytest

import genaiops.cleansing
from genaiops.cleansing.boilerplate import without_boilerplate
from genaiops.cleansing.characters import invisible, white_space
from genaiops.cleansing.cleaner import cleaner_for
from genaiops.cleansing.encoding import repairs
from genaiops.cleansing.injections import SIGNS, find_injections, hidden_parts
from genaiops.cleansing.language import language_of
from genaiops.cleansing.pii import KINDS
from genaiops.cleansing.pii.national_ids import NATIONAL_IDS
from genaiops.cleansing.secret_scan import SECRETS, find_secrets
from genaiops.cleansing.settings import BoilerplateSettings, CleansingSettings
from genaiops.cleansing.similarity import shingles
from genaiops.records import Document
from tests.faults.build_children import LONG

SIZES = (60_000, 180_000, 540_000) if LONG else (4_000, 12_000, 36_000)
EXPONENT = 1.3 if LONG else 1.6
SECONDS_PER_MB = 2.0 if LONG else 8.0  # the short lane runs on machines that are slow or busy
# Below this a clock says little about an exponent; the rate is checked all the same.
LEAST_S = 0.03

ATOMS = (
    "a", "A", "1", " ", "\n", "\t", ".", "-", "_", "@", ":", "/", "(", "[", "<", "\"", "`", "=", "+", "#", "|",
    "!", "é", "字", "a ", "1 ", "1-", "1.", "a.", "a-", "a@", "a@a.", "a,", "A1", "a1", "(1", "+1", "x1", "1 2-",
    ":1", "1:", "a:", "0a:", "\u200b", "\u202e", "\U000e0061", "\ufe0f", "Ã©", "â€™", "<a ", "<!--",
    "<a style=", "</", "<|", "``` ", "\n```\n", "  \n", " \n\n\n", "http://", "http://a:", "://a:b", "://:",
    "www.", "www.a.", "a (at) ", "a [dot] ", "key=", "key: ", "password = a", "token\t", "api_key:", "sk-",
    "sk-a", "eyJ", "eyJa.", "eyJaaaaaaaaaaa.aaaaaaaaaa", "AKIA", "xoxb-", "ghp_", "earer a", "asic a",
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nAAAA",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4\n", "GB82 ", "GB82WEST", "DE00 1", "4111 ", "4111-", "0049 ",
    "call 1", "ext 1", "12.34.", "1234 1234 ", "AB 12 34 ", "[X1", "passport ", "passport no ",
    "driver's license number is ", "ignore all the ", "ignore ", "forget everything ", "you are now ",
    "your response ", "add your ", "instructions ", "system: ", "say ", "attention ai: ", "if you are an ai ",
    "reveal the ", "tell me all of the ", "new instructions ", "from now on you will ", "als a ", "vergiss a",
    "oublie a", "ignora x", "忽略",
)  # fmt: skip


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled pattern of the room, by the module and name it stands under."""
    for module in pkgutil.walk_packages(genaiops.cleansing.__path__, "genaiops.cleansing."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                yield f"{module.name.removeprefix('genaiops.cleansing.')}.{name}", value
    yield from ((f"SIGNS[{kind}]", sign.pattern) for kind, sign in SIGNS.items())
    yield from ((f"SECRETS[{kind}]", rule.pattern) for kind, rule in SECRETS.items())


def boilerplate(text: str) -> None:
    documents = [Document(str(n), text) for n in range(3)]
    without_boilerplate(documents, BoilerplateSettings(min_documents=3, min_share=1.0))(documents[0])


CLEANER = cleaner_for(CleansingSettings(whitespace=True), [kind for kind in KINDS if kind not in NATIONAL_IDS])
# Patterns that are only held against one place (`match`) or a bounded value (`fullmatch`), never searched with.
ANCHORED = {
    "boilerplate._FENCE",
    "boilerplate._STRUCTURE",
    "encoding._FENCE",
    "secret_scan._COMMON",
    "secret_scan._WORD",
}


def clean(text: str) -> None:
    CLEANER.clean(Document("d", text, {"language": "en"}))


def _listed(find: Callable[[str], Iterable[object]], text: str) -> object:
    return list(find(text))


WORK: dict[str, Callable[[str], object]] = {
    **{f"pii {kind}": partial(_listed, find) for kind, find in KINDS.items() if kind not in NATIONAL_IDS},
    "secrets": find_secrets,
    "injections": find_injections,
    "hidden parts": hidden_parts,
    "invisible": invisible,
    "white space": white_space,
    "encoding": repairs,
    "language": language_of,
    "shingles": shingles,
    "boilerplate": boilerplate,
    "clean": clean,
}


def seconds(work: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    work(text)
    return time.process_time() - start


def slow(work: Callable[[str], object], atoms: Sequence[str] = ATOMS) -> list[str]:
    """What takes too long or grows too fast, in words."""
    found = []
    for atom in atoms:
        texts = [(atom * (size // len(atom) + 1))[:size] for size in SIZES]
        spent = seconds(work, texts[-1])
        if spent <= LEAST_S:
            continue
        # A busy machine can slow one run; what is too slow is so every time.
        spent = min(spent, *(seconds(work, texts[-1]) for _ in range(2)))
        smaller = min(seconds(work, texts[0]) for _ in range(3))
        exponent = math.log(spent / max(smaller, 1e-4)) / math.log(SIZES[-1] / SIZES[0])
        rate = spent / SIZES[-1] * 1e6
        if rate > SECONDS_PER_MB or (spent > LEAST_S and exponent > EXPONENT):
            found.append(f"{atom!r}: {rate:.2f} s per MB, exponent {exponent:.2f}")
    return found


@pytest.mark.skipif(
    not LONG, reason="the long lane tries every pattern by itself; the functions that use them are below"
)
@pytest.mark.parametrize("name", [name for name, _ in patterns()])
def test_no_pattern_backtracks_over_more_than_a_run(name: str) -> None:
    pattern = dict(patterns())[name]
    if name in ANCHORED:
        assert slow(lambda text: (pattern.match(text), pattern.fullmatch(text[:128]))) == []
    else:
        assert slow(lambda text: [match.end() for match in pattern.finditer(text)]) == []


@pytest.mark.parametrize("name", WORK)
def test_no_finder_takes_more_than_linear_time(name: str) -> None:
    WORK[name]("Das ist ein deutscher Satz, der ein Modell lädt.")
    # All of it together is tried with some strings only: each part had them all.
    assert slow(WORK[name], ATOMS[::5] if name == "clean" and not LONG else ATOMS) == []


def test_every_pattern_of_the_room_is_tried() -> None:
    assert len(dict(patterns())) > 50
