"""Who is moving things: the name that history and the audit log keep."""

from __future__ import annotations

import getpass
import os

from genaiops.errors import ConfigurationError

ACTOR_VARIABLE = "GENAIOPS_ACTOR"
LONGEST_ACTOR = 200


def check_actor(actor: str) -> str:
    """`actor` as given, else `$GENAIOPS_ACTOR`, else the user of the operating system.

    Raises ConfigurationError for a name that is blank, unprintable or longer than 200 characters.
    """
    name = actor or os.environ.get(ACTOR_VARIABLE, "") or _system_user()
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_ACTOR:
        raise ConfigurationError(
            f"actor {name[:40]!r} cannot be written to the audit log",
            where=ACTOR_VARIABLE,
            remedy=f"use 1 to {LONGEST_ACTOR} printable characters",
        )
    return name


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return f"uid {os.getuid()}"
