"""What every configuration file has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

SECRET = "secret"  # type of the errors that `holds_secret` makes


class Settings(BaseModel):
    """What a user may write in a configuration file: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def holds_secret(said: str) -> PydanticCustomError:
    """The error of a validator that refuses a secret; whoever tells users of it does not show what was given."""
    return PydanticCustomError(SECRET, "{said}", {"said": said})
