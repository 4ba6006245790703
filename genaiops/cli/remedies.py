"""Remedies as they can be pasted: what rooms call FLOW, because they know no command line, is named."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

_COMMAND = re.compile(r"(genaiops (?:golden )?[a-z]+ )FLOW\b")


def of_flow(text: str, flow: str | Path | None, settings: Sequence[str] | None = None) -> str:
    """`text` with the commands in it about `flow`, as it was given, and with the --set options it was given.

    Only a folder is named, and only where FLOW stands in a command of ours; the rest of the text stays.
    """
    if not flow or not Path(flow).exists():
        return text
    folder = shlex.quote(str(flow))
    options = "".join(f" --set {shlex.quote(option)}" for option in settings or ())
    return _COMMAND.sub(lambda found: f"{found[1]}{folder}{options}", text)
