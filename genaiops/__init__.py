"""Run retrieval-augmented generation as software."""

__version__ = "0.1.0"
