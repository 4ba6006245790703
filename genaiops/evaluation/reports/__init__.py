"""A run, told to people: in a browser, a pull request, a CI server, a terminal."""

from genaiops.evaluation.reports.html_page import html_report
from genaiops.evaluation.reports.junit import junit_report
from genaiops.evaluation.reports.markdown import markdown_report
from genaiops.evaluation.reports.terminal import terminal_table

__all__ = ["html_report", "junit_report", "markdown_report", "terminal_table"]
