"""API keys: shown once, kept only as salted hashes, checked in constant time."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import ipaddress
import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from genaiops.configuration import Settings
from genaiops.errors import ConfigurationError, IntegrityError, NotFound
from genaiops.files import check_name, write_durably
from genaiops.records import canonical_json

_PREFIX = "genaiops"  # so that secret scanners can find a leaked key
_SECRET_BYTES = 32
_PRIVATE = 0o600


class _StoredKey(Settings):
    """256 random bits need no slow hash: nobody can try them all. The salt keeps equal hashes apart."""

    id: str = Field(pattern="^[0-9a-f]{12}$")
    name: str
    salt: str = Field(pattern="^[0-9a-f]{32}$")
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    created_at: str
    revoked_at: str = ""
    access: tuple[str, ...] = ()

    def matches(self, secret: str) -> bool:
        return hmac.compare_digest(_hash(self.salt, secret), self.sha256)


class _KeyFile(Settings):
    keys: tuple[_StoredKey, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be shown of a key. Times are ISO 8601, UTC; `revoked_at` is empty while it is good.

    `access` holds the labels of whoever asks with it: a document with labels of its own is found by one of those.
    """

    id: str
    name: str
    created_at: str
    revoked_at: str = ""
    access: tuple[str, ...] = ()


class KeyStore:
    """The keys in one JSON file (mode 0600), read again whenever the file changes.

    Once a key was created, keys are required: revoking the last one, or removing the file while the service
    runs, closes the door rather than opening it. IntegrityError when the file cannot be understood.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int, int] | None = None
        self._keys: dict[str, _StoredKey] = {}
        self._was_required = False

    def create(self, name: str, access: Sequence[str] = ()) -> str:
        """A new key called `name` that holds these access labels; this is the only time it can be seen."""
        check_name(name, "key")
        if any(not label.strip() for label in access):
            raise ConfigurationError("an access label is empty", remedy="name it: --access staff")
        key_id, secret, salt = secrets.token_hex(6), secrets.token_urlsafe(_SECRET_BYTES), secrets.token_hex(16)
        with self._locked():
            if any(key.name == name and not key.revoked_at for key in self._read().values()):
                raise ConfigurationError(
                    f"a key named {name!r} exists", where=self.path, remedy="choose another name, or revoke it first"
                )
            labels = tuple(sorted(set(access)))
            hashed = _hash(salt, secret)
            new = _StoredKey(id=key_id, name=name, salt=salt, sha256=hashed, created_at=_now(), access=labels)
            self._write([*self._keys.values(), new])
        return f"{_PREFIX}_{key_id}_{secret}"

    def list(self) -> tuple[KeyInfo, ...]:
        """Every key ever made, oldest first."""
        return tuple(_shown(key) for key in self._read().values())

    def revoke(self, name: str) -> None:
        """End the key called `name` (or with that id). A running service refuses it from the next request on."""
        with self._locked():
            keys = list(self._read().values())
            found = next((k for k in keys if name in (k.name, k.id) and not k.revoked_at), None)
            if found is None:
                raise NotFound(f"no key named {name!r} is in use", where=self.path)
            self._write([k.model_copy(update={"revoked_at": _now()}) if k is found else k for k in keys])

    @property
    def required(self) -> bool:
        """True once a key was ever made."""
        self._was_required = bool(self._read()) or self._was_required
        return self._was_required

    def owner(self, key: str) -> KeyInfo | None:
        """Whose key it is, None when it is none of ours or was revoked."""
        prefix, _, rest = key.partition("_")
        key_id, _, secret = rest.partition("_")
        stored = self._read().get(key_id) if prefix == _PREFIX else None
        if stored is None:
            _DECOY.matches(secret)  # an unknown id takes as long as a wrong secret
            return None
        return _shown(stored) if stored.matches(secret) and not stored.revoked_at else None

    def _read(self) -> dict[str, _StoredKey]:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            self._keys, self._stamp = {}, None
            return self._keys
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            try:
                content = _KeyFile.model_validate_json(self.path.read_bytes())
            except (ValidationError, OSError) as error:
                self._stamp = None
                raise IntegrityError(
                    "the key file cannot be read, so nobody is let in",
                    where=self.path,
                    remedy="restore it from a backup, or move it away and create the keys again",
                ) from error
            self._keys, self._stamp = {key.id: key for key in content.keys}, stamp
            self._was_required = self._was_required or bool(self._keys)
        return self._keys

    def _write(self, keys: Sequence[_StoredKey]) -> None:
        text = json.dumps(json.loads(canonical_json({"keys": keys})), indent=1) + "\n"
        write_durably(self.path, text, mode=_PRIVATE)
        self._stamp = None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, also among processes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, _PRIVATE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def check_bind(host: str, keys: KeyStore) -> None:
    """ConfigurationError when `host` can be reached from other machines and nobody would be asked for a key."""
    if not is_loopback(host) and not any(not key.revoked_at for key in keys.list()):
        raise ConfigurationError(
            f"{host} can be reached from other machines, and no API key exists",
            remedy="create one with: genaiops keys create NAME, or serve on 127.0.0.1",
        )


def is_loopback(host: str) -> bool:
    """True for addresses of this machine alone. An empty host means all addresses."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _shown(key: _StoredKey) -> KeyInfo:
    return KeyInfo(key.id, key.name, key.created_at, key.revoked_at, key.access)


def _hash(salt: str, secret: str) -> str:
    return hashlib.sha256(f"{salt}:{secret}".encode("utf-8", "surrogateescape")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


_DECOY = _StoredKey(id="0" * 12, name="", salt="0" * 32, sha256="0" * 64, created_at="")
