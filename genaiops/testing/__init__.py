"""Stand-ins for your own tests: a model endpoint that says and breaks what you script."""

from genaiops.testing.replies import Reply, ScriptedRequest
from genaiops.testing.scripted_model import ScriptedModelServer
from genaiops.testing.verdicts import scripted_verdict

__all__ = ["Reply", "ScriptedModelServer", "ScriptedRequest", "scripted_verdict"]
