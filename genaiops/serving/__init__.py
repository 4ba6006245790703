"""The current release answers over HTTP, in OpenAI's shape.

Importing this package loads no web framework; naming `create_app` or `serve` does.
"""

from typing import TYPE_CHECKING

from genaiops.lazy import lazily
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

__getattr__, _ = lazily(__name__, {"app": "create_app", "server": "serve"})
