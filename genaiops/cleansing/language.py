"""In which language a text is written: a rule for unmistakable English, py3langid's model for all others."""

from __future__ import annotations

import re
import threading
from typing import Any

from genaiops.errors import StorageError

SAMPLE = 2_000  # characters that are looked at
_LEAST_LETTERS = 12
_SURE = 0.5  # least probability
_FEW_WORDS, _SURE_OF_FEW = 6, 0.65  # names and figures of a small table look like any language

_CODE = re.compile(r"^(```|~~~).*?^\1|`[^`\n]{1,200}+`|https?://\S++|<[^<>\n]{1,300}+>", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+")
# Words that hardly any other language has.
_ENGLISH = frozenset("the and that with this from which should when your what where have been their would".split())
_ENGLISH_SHARE, _LEAST_WORDS = 0.06, 20

_lock = threading.Lock()
_loaded: list[Any] = []


def language_of(text: str) -> str:
    """ISO 639-1 code, "" where the text is too short or too mixed to tell. The same text always gives the same."""
    sample = _CODE.sub(" ", text[: 2 * SAMPLE])[:SAMPLE]
    words = _WORD.findall(sample.lower())
    if sum(map(len, words)) < _LEAST_LETTERS and not any(word > "\u0e00" for word in words):
        return ""
    english = sum(word in _ENGLISH for word in words)
    if len(words) >= _LEAST_WORDS and english >= _ENGLISH_SHARE * len(words):
        return "en"
    language, probability = _identifier().classify(" ".join(words))
    return str(language) if probability >= (_SURE if len(words) > _FEW_WORDS else _SURE_OF_FEW) else ""


def _identifier() -> Any:
    """The model, loaded at the first text that needs it."""
    with _lock:
        if not _loaded:
            from py3langid.langid import MODEL_FILE, LanguageIdentifier

            try:
                identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
            except OSError as error:  # it unpacks itself into a temporary file
                raise StorageError(
                    f"the model that tells languages cannot be loaded ({error})",
                    remedy="make room for temporary files (TMPDIR), or set cleansing: {language: false}",
                ) from None
            # Two letters are ISO 639-1; its dialects (wuu, yue) would only take votes from zh.
            identifier.set_languages([label for label in identifier.labels if len(label) == 2])
            _loaded.append(identifier)
    return _loaded[0]
