"""Words of a text in its own language, as full-text search counts them. English is `genaiops.words`, unchanged."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from genaiops.words import STOPWORDS, content_words, words

ENGLISH = "english"
PLAIN = "plain"  # a language without a stemmer: its words as they stand
# ISO 639-1 codes of the languages that Snowball's stemmers know.
STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": ENGLISH,
    "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "nb": "norwegian", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
    "yi": "yiddish",
}  # fmt: skip
LANGUAGES = frozenset(STEMMERS.values()) | {PLAIN}
_STOP_LISTS = {  # those of bm25s
    "german": "GERMAN", "dutch": "DUTCH", "french": "FRENCH", "spanish": "SPANISH", "portuguese": "PORTUGUESE",
    "italian": "ITALIAN", "russian": "RUSSIAN", "swedish": "SWEDISH", "norwegian": "NORWEGIAN", "turkish": "TURKISH",
    "danish": "DANISH",
}  # fmt: skip
# Scripts that put no space between words: a run becomes its overlapping pairs of characters.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+")
_local = threading.local()


def language_named(tag: object) -> str:
    """The analysis for a language tag (`de`, `de-AT`, `german`): english without one, plain for one not known."""
    if not isinstance(tag, str) or not tag.strip():
        return ENGLISH
    name = tag.strip().lower()
    return name if name in LANGUAGES else STEMMERS.get(re.split("[-_]", name)[0], PLAIN)


def chunk_language(metadata: Mapping[str, Any], setting: str) -> str:
    """The analysis of a chunk under `index.language`: what is set, or for `auto` what its metadata says."""
    return language_named(metadata.get("language") if setting == "auto" else setting)


def words_in(text: str, language: str) -> list[str]:
    """Stems of the words that carry meaning, in order, repeats kept; `language` is one of LANGUAGES."""
    if language == ENGLISH:
        return content_words(text)
    stops = stop_words(language)
    return [_stem(word, language) for word in _split(text) if word not in stops]


def query_words(text: str, languages: Sequence[str]) -> list[tuple[str, ...]]:
    """For each word of a query, in order, the stems under which texts in these languages may have it.

    A word that any of the languages leaves out is left out: what means nothing in one of them would be rare, and so
    weigh most, in the texts of another.
    """
    if tuple(languages) == (ENGLISH,):
        return [(word,) for word in content_words(text)]
    stops = frozenset().union(*(stop_words(language) for language in languages))
    return [
        tuple(dict.fromkeys(stem for language in languages for stem in words_in(word, language)))
        for word in _split(text)
        if word not in stops
    ]


def line_language(line: bytes, setting: str) -> str:
    """`chunk_language` of a chunk as a canonical line; its texts are not parsed."""
    start, end = line.find(b',"metadata":{'), line.rfind(b',"settings":"')
    if setting != "auto" or line.find(b'"language":', start, end) < 0:
        return chunk_language({}, setting)
    return chunk_language(json.loads(line[start + len(b',"metadata":') : end]), setting)


@cache
def stop_words(language: str) -> frozenset[str]:
    """Words of this language that only hold a sentence together; none for languages without a list."""
    if language == ENGLISH:
        return STOPWORDS
    if language not in _STOP_LISTS:
        return frozenset()
    import bm25s.stopwords

    return frozenset(getattr(bm25s.stopwords, f"STOPWORDS_{_STOP_LISTS[language]}"))


def _split(text: str) -> list[str]:
    found: list[str] = []
    for word in words(text):
        if _UNSPACED.search(word) is None:
            found.append(word)
            continue
        at = 0
        for run in _UNSPACED.finditer(word):
            found += [word[at : run.start()]] if run.start() > at else []
            found += [run[0][n : n + 2] for n in range(max(1, len(run[0]) - 1))]
            at = run.end()
        found += [word[at:]] if at < len(word) else []
    return found


@lru_cache(maxsize=100_000)
def _stem(word: str, language: str) -> str:
    if language == PLAIN:
        return word
    # A stemmer holds state between calls, so each thread has its own.
    stemmers: dict[str, Any] = _local.__dict__.setdefault("stemmers", {})
    if language not in stemmers:
        import Stemmer

        stemmers[language] = Stemmer.Stemmer(language)
    result: str = stemmers[language].stemWord(word)
    return result
