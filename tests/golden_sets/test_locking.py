"""The lock file sees words that change around a quote, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from genaiops.golden_sets import GoldenSet
from genaiops.golden_sets.linting import Ground
from genaiops.golden_sets.linting.evidence import stale
from genaiops.golden_sets.pins import Pins, pinned, read_pins, write_pins
from genaiops.golden_sets.sections import around
from genaiops.records import Case, Evidence

QUOTE = "The fee is ten euros."
WORDS = " ".join(f"word{number}" for number in range(200))
CASE = Case("fee", "What is the fee?", evidence=(Evidence("a.md", QUOTE),))


def test_white_space_alone_is_no_change_however_much_there_is() -> None:
    before = around(f"# Fees\n\n{WORDS} {QUOTE} {WORDS}", QUOTE)
    wide = WORDS.replace(" ", " \n  ")
    assert around(f"# Fees\n\n{wide}\n\n{QUOTE}\n{wide}", QUOTE) == before
    assert around(f"# Fees\n\n{WORDS} {QUOTE} never {WORDS}", QUOTE) != before


def test_a_comment_in_a_code_block_ends_no_section_and_a_heading_does() -> None:
    text = f"# Fees\n\nIt {{}} holds.\n\n```sh\n# pay\n```\n\n{QUOTE}\n\nOther\n=====\n\nIt {{}} rains.\n"
    assert around(text.format("now", "now"), QUOTE) != around(text.format("never", "now"), QUOTE)
    assert around(text.format("now", "now"), QUOTE) == around(text.format("now", "never"), QUOTE)


def test_a_lock_file_of_version_one_is_read_and_blames_nothing(tmp_path: Path) -> None:
    path, golden, texts = tmp_path / "golden.lock.json", GoldenSet("g", (CASE,)), {"a.md": f"New. {QUOTE}"}
    write_pins(path, Pins({"fee": pinned(CASE, {"a.md": f"Old. {QUOTE}"}, by="ada")}))
    assert [problem.code for problem in stale(Ground(golden, texts, pins=read_pins(path)))] == ["stale"]
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": 1}))
    pins = read_pins(path)
    assert pins.cases["fee"].accepted_by == "ada"
    assert list(stale(Ground(golden, texts, pins=pins))) == []
