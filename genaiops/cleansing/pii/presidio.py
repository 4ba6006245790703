"""Names, places and what else presidio knows: an engine for those who install it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genaiops.cleansing.settings import PiiSettings
from genaiops.errors import ConfigurationError

if TYPE_CHECKING:
    from genaiops.cleansing.pii.kinds import Found

_LONGEST = 100_000  # characters; spaCy refuses texts of a million


class PresidioRecogniser:
    """Runs presidio's analyzer with a spaCy pipeline that is installed already. Nothing is downloaded."""

    def __init__(self, settings: PiiSettings) -> None:
        self._entities = list(settings.entities)
        self._language = Path(settings.model).name.partition("_")[0]
        self._analyzer = _analyzer(settings.model, self._language)

    def find(self, text: str) -> Iterator[Found]:
        from genaiops.cleansing.pii.kinds import Found

        for start in range(0, len(text), _LONGEST):
            part = text[start : start + _LONGEST]
            for result in self._analyzer.analyze(part, language=self._language, entities=self._entities):
                yield Found(start + result.start, start + result.end, result.entity_type.lower())


def _analyzer(model: str, language: str) -> Any:
    try:
        import spacy.util
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NlpEngineProvider
    except ImportError:
        raise ConfigurationError(
            "cleansing.pii.engine is presidio, which is not installed",
            remedy="pip install presidio-analyzer, or set cleansing.pii.engine: rules",
        ) from None
    # Presidio would fetch a missing pipeline by itself; nobody asked for that.
    if not (spacy.util.is_package(model) or Path(model).is_dir()):
        raise ConfigurationError(
            f"cleansing.pii.model: the spaCy pipeline {model!r} is not installed",
            remedy=f"python -m spacy download {model}",
        )
    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": language, "model_name": model}]}
    provider = NlpEngineProvider(nlp_configuration=configuration)
    return AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=[language])
