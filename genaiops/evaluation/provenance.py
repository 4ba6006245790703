"""Under what circumstances a run was made: commit, versions, platform."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import genaiops
from genaiops.evaluation.records import Git

# Packages whose version can move a score.
PACKAGES = (
    "numpy",
    "scipy",
    "torch",
    "sentence-transformers",
    "transformers",
    "tokenizers",
    "onnxruntime",  # the fast session embeds questions
    "faiss-cpu",
    "bm25s",
    "pystemmer",
    "langchain-text-splitters",
    "beautifulsoup4",
    "pypdf",
    "openai",
)
GIT_SECONDS = 10


def versions() -> dict[str, str]:
    """genaiops, Python, platform, and those of PACKAGES that are installed."""
    found = {"genaiops": genaiops.__version__, "python": platform.python_version(), "platform": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def packages_of(found: Mapping[str, str]) -> dict[str, str]:
    """Of what `versions` said, all but the platform: what may answer or measure otherwise."""
    return {name: version for name, version in found.items() if name != "platform"}


def git_state(folder: Path | None = None) -> Git:
    """Commit of the repository around `folder` (default: the working folder), and whether anything in it differs.

    An untracked file counts as a difference: it may be the prompt under test. Without
    git or a repository the commit is empty.
    """
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return Git()
    return Git(commit, dirty=_git(folder, "status", "--porcelain") != "")


def _git(folder: Path | None, *arguments: str) -> str | None:
    # A repository's own settings must not start programs (fsmonitor), and looking must not write its index.
    command = ["git", "-c", "core.fsmonitor=false", *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=GIT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip()
