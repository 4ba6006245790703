"""The frame of the HTML report: its style, its one script, and the policy that lets nothing else run or load."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from genaiops.evaluation.reports.markup import Markup, h


@cache
def style() -> str:
    return _beside("report.css")


@cache
def script() -> str:
    return _beside("report.js")


def policy() -> str:
    """Nothing may be loaded from anywhere, and no script but ours (by its digest) may run, whatever the data holds."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'"
    )


def page(title: str, body: Markup) -> str:
    """A whole HTML document around `body`, for a browser without network."""
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=policy()),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="referrer", content="no-referrer"),
        h("meta", name="color-scheme", content="light dark"),
        h("title", title),
        Markup(f"<style>{style()}</style>"),
    )
    return f"<!doctype html>\n{h('html', head, h('body', body, Markup(f'<script>{script()}</script>')), lang='en')}\n"


def _beside(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
