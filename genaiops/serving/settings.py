"""The limits of the service."""

from __future__ import annotations

from pydantic import Field

from genaiops.configuration import Settings


class ServiceSettings(Settings):
    """Bounds on what one caller may send and on what runs at once. Times are seconds."""

    max_body_bytes: int = Field(default=1_000_000, ge=1)
    max_question_characters: int = Field(default=10_000, ge=1)  # what a flow reads at most
    body_s: float = Field(default=15.0, gt=0)  # for a body to arrive
    concurrent: int = Field(default=16, ge=1, le=1024)  # generations at once
    queue: int = Field(default=64, ge=0)  # requests that wait for a place
    wait_s: float = Field(default=10.0, gt=0)  # how long they wait
    grace_s: int = Field(default=25, ge=0)  # for live answers after SIGTERM
    allowed_hosts: tuple[str, ...] | None = None  # names a Host header may have; None: any
