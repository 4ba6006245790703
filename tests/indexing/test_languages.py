"""Texts are stemmed in their own language, and an English corpus is counted as it always was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from genaiops.indexing import IndexSettings
from genaiops.indexing.full_text import FullText
from genaiops.indexing.languages import (
    LANGUAGES,
    STEMMERS,
    chunk_language,
    language_named,
    line_language,
    query_words,
    stop_words,
    words_in,
)
from genaiops.records import Chunk, canonical_json
from genaiops.words import content_words
from tests.indexing.full_texts import write_full_text


def index_of(folder: Path, texts: list[str], languages: list[str] | None = None) -> FullText:
    write_full_text(texts, folder / "full_text", languages)
    return FullText(folder / "full_text")


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        (None, "english"), ("", "english"), (7, "english"), ("en-GB", "english"), ("de", "german"), ("DE_at", "german"),
        ("German", "german"), ("nb", "norwegian"), ("zh", "plain"), ("tlh", "plain"),
    ],
)  # fmt: skip
def test_a_tag_names_an_analysis(tag: object, name: str) -> None:
    assert language_named(tag) == chunk_language({"language": tag}, "auto") == name
    assert chunk_language({"language": tag}, "french") == "french"


@pytest.mark.parametrize("language", sorted(set(STEMMERS.values())))
def test_every_language_that_is_offered_has_its_stemmer(language: str) -> None:
    assert words_in("kettle 123", language)


@pytest.mark.parametrize(
    ("language", "text", "query"),
    [
        ("german", "Die Häuser stehen am Wasser", "Haus am Wasser"),
        ("french", "Les chevaux étaient fatigués", "cheval fatigué"),
        ("spanish", "Las garantías cubren los interruptores", "garantía interruptor"),
        ("russian", "Гарантия покрывает выключатели", "выключатель гарантии"),
    ],
)
def test_other_forms_of_a_word_are_found_in_its_language(tmp_path: Path, language: str, text: str, query: str) -> None:
    search = index_of(tmp_path, [text, "nothing alike"], [language, "english"])
    assert search.search(query, 1)[0][0] == 0
    assert set(words_in(query, language)) & set(words_in(text, language))


def test_words_that_hold_a_sentence_together_are_left_out_in_each_language() -> None:
    assert words_in("die und der Kessel", "german") == words_in("Kessel", "german")
    assert words_in("le et la bouilloire", "french") == words_in("bouilloire", "french")
    assert stop_words("finnish") == frozenset()


def test_an_english_corpus_is_counted_and_written_as_before(tmp_path: Path) -> None:
    texts = ["The kettle boils water.", "Kettles boil quickly, don't they?"]
    write_full_text(texts, tmp_path / "a")
    write_full_text(texts, tmp_path / "b", ["english", "english"])
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    assert not (tmp_path / "a" / "languages.json").exists()
    assert words_in(texts[1], "english") == content_words(texts[1])
    assert query_words(texts[1], ["english"]) == [(word,) for word in content_words(texts[1])]


def test_one_text_in_another_language_does_not_come_before_all_others(tmp_path: Path) -> None:
    """A page of code that was taken for German has other stems, which are rare, and weigh no more for that."""
    texts = [f"the {'clusters scale' if n % 3 else 'kettles boil'} in region {n}" for n in range(60)]
    texts.append("clusters clusters clusters scale region 7")
    alone = index_of(tmp_path, texts)
    (tmp_path / "mixed").mkdir()
    mixed = index_of(tmp_path / "mixed", texts, ["english"] * 59 + ["german", "english"])  # 59 has clusters
    expected, found = (dict(index.search("clusters", 61)) for index in (alone, mixed))
    assert found.keys() == expected.keys()
    assert max(found, key=lambda p: found[p]) == max(expected, key=lambda p: expected[p]) == 60
    assert found[59] == pytest.approx(expected[59], rel=0.1)


def test_scripts_without_spaces_are_found_by_pairs_of_characters(tmp_path: Path) -> None:
    search = index_of(tmp_path, ["水壶可以烧水。保修期两年。", "Tea", "保险箱"], ["plain", "english", "plain"])
    assert [p for p, _ in search.search("保修期", 5)] == [0, 2][: len(search.search("保修期", 5))]
    assert words_in("kettle水壶可", "plain") == ["kettle", "水壶", "壶可"]


@pytest.mark.parametrize("text", ["plain", '"language":"fr"', ',"metadata":{"language":"fr"},"settings":"'])
def test_the_language_of_a_chunk_is_told_from_its_line(text: str) -> None:
    for metadata in ({"language": "de"}, {}, {"source": {"language": "fr"}}, {"language": 3}, {"title": text}):
        line = canonical_json(Chunk(text, 0, 1, text, "s", text, metadata)).encode()
        for setting in ("auto", "spanish"):
            assert line_language(line, setting) == chunk_language(metadata, setting)


@pytest.mark.parametrize("told", [[], ["klingon"], "german", {"german": 1}])
def test_languages_that_nobody_knows_are_an_error(tmp_path: Path, told: object) -> None:
    write_full_text(["Haus"], tmp_path / "f", ["german"])
    (tmp_path / "f" / "languages.json").write_text(json.dumps(told))
    with pytest.raises((ValueError, TypeError)):
        FullText(tmp_path / "f")


def test_the_setting_takes_a_name_or_a_code_and_refuses_others() -> None:
    assert [IndexSettings(language=name).language for name in ("auto", "de", "German")] == ["auto", "german", "german"]
    assert "klingon" not in LANGUAGES
    with pytest.raises(ValidationError, match="'klingon' is no language that can be stemmed; there is auto, arabic"):
        IndexSettings(language="klingon")
