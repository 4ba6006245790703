"""What a scripted model may answer, and what it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer to a chat completion. Times are seconds.

    `chunks` are the pieces of a streamed answer (default: the text, word by word); `text` follows from them.
    `usage` is (input, output) tokens, "counted" in words, or None: the endpoint reports none.
    The faults:
    `status` above 299 answers with an error in OpenAI's shape, `retry_after` with that header;
    `body` sends these bytes in place of an answer, as they are;
    `delay_s` waits before the first byte, `interval_s` before each further piece of a stream;
    `stall_after` hangs after that many pieces until the client leaves;
    `drop_after` breaks the connection after that many pieces, `drop_connection` before any byte;
    `end=False` ends a stream cleanly without finish reason and `[DONE]`;
    `endless` repeats the pieces of a stream, or of a whole answer, for ever.
    """

    text: str = ""
    status: int = 200
    retry_after: float | str | None = None
    body: bytes | None = None
    chunks: Sequence[str] = ()
    delay_s: float = 0.0
    interval_s: float = 0.0
    stall_after: int | None = None
    drop_after: int | None = None
    drop_connection: bool = False
    end: bool = True
    endless: bool = False
    usage: tuple[int, int] | Literal["counted"] | None = "counted"
    finish_reason: str = "stop"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def pieces(self) -> tuple[str, ...]:
        if self.chunks:
            return tuple(self.chunks)
        words = self.text.split(" ")
        return tuple(word if n == 0 else f" {word}" for n, word in enumerate(words)) if self.text else ()

    @property
    def whole_text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class ScriptedRequest:
    """One request as it came in. `headers` have lower-case names; `body` is its JSON, {} where there was none."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    at: float  # time.monotonic()
