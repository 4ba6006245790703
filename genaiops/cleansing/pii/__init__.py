"""What identifies a person, and how it is replaced. `KINDS` has every kind with the function that finds it."""

from genaiops.cleansing.pii.kinds import KINDS, Found, Redactor, redactor_for

__all__ = ["KINDS", "Found", "Redactor", "redactor_for"]
