"""A flow's settings that only other rooms can check, looked at before anything is built, asked or spent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genaiops.errors import ConfigurationError
from genaiops.evaluation.measures import check_measures
from genaiops.flow import Flow
from genaiops.flow.settings import FLOW_FILE, origin_of


def load_checked(folder: Path, overrides: Sequence[str] = ()) -> Flow:
    """`Flow.load`, and ConfigurationError with the place where `evaluation.measures` names what is no measure."""
    flow = Flow.load(folder, overrides=overrides)
    try:
        check_measures(flow.settings.evaluation.measures)
    except ConfigurationError as error:
        where = origin_of(("evaluation", "measures"), flow.origins) or str(flow.folder / FLOW_FILE)
        raise ConfigurationError(f"evaluation.measures: {error.what}", where=where, remedy=error.remedy) from None
    return flow
