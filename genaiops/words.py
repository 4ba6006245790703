"""Words as full-text search, the offline generator and the judges count them."""

from __future__ import annotations

import re
import threading
from functools import lru_cache

_WORD = re.compile(r"\w+(?:['’]\w+)?")
# Words that say how a sentence is built and not what it is about.
_STOPWORDS = """
a about above after again all also am an and any are aren't as at be because been before being below between
both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each few for from
further had hadn't has hasn't have haven't having he her here hers herself him himself his how i if in into is
isn't it it's its itself just let's me more most mustn't my myself no nor not of off on once only or other ought
our ours ourselves out over own same shan't she should shouldn't so some such than that that's the their theirs
them themselves then there there's these they they're this those through to too under until up very was wasn't
we we're were weren't what what's when where which while who whom whose why will with won't would wouldn't you
you're your yours yourself yourselves
"""
STOPWORDS = frozenset(_STOPWORDS.split())
_local = threading.local()


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The English stem (Snowball) of a lower-case word."""
    # A stemmer holds state between calls, so each thread has its own.
    if not hasattr(_local, "stemmer"):
        import Stemmer

        _local.stemmer = Stemmer.Stemmer("english")
    result: str = _local.stemmer.stemWord(word)
    return result


def words(text: str) -> list[str]:
    """Lower-case words in order, stop words included."""
    return _WORD.findall(text.lower().replace("’", "'"))


def content_words(text: str) -> list[str]:
    """Stems of the words that carry meaning, in order, repeats kept."""
    return [stem(word.removesuffix("'s")) for word in words(text) if word not in STOPWORDS]
