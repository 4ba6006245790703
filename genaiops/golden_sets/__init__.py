"""Golden sets: questions with references and evidence quotes anchored in documents; read, checked, drafted, split."""

from genaiops.golden_sets.golden_set import GOLDEN_FILE, GoldenSet
from genaiops.golden_sets.linting import CHECKS, Problem, check, lint
from genaiops.golden_sets.places import Places

__all__ = ["CHECKS", "GOLDEN_FILE", "GoldenSet", "Places", "Problem", "check", "lint"]
