"""Text that was decoded by the wrong table is repaired; text that is right is not touched."""

from __future__ import annotations

import pytest

from genaiops.cleansing.encoding import repairs
from genaiops.cleansing.rewriting import Rewritten


def repaired(text: str) -> str:
    return Rewritten(text).replace(repairs(text)).text


SENTENCES = (
    "Das Gerät wird über die Öffnung gefüllt – für höchstens 30 Grad.",
    "L'été dernier, à l'hôtel « Économie », ça coûtait 12 € la nuit.",
    "El señor Muñoz añadió: “mañana será otro día”.",
    "Zażółć gęślą jaźń.",
    "Привет, как дела?",
)


@pytest.mark.parametrize("sentence", SENTENCES[:3])
def test_utf_8_read_as_windows_1252_is_repaired(sentence: str) -> None:
    broken = sentence.encode().decode("cp1252", "replace")
    if "\ufffd" not in broken:
        assert repaired(f"Title\n\n{broken}\n\nplain end") == f"Title\n\n{sentence}\n\nplain end"
    latin = sentence.encode().decode("latin-1")
    assert repaired(f"Title\n\n{latin}\n") == f"Title\n\n{sentence}\n"


def test_edits_are_as_small_as_the_words_that_were_wrong() -> None:
    text = "It is a cafÃ© and a rÃ©sumÃ©."
    rewritten = Rewritten(text).replace(repairs(text))
    assert rewritten.text == "It is a café and a résumé."
    start = rewritten.text.index("and")
    assert rewritten.original_span(start, start + 3) == (text.index("and"), text.index("and") + 3)
    assert all(edit.original_end - edit.original_start <= 2 for edit in rewritten.edits)


@pytest.mark.parametrize(
    "text",
    [
        *SENTENCES,
        "| name | price |\n|---|---|\n| café | 12 € |\n| naïve | – |",
        "```python\nprint('cafÃ©')  # how UTF-8 looks when it is read as Latin-1\n```",
        "Text that was decoded wrongly shows as `Ã©` in place of é.",
        "São Paulo, ÃO, Ângela; 50 °C ± 2; 5 µm; § 12; x² ≥ ½",
        "中文 日本語 한국어 العربية עברית ไทย ελληνικά",
        "box ┌──┐ │ok│ └──┘ arrows → ⇒ emoji 😀 “quotes” … ‘single’ ™ ©",
    ],
)
def test_good_text_is_left_as_it_is(text: str) -> None:
    assert repaired(text) == text


def test_a_file_that_is_wrong_everywhere_is_repaired_in_its_code_too() -> None:
    text = "FÃ¼r alle\n\n```\nname = 'MÃ¼ller'\n```\n"
    assert repaired(text) == "Für alle\n\n```\nname = 'Müller'\n```\n"
