"""An end to calls of MLflow that nobody waits for any more.

MLflow (3.17.2, `mlflow.genai.judges.adapters.utils.send_chat_request`) tries a judge eleven times with pauses of 181 s
in all, and reads neither number from an argument of its scorers nor from the environment. So its pause between two
tries is replaced, for our threads alone, by one that ends when the call was given up; no try follows it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from genaiops.evaluation.llm_judges.calling import Unjudged

_PAUSE = "_sleep_with_backoff"
_LONGEST_S = 30
_CALL = threading.local()
_ONCE = threading.Lock()


@contextmanager
def ending_with(given_up: threading.Event) -> Iterator[None]:
    """Calls of MLflow in this thread and block make no further try once `given_up` is set."""
    _install()
    _CALL.given_up = given_up
    try:
        yield
    finally:
        _CALL.given_up = None


def _install() -> None:
    """Replace MLflow's pause, once. A version that has none by this name keeps all its tries."""
    try:
        from mlflow.genai.judges.adapters import utils
    except ImportError:
        return
    with _ONCE:
        pause = getattr(utils, _PAUSE, None)
        if pause is not None and not getattr(pause, "can_end", False):
            setattr(utils, _PAUSE, _ending(pause))


def _ending(pause: Callable[[int], None]) -> Callable[[int], None]:
    def pause_or_end(attempt: int) -> None:
        given_up: threading.Event | None = getattr(_CALL, "given_up", None)
        if given_up is None:  # MLflow at work for somebody else
            pause(attempt)
        elif given_up.wait(min(2**attempt, _LONGEST_S)):
            raise Unjudged("given up")

    made: Any = pause_or_end
    made.can_end = True
    return pause_or_end
