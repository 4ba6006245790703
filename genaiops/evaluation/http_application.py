"""An application behind an HTTP address, asked like a callable: one POST for each question."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from genaiops.endpoints import (
    host_of,
    is_loopback,
    names_secret,
    one_line,
    retry_after,
    secrets_in,
    tries,
    without_credentials,
)
from genaiops.errors import ConfigurationError, ModelError, ModelTimeout
from genaiops.evaluation.asking import as_answer
from genaiops.evaluation.reply_paths import DEFAULT_PATHS, NUMBERS, compiled_paths, kind_of, places_in
from genaiops.evaluation.row_values import texts
from genaiops.evaluation.rows import number_problems
from genaiops.records import Answer, Query, Usage

if TYPE_CHECKING:
    import httpx2

DEFAULT_BODY = {"question": "{question}"}
MOST_BYTES = 20_000_000
_TOO_MANY, _SERVER_ERRORS = 429, 500
_SECRET = 4  # characters; what is shorter is no secret, and to mask it would garble every message
_KEY = 8  # characters; what is shorter may stand in an answer for a reason of its own
_SESSION = re.compile(r"sess|jwt|[cx]srf|auth(?!or)|sid(?![a-z])", re.IGNORECASE)  # names of a cookie's parts
_PUBLIC = re.compile(r"accept(-\w+)*|content-type|user-agent|cache-control|origin|referer", re.IGNORECASE)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Manner:
    """How an application is asked. Times are seconds: `timeout_s` for one attempt, `total_s` for all (None: three).

    `body` is the JSON to post; `{question}` and `{id}` inside its texts stand for those of the query. `headers` may
    name variables of the environment as `${NAME}`. No error shows what these or headers hold, and no answer repeats
    what a header, or a part of a cookie, of a secret's name holds.
    """

    body: Any = field(default_factory=lambda: DEFAULT_BODY)
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 60.0
    attempts: int = 4
    first_wait_s: float = 0.5
    total_s: float | None = None


class HttpApplication:
    """Asks `url`; `paths` maps reply_paths.PATHS to JMESPath expressions over the JSON that comes back.

    A connection that breaks, a timeout, 429 and 5xx are tried again, after `Retry-After`;
    whatever stays wrong is a ModelError, so the question has no answer and nothing is
    graded. Raises ConfigurationError for an address, path, header or body of another kind.
    """

    def __init__(self, url: str, paths: Mapping[str, str] | None = None, *, manner: Manner | None = None) -> None:
        try:
            host_of(url)
        except ValueError as error:
            raise ConfigurationError(str(error), where="--url") from None
        self.url = url
        self.shown = without_credentials(url)
        self._manner = manner or Manner()
        if not 0 < self._manner.timeout_s <= 3600:
            raise ConfigurationError(f"timeout must be above 0 and at most 3600 s, got {self._manner.timeout_s:g}")
        try:
            written = json.dumps(self._manner.body)
            _filled(self._manner.body, Query(""))
        except RecursionError:
            raise ConfigurationError("the body is nested too deeply") from None
        if "{question}" not in written:
            raise ConfigurationError("the body has no {question}", remedy='for example {"question": "{question}"}')
        self._paths = compiled_paths(paths or DEFAULT_PATHS)
        self._optional = set() if paths else {"contexts"}
        self._headers = {name: _with_variables(name, value) for name, value in self._manner.headers.items()}
        self._secrets = _secrets(self._manner.headers, self._headers, url)
        self._barred = _barred(self._headers)
        self._client: httpx2.Client | None = None
        self.without_contexts = ""  # what a reply that had none held: names only

    def __call__(self, query: Query) -> Answer:
        """The answer. `seconds["total"]` is what the attempt that succeeded took, waits and failures left out."""
        total_s = self._manner.total_s or 3 * self._manner.timeout_s
        deadline = time.monotonic() + total_s
        data: Any = None
        took = 0.0
        for attempt in tries(
            total_s,
            attempts=self._manner.attempts,
            first_wait_s=self._manner.first_wait_s,
            max_wait_s=20.0,
            given_up=lambda: False,
        ):
            with attempt:
                started = time.perf_counter()
                data = self._posted(query, min(self._manner.timeout_s, deadline - time.monotonic()))
                took = time.perf_counter() - started
        return self._answer(data, query, took)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _posted(self, query: Query, limit_s: float) -> Any:
        import httpx2

        if self._client is None:
            # A proxy of the environment has no business on loopback.
            self._client = httpx2.Client(follow_redirects=False, trust_env=not is_loopback(self.url))
        end = time.monotonic() + limit_s
        content = bytearray()
        body, timeout = _filled(self._manner.body, query), max(limit_s, 0.001)
        try:
            with self._client.stream("POST", self.url, json=body, headers=self._headers, timeout=timeout) as response:
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > MOST_BYTES:
                        raise self._error(f"sent more than {MOST_BYTES:,} bytes", retryable=False)
                    if time.monotonic() > end:
                        raise ModelTimeout(f"took more than {limit_s:.3g} s", where=self.shown, remedy=_SLOWER)
                status, headers = response.status_code, response.headers
        except httpx2.TimeoutException:
            raise ModelTimeout(f"took more than {limit_s:.3g} s", where=self.shown, remedy=_SLOWER) from None
        except httpx2.HTTPError as error:
            raise self._error(f"cannot be asked: {one_line(self._masked(str(error)))}", retryable=True) from None
        if not httpx2.codes.is_success(status):
            raise self._refused(status, headers, bytes(content))
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            raise self._error(f"answered no JSON: {self._start(bytes(content))}") from None

    def _refused(self, status: int, headers: Mapping[str, str], content: bytes) -> ModelError:
        passing = status == _TOO_MANY or status >= _SERVER_ERRORS
        made = self._error(f"answered {status}: {self._start(content)}", retryable=passing)
        made.status = status
        made.retry_after_s = retry_after(headers) if passing else None
        return made

    def _answer(self, data: Any, query: Query, took: float) -> Answer:
        found = {name: self._found(name, data) for name in self._paths}
        text, contexts = found["answer"], found.get("contexts")
        if not isinstance(text, str):
            raise self._misplaced("answer", f"finds {_other_than('a text', text)} in", data)
        if contexts is None and "contexts" in self._paths and "contexts" not in self._optional:
            raise self._misplaced("contexts", "finds nothing in", data)
        if isinstance(contexts, Mapping):
            raise self._misplaced("contexts", f"finds {_other_than('a list', contexts)} in", data)
        try:
            given = [self._context(item) for item in ([contexts] if isinstance(contexts, str) else contexts or ())]
        except (ValueError, TypeError) as error:
            raise self._error(f"contexts {one_line(error)}", remedy=_where_it_stands("contexts")) from None
        if not given:
            self.without_contexts = self.without_contexts or places_in(data, masked=self._masked)
        answer = as_answer({"answer": self._barred.sub("***", text), "contexts": given}, query, took)
        told = {name: found[name] for name in NUMBERS if name in found}
        for name, value in told.items():
            if value is None:
                raise self._misplaced(name, "finds nothing in", data)
        if wrong := number_problems(told):
            raise self._error("; ".join(wrong), remedy=_where_it_stands(wrong[0].partition(" ")[0]))
        cost = told.pop("cost_usd", None)
        unknown = tuple(name for name in ("input_tokens", "output_tokens") if name not in told)
        usage = Usage(int(told.get("input_tokens", 0)), int(told.get("output_tokens", 0)), unknown=unknown)
        return replace(answer, usage=usage, cost_usd=None if cost is None else float(cost))

    def _found(self, name: str, data: Any) -> Any:
        from jmespath.exceptions import JMESPathError  # type: ignore[import-untyped]

        try:
            return self._paths[name].search(data)
        except (JMESPathError, RecursionError) as error:
            raise self._misplaced(name, "does not fit", data, f": {one_line(self._masked(str(error)))}") from None

    def _context(self, item: Any) -> str | dict[str, str]:
        """A text, with its document where the application names it."""
        (text,) = texts([item])
        text = self._barred.sub("***", text)
        document = item.get("document") if isinstance(item, Mapping) else None
        return {"document": self._barred.sub("***", document), "text": text} if isinstance(document, str) else text

    def _misplaced(self, name: str, found: str, data: Any, why: str = "") -> ModelError:
        """An expression that found something else than it was to find. Of the reply only names are told."""
        expression = one_line(self._paths[name].expression)
        held = places_in(data, masked=self._masked)
        what = f"the JMESPath of {name} ({expression}) {found} the reply, {held}{why}"
        return self._error(what, remedy=_where_it_stands(name))

    def _start(self, content: bytes) -> str:
        return one_line(self._masked(content.decode(errors="replace"))[:300])

    def _masked(self, text: str) -> str:
        """The text without what must not be shown: before it is cut, or half a key would stay."""
        return _without(self._secrets, text)

    def _error(self, what: str, *, retryable: bool = False, remedy: str = "read the application's log") -> ModelError:
        return ModelError(self._masked(what), where=self.shown, remedy=remedy, retryable=retryable)


def _other_than(wanted: str, value: Any) -> str:
    return "nothing" if value is None else f"{kind_of(value)}, not {wanted},"


def _where_it_stands(name: str) -> str:
    return f"say where it stands: --jmespath '{name}: PATH'"


_SLOWER = "raise --timeout, or ask a faster application"


def _filled(body: Any, query: Query) -> Any:
    """The body with the query's question and id in its texts; their words are never read as JSON or as names."""
    if isinstance(body, str):
        return re.sub(r"\{(question|id)\}", lambda m: query.text if m[1] == "question" else query.id, body)
    if isinstance(body, Mapping):
        return {name: _filled(item, query) for name, item in body.items()}
    return [_filled(item, query) for item in body] if isinstance(body, list) else body


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _with_variables(name: str, value: str) -> str:
    def of(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ConfigurationError(
                f"header {name!r} needs the environment variable {match[1]}", remedy=f"export {match[1]}=…"
            )
        return os.environ[match[1]]

    filled = _VARIABLE.sub(of, value).strip()
    if any(character in filled for character in "\r\n\0"):
        raise ConfigurationError(f"header {name!r} holds a line break")
    if not filled.isascii() or not filled.replace("\t", " ").isprintable():
        raise ConfigurationError(f"header {name!r} holds a character that no header can: printable ASCII is needed")
    return filled


def _secrets(written: Mapping[str, str], headers: Mapping[str, str], url: str) -> tuple[str, ...]:
    """What no message may show: what variables and headers hold, and the secrets of the address; the longest first."""
    variables = [os.environ[name].strip() for header in written.values() for name in _VARIABLE.findall(header)]
    typed = [value for name, value in headers.items() if not _PUBLIC.fullmatch(name)]
    return _forms((*variables, *typed, *secrets_in(url)), _SECRET)


def _barred(headers: Mapping[str, str]) -> re.Pattern[str]:
    """What no answer may repeat: keys, which no answer holds by chance.

    Answers are measured without them, so a key that is an ordinary word or number is one only where it stands alone.
    """
    held = [value for name, value in headers.items() if names_secret(name) and name.lower() != "cookie"]
    held += [value for name, cookie in headers.items() if name.lower() == "cookie" for value in _keys_of(cookie)]
    alone = (
        rf"(?<![^\W_]){form}(?![^\W_])" if form.isalpha() or form.isdigit() else re.escape(form)
        for form in _forms(held, _KEY)
    )
    return re.compile("|".join(alone) or "(?!)")


def _keys_of(cookie: str) -> Iterator[str]:
    """What those parts of a cookie hold whose names are of secrets or sessions; others are preferences."""
    for part in cookie.split(";"):
        name, _, value = part.strip().partition("=")
        if _SESSION.search(name) or names_secret(re.sub("cookie", "", name, flags=re.IGNORECASE)):
            yield value.strip().strip('"')


def _forms(values: Iterable[str], shortest: int) -> tuple[str, ...]:
    """Each value whole, its last word, what it sets (as cookies do), and each as JSON writes it; longest first."""
    words: set[str] = set()
    for value in values:
        parts = value.split()
        words |= {value, *parts[-1:], *(part.partition("=")[2].rstrip(";,") for part in parts)}
    written = {form for word in words for form in (word, json.dumps(word)[1:-1]) if len(word) >= shortest}
    return tuple(sorted(written, key=lambda word: (-len(word), word)))
