"""Messages and hits become an answer's text, with citations and the tokens it took."""

from genaiops.generation.citations import cite_markers, sentence_citation
from genaiops.generation.protocol import Emit, Generation, GenerationRequest, Generator, discard
from genaiops.generation.refusal import REFUSAL, is_refusal

__all__ = [
    "REFUSAL",
    "Emit",
    "Generation",
    "GenerationRequest",
    "Generator",
    "cite_markers",
    "discard",
    "is_refusal",
    "sentence_citation",
]
