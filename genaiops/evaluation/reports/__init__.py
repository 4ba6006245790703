"""A run, told to people: in a browser, a pull request, a CI server, a terminal."""

from genaiops.evaluation.reports.html_page import html_report

__all__ = ["html_report"]
