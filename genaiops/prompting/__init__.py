"""A variant and hits become messages."""

from genaiops.prompting.prompty import list_prompts, load_prompt
from genaiops.prompting.rendering import VARIABLES, context_of, render

__all__ = ["VARIABLES", "context_of", "list_prompts", "load_prompt", "render"]
