"""Where the work of a build is done: in this process, or by the workers of a Ray cluster."""

from genaiops.flow.engines.protocol import Engine, LocalEngine, engine_named

__all__ = ["Engine", "LocalEngine", "engine_named"]
