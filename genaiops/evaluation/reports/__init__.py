"""A run, told to people: in a browser, a pull request, a CI server, a terminal, a spreadsheet; alone or against
another."""

from genaiops.evaluation.reports.circumstances import told_of
from genaiops.evaluation.reports.comparison import NotComparable, comparable, differences
from genaiops.evaluation.reports.html_page import html_report
from genaiops.evaluation.reports.junit import junit_report
from genaiops.evaluation.reports.markdown import COMMENT, STEP_SUMMARY, markdown_report
from genaiops.evaluation.reports.plain import csv_report, json_report
from genaiops.evaluation.reports.terminal import changed_cases, terminal_table

__all__ = [
    "COMMENT",
    "STEP_SUMMARY",
    "NotComparable",
    "changed_cases",
    "comparable",
    "csv_report",
    "differences",
    "html_report",
    "json_report",
    "junit_report",
    "markdown_report",
    "terminal_table",
    "told_of",
]
