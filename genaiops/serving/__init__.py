"""The current release answers over HTTP, in OpenAI's shape.

Importing this package loads no web framework; naming `create_app` or `serve` does.
"""

from typing import TYPE_CHECKING, Any

from genaiops.serving.hot_swap import ReleaseWatcher
from genaiops.serving.keys import KeyInfo, KeyStore, check_bind
from genaiops.serving.servable import Models, Servable, Snapshot
from genaiops.serving.settings import ServiceSettings

if TYPE_CHECKING:
    from genaiops.serving.app import create_app
    from genaiops.serving.server import serve

__all__ = [
    "KeyInfo",
    "KeyStore",
    "Models",
    "ReleaseWatcher",
    "Servable",
    "ServiceSettings",
    "Snapshot",
    "check_bind",
    "create_app",
    "serve",
]


def __getattr__(name: str) -> Any:
    if name == "create_app":
        from genaiops.serving.app import create_app

        return create_app
    if name == "serve":
        from genaiops.serving.server import serve

        return serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
