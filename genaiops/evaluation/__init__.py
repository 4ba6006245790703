"""Answers become scores, scores become a report."""
