"""Secrets are found by form and by what they are assigned to; placeholders are none."""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from genaiops.cleansing.secret_scan import SECRETS, find_secrets

DOCS = Path(__file__).parents[2] / "docs"
LETTERS = string.ascii_letters + string.digits


def drawn(source: random.Random, count: int, signs: str = LETTERS) -> str:
    return "".join(source.choices(signs, k=count))


def token(source: random.Random) -> str:
    head, claims = ({"alg": "HS256", "typ": "JWT"}, {"sub": drawn(source, 12), "iat": source.randrange(10**9)})
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, claims))
    return ".".join((*parts, drawn(source, 43)))


def key_file(source: random.Random) -> str:
    body = "\n".join(drawn(source, 64, LETTERS + "+/") for _ in range(6))
    return f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"


# Made up when the test runs, so that nobody's scanner takes this file for a leak.
MADE: dict[str, Callable[[random.Random], str]] = {
    "AWS access key": lambda r: "AKIA" + drawn(r, 16, string.ascii_uppercase + "234567"),
    "GitHub token": lambda r: "ghp_" + drawn(r, 36),
    "GitLab token": lambda r: "glpat-" + drawn(r, 20),
    "model provider key": lambda r: r.choice(("sk-", "sk-proj-", "sk-ant-api03-")) + drawn(r, 40),
    "Slack token": lambda r: f"xoxb-{r.randrange(10**11, 10**12)}-{drawn(r, 24)}",
    "Google key": lambda r: "AIza" + drawn(r, 35),
    "Stripe key": lambda r: "sk_live_" + drawn(r, 24),
    "package registry token": lambda r: "npm_" + drawn(r, 36),
    "Hugging Face token": lambda r: "hf_" + drawn(r, 34),
    "service token": lambda r: f"SG.{drawn(r, 22)}.{drawn(r, 43)}",
    "Azure key": lambda r: f"AccountName=store;AccountKey={drawn(r, 86, LETTERS + '+/')}==",
    "private key": key_file,
    "JSON web token": token,
    "bearer token": lambda r: "Authorization: Bearer " + drawn(r, 40),
    "basic credentials": lambda r: "Authorization: Basic " + base64.b64encode(f"ann:{drawn(r, 12)}".encode()).decode(),
    "password in a connection string": lambda r: f"postgresql://ann:{drawn(r, 14)}@db.internal:5432/shop",
}


@pytest.mark.parametrize("kind", MADE)
def test_every_secret_of_a_kind_is_found_with_its_line_and_without_its_value(kind: str) -> None:
    source = random.Random(kind)
    missed = []
    for turn in range(60):
        secret = MADE[kind](source)
        found = find_secrets(f"# Title\n\nSome words.\nThe value is {secret}\nand goes on.")
        if (kind, 4) not in found:
            missed.append((turn, found))
        assert secret not in repr(found)
    # A drawn string may hold a word such as `demo` and pass for a placeholder.
    assert len(missed) <= 1, missed


def test_every_kind_has_a_case_here() -> None:
    assert set(MADE) == set(SECRETS)


@pytest.mark.parametrize(
    "line",
    [
        "client_secret = '{}'",
        'API_KEY="{}"',
        "password: {}",
        '"accessToken": "{}",',
        "export DB_PASSWORD={}",
        "secret_key => {}",
    ],
)
def test_a_random_value_given_to_a_secret_name_is_found(line: str) -> None:
    source = random.Random(line)
    found = sum(bool(find_secrets(line.format(drawn(source, 24)))) for _ in range(100))
    assert found >= 90  # one without a digit may be a word, and is let through


@pytest.mark.parametrize(
    "text",
    [
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "OPENAI_API_KEY=<your-key>",
        "OPENAI_API_KEY=sk-...",
        "export OPENAI_API_KEY=sk-your-key-goes-here-instead",
        "api_key: ${OPENAI_API_KEY}",
        "api_key: {{ secrets.OPENAI_API_KEY }}",
        "password: ********************",
        "token = os.environ['GITHUB_TOKEN_FOR_RELEASES_2024']",
        "postgresql://user:password@localhost:5432/db",
        "postgresql://app:${DB_PASSWORD}@db:5432/app",
        "amqp://guest:guest@rabbit:5672",
        "redis://:secret@cache:6379",
        "https://example.org:8443/path@v2",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "The file begins with `-----BEGIN RSA PRIVATE KEY-----` and holds base64 text.",
        "Authorization: Bearer <token>",
        "Authorization: Bearer eyJhbGciOi...",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
        "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
        "Basic authentication sends the password with every request.",
        "token: TokenCredentialAuthenticationPolicy2",
        "The secret: rotate passwords every 90 days, and use key-vault-reference-name-1.",
        "tokens per second: 1234567890123456",
        "primary key: customer_id_2024_region_west",
        "password_hash_algorithm: argon2id-v19-m65536",
    ],
)
def test_a_placeholder_in_documentation_is_no_secret(text: str) -> None:
    assert find_secrets(text) == []


def test_the_documentation_of_this_project_holds_no_secret() -> None:
    pages = sorted(DOCS.rglob("*.md"))
    assert len(pages) > 20
    assert {page.name: found for page in pages if (found := find_secrets(page.read_text(encoding="utf-8")))} == {}


def test_lines_are_counted_and_a_kind_is_told_once_per_line() -> None:
    source = random.Random(1)
    secret, other = MADE["GitHub token"](source), MADE["GitHub token"](source)
    assert find_secrets(f"{secret} {secret}\n\n{other}") == [("GitHub token", 1), ("GitHub token", 3)]
