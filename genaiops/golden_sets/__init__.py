"""Reads and checks golden sets: questions with references and evidence quotes anchored in documents."""

from genaiops.golden_sets.golden_set import GOLDEN_FILE, GoldenSet
from genaiops.golden_sets.linting import Problem, check, lint

__all__ = ["GOLDEN_FILE", "GoldenSet", "Problem", "check", "lint"]
