"""The text and headers of an e-mail message. Runs in a child process; attachments are named, never opened."""

from __future__ import annotations

import datetime
import email
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any, NamedTuple

_MOST_ATTACHMENTS = 1000


class Refused(Exception):
    """A message that cannot become text, with the reason for its reader."""


class MailText(NamedTuple):
    text: str
    metadata: dict[str, Any]


def read_mail(content: bytes, html: Callable[[str], str]) -> MailText:
    """The subject over the plain text of a message, or over its page as `html` makes it text."""
    message = email.message_from_bytes(content, policy=default)
    if not isinstance(message, EmailMessage) or not message.keys():
        raise Refused("not a readable message: it has no headers")
    subject = _header(message, "subject")
    metadata: dict[str, Any] = {"title": subject} if subject else {}
    for name in ("from", "to", "cc"):
        if addresses := _addresses(message, name):
            metadata[name] = addresses[0] if name == "from" else addresses
    if date := _date(message):
        metadata["date"] = date
    if names := list(_attachments(message)):
        metadata["attachments"] = names
    body = _body(message, html).strip()
    text = "\n\n".join(part for part in (subject, body) if part)
    return MailText(text + "\n" if body else "", metadata)


def _header(message: EmailMessage, name: str) -> str:
    """A header on one line; "" when it is absent or too broken to be read."""
    try:
        value = message.get(name, "")
        return _text(" ".join(str(value).split()))
    except Exception:  # the parser of structured headers fails in many ways on broken ones
        return ""


def _addresses(message: EmailMessage, name: str) -> list[str]:
    pairs = getaddresses([_header(message, name)])
    return [f"{person} <{address}>" if person else address for person, address in pairs if address]


def _date(message: EmailMessage) -> str:
    try:
        moment = parsedate_to_datetime(_header(message, "date"))
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        return moment.astimezone(datetime.UTC).isoformat(timespec="seconds")
    except (ValueError, TypeError, OverflowError):
        return ""


def _body(message: EmailMessage, html: Callable[[str], str]) -> str:
    pages = []
    for part in _parts(message):
        if part.get_content_disposition() == "attachment" or part.get_filename():
            continue
        if part.get_content_type() == "text/plain" and (text := _decoded(part)).strip():
            return text
        if part.get_content_type() == "text/html":
            pages.append(part)
    for part in pages:
        if text := html(_decoded(part)):
            return text
    return ""


def _parts(message: EmailMessage) -> Iterator[Any]:
    """The parts of a message; a message within it is an attachment, and its parts are not looked at."""
    waiting: list[Any] = [message]
    while waiting:
        part = waiting.pop()
        if part.get_content_maintype() == "multipart":
            payload = part.get_payload()
            waiting += reversed(payload) if isinstance(payload, list) else []
        else:
            yield part


def _attachments(message: EmailMessage) -> Iterator[str]:
    for number, part in enumerate(_parts(message)):
        if number > _MOST_ATTACHMENTS:
            return
        name = part.get_filename()
        if name or part.get_content_disposition() == "attachment" or part.get_content_maintype() == "message":
            yield _text(" ".join(str(name or part.get_content_type()).split()))[:255]


def _decoded(part: Any) -> str:
    payload = part.get_payload(decode=True) or b""
    charset = part.get_content_charset() or "utf-8"
    try:
        text = payload.decode(charset)
    except (LookupError, ValueError):
        text = payload.decode("utf-8", "replace")
    return _text(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))


def _text(value: str) -> str:
    """Bytes that no charset explains arrive as halves of surrogate pairs."""
    return value.encode("utf-8", "replace").decode()
