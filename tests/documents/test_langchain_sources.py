"""LangChain's own loaders and one of ours, named in flow.yaml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genaiops.configuration import validated_data
from genaiops.documents import Corpus, DocumentSettings, read_documents
from genaiops.errors import ConfigurationError, SourceError

OWN = '''
from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document


class Notes(BaseLoader):
    """Yields what it is told, as a loader of a wiki or a mailbox would."""

    def __init__(self, notes, token="", fail_after=None):
        if token == "wrong":
            raise ValueError(f"token {token} refused")
        self.notes, self.token, self.fail_after = notes, token, fail_after

    def lazy_load(self):
        for number, note in enumerate(self.notes):
            if number == self.fail_after:
                raise ConnectionError(f"token {self.token} expired")
            given = note.get("metadata", {}).items()
            metadata = {key: float("nan") if value == "nan" else value for key, value in given}
            yield Document(page_content=note["text"], metadata=metadata, id=note.get("id"))


class NoLoader:
    pass


def function():
    pass
'''


@pytest.fixture(autouse=True)
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/our_loaders.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path / "code")


def read(base: Path, loader: str, *, cache: Path | None = None, **source: Any) -> Corpus:
    settings = validated_data(DocumentSettings, {"sources": [{"langchain": loader, **source}]}, where=str)
    return read_documents(settings, base, cache=cache)


def test_a_text_loader_of_the_community_package_is_a_source(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Some notes.\r\nMore.")
    corpus = read(
        tmp_path,
        "langchain_community.document_loaders.TextLoader",
        arguments={"file_path": "flow:notes.txt", "encoding": "utf-8"},
    )
    [document] = corpus.documents
    assert (document.id, document.text) == ("notes.txt#1", "Some notes.\nMore.")
    assert document.metadata == {"source": "notes.txt"}
    assert document.origin is not None
    assert document.origin.source == "langchain_community.document_loaders.TextLoader"
    assert document.origin.loader.startswith("langchain langchain_community.document_loaders.TextLoader 0.")


def test_each_row_of_a_csv_loader_is_a_document_of_its_position(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("name,price\nTea,3\nPot,9\n")
    corpus = read(
        tmp_path,
        "langchain_community.document_loaders.CSVLoader",
        arguments={"file_path": "flow:rows.csv", "source_column": "name"},
    )
    assert [(d.id, d.text) for d in corpus.documents] == [
        ("Pot#1", "name: Pot\nprice: 9"),
        ("Tea#1", "name: Tea\nprice: 3"),
    ]
    whole = read(tmp_path, "langchain_community.document_loaders.CSVLoader", arguments={"file_path": "flow:rows.csv"})
    assert [d.id for d in whole.documents] == ["rows.csv#1", "rows.csv#2"]


def test_a_loader_of_ones_own_gives_ids_metadata_and_what_is_wrong_with_a_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIKI_PAGE", "https://me:pw@wiki.example/a")
    notes = [
        {"text": "one", "metadata": {"source": "env:WIKI_PAGE", "modified": "2024-01-01"}},
        {"text": "two", "id": "note-2"},
        {"text": "  "},
        {"text": "bad", "metadata": {"n": "nan"}, "id": "bad"},
        {"text": "line", "id": "a\nb"},
    ]
    corpus = read(tmp_path, "our_loaders.Notes", arguments={"notes": notes}, name="wiki", access=["staff"])
    assert [(d.id, d.text) for d in corpus.documents] == [
        ("wiki#note-2", "two"),
        ("wiki/https://wiki.example/a#1", "one"),
    ]
    assert corpus.documents[1].metadata["access"] == ["staff"]
    assert corpus.documents[1].origin is not None
    assert corpus.documents[1].origin.modified == "2024-01-01T00:00:00+00:00"
    assert {(item.document_id, item.kind) for item in corpus.quarantined} == {
        ("wiki#2", "empty"),
        ("wiki#bad", "unreadable"),
        ("wiki#a\\nb", "unreadable"),
    }


def test_markers_of_a_serialised_object_stay_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    marker = {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}
    made = {"lc": 1, "type": "constructor", "id": ["langchain", "llms", "OpenAI"], "kwargs": {}}
    notes = [{"text": json.dumps(marker), "metadata": {"marker": marker, "made": made}}]
    [document] = read(tmp_path, "our_loaders.Notes", arguments={"notes": notes}).documents
    assert document.metadata == {"marker": marker, "made": made}
    assert "very-secret" not in repr(document)


@pytest.mark.parametrize(
    "name", ["our_loaders.NoLoader", "our_loaders.function", "our_loaders.Absent", "os.system", "os.path.join"]
)
def test_what_is_no_loader_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="is no LangChain document loader"):
        read(tmp_path, name)


def test_a_module_that_is_not_there_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be imported") as caught:
        read(tmp_path, "no_such_module.Loader")
    assert "PYTHONPATH" in caught.value.remedy


@pytest.mark.parametrize("name", ["Loader", "a..b", "a.b()", "__import__('os').system", "a b.c", "../x.y", "a.b;c"])
def test_the_name_of_a_class_is_nothing_but_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError):
        read(tmp_path, name)


def test_a_loader_that_fails_fails_the_build_and_tells_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIKI_TOKEN", "very-secret")
    notes = [{"text": "one"}, {"text": "two"}]
    arguments = {"notes": notes, "token": "env:WIKI_TOKEN", "fail_after": 1}
    with pytest.raises(SourceError, match=r"broke off after 1 document\(s\)") as caught:
        read(tmp_path, "our_loaders.Notes", arguments=arguments)
    assert "very-secret" not in str(caught.value)
    assert "***" in str(caught.value)
    monkeypatch.setenv("WIKI_TOKEN", "wrong")
    with pytest.raises(ConfigurationError, match=r"cannot be made: ValueError: token \*\*\* refused"):
        read(tmp_path, "our_loaders.Notes", arguments=arguments)
    with pytest.raises(ConfigurationError, match=r"arguments\.token looks like a secret"):
        read(tmp_path, "our_loaders.Notes", arguments={**arguments, "token": "very-secret"})


def test_a_secret_that_a_loader_repeats_is_in_no_id_metadata_or_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loader of web pages tells its address as the source, and some hand on all they were given."""
    monkeypatch.setenv("WIKI_TOKEN", "very/hidden")
    monkeypatch.setenv("WIKI_EXPORT", "https://wiki.example/export?page=a&access_token=very%2Fhidden&sig=other-hidden")
    monkeypatch.setenv("WIKI_SPACE", str(tmp_path))
    notes = [
        {"text": "one", "metadata": {"source": "env:WIKI_EXPORT", "by": {"headers": ["key very/hidden"]}}},
        {"text": "two", "id": "very/hidden", "metadata": {"very/hidden": 1, "folder": "env:WIKI_SPACE"}},
        {"text": " ", "metadata": {"source": "https://wiki.example/b?t=other-hidden"}},
    ]
    # The settings say env:NAME; the loader gets, and repeats, what the variables hold.
    given = {"notes": [*notes], "token": "env:WIKI_TOKEN"}
    corpus = read(tmp_path, "our_loaders.Notes", arguments=given, cache=tmp_path / "cache.db")
    assert "hidden" not in repr(corpus)
    assert [d.id for d in corpus.documents] == [
        "Notes#***",
        "https://wiki.example/export?page=a&access_token=***&sig=***#1",
    ]
    assert corpus.documents[0].metadata == {"***": 1, "folder": str(tmp_path)}
    assert corpus.quarantined[0].document_id == "https://wiki.example/b?t=***#1"
    assert not [path for path in tmp_path.rglob("cache.db*") if b"hidden" in path.read_bytes()]
    monkeypatch.setenv("WIKI_TOKEN", "https://wiki.example/?token=very-hidden")
    with pytest.raises(SourceError) as caught:
        read(tmp_path, "our_loaders.Notes", arguments={**given, "fail_after": 0})
    assert "very-hidden" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"web_path": "https://wiki.example/export?access_token=very-secret"},
        {"web_path": ["https://wiki.example/?page=a&X-Amz-Signature=very-secret"]},
        {"requests_kwargs": {"auth": ["me", "very-secret"]}},
        {"requests_kwargs": {"headers": {"Cookie": "session=very-secret"}}},
        {"headers": {"X-Whatever": "Bearer very-secret-7very"}},
        {"headers": {"X-Whatever": "Basic dmVyeTpzZWNyZXQ="}},
        {"uri": "mongodb+srv://app:very-secret@db/prod"},
        {"uri": "postgresql://app:7#very-secret@db/prod"},
        {"web_path": "https://wiki.example/export?key=very-secret"},
        {"web_path": "https://wiki.example/export?page=a&code=very-secret"},
        {"web_path": "https://wiki.example/export?SID=very-secret"},
        {"web_path": "https://wiki.example/export#/b?pass=very-secret"},
        {"web_path": "https://wiki.example/export?x=AIzaVerysecretVerysecretVerysecretVerys"},
        {"repo": "git+https://very-secret@git.example/a.git"},
        {"repo": "ssh://ghp_verysecretverysecretverysecret@git.example/a.git"},
        {"anything": "ghp_verysecretverysecretverysecret"},
    ],
)
def test_a_secret_typed_into_the_arguments_is_refused_and_not_repeated(tmp_path: Path, arguments: Any) -> None:
    with pytest.raises(ConfigurationError, match="environment variable") as caught:
        read(tmp_path, "our_loaders.Notes", arguments={"notes": [], **arguments})
    assert "secret" not in str(caught.value).replace("looks like a secret", "").replace("holds a secret", "")


def test_arguments_that_are_no_secret_are_taken_as_they_are(tmp_path: Path) -> None:
    notes = [{"text": "one", "metadata": {"page": "https://wiki.example/?page=a&lang=en", "author": "Basic English"}}]
    [document] = read(tmp_path, "our_loaders.Notes", arguments={"notes": notes}).documents
    assert document.metadata == notes[0]["metadata"]


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            {"query": text}
            for text in ("Basic chemistry", "basic electronics", "Token economics", "bearer instruments")
        ),
        *({"query": text} for text in ("Basic electrochemistry", "Token https://economics")),
        {"repo": "ssh://git@github.com/org/repo.git"},
        {"uri": "postgresql://reader@db/prod"},
        {"host": "sftp://deploy@files.example/in"},
        {"uri": "bolt://neo4j@graph"},
        {"web_path": "https://wiki.example?mail=me@wiki.example"},
        {"web_path": "https://wiki.example:8080?mail=me@wiki.example&keyword=a&encoded=b"},
        {"web_path": "http://localhost:3000#/user@wiki"},
        {"uri": "mongodb://one:27017,two:27017/db?appName=a@b"},
        {"web_path": "https://[::1]:8080?mail=a:b@wiki.example"},
        {"url": "jdbc:postgresql://me@host:5432/db?ssl=true"},
        {"url": "jdbc:oracle:thin:@host:1521:orcl", "note": "jdbc: password=word"},
    ],
)
def test_ordinary_arguments_are_no_secrets(tmp_path: Path, arguments: Any) -> None:
    assert read(tmp_path, "our_loaders.Notes", arguments={"notes": [{"text": "one", "metadata": arguments}]}).documents


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg2://app:very-hidden@db/prod",
        "mongodb+srv://app:very-hidden@db/prod",
        "postgresql://app:very#hidden@db/prod",
        "postgresql://app:7?very#hidden@db/prod",
        "postgresql://app:very/hidden@db/prod",
        "postgresql://app:very@hidden@db/prod",
        "postgresql://app:very@7#hidden@db/prod",
        "postgresql://app:very[hidden@db/prod",
        "https://wiki.example/a?key=AIza-hidden",
        "https://wiki.example/a?b=c&code=very-hidden",
        "https://wiki.example/a?pass=very-hidden#top",
        "https://wiki.example/a?x=AIzahiddenhiddenhiddenhiddenhidden-hidd",
        "https://me:word@wiki.example/a?sid=very%2Dhidden",
        "jdbc:postgresql://app:very-hidden@db/prod",
        "jdbc:sqlserver://db:1433;databaseName=prod;user=app;password=very-hidden",
        "jdbc:oracle:thin:app/very-hidden@db:1521:prod",
        "jdbc:postgresql://db/prod?user=app&password=very,hidden",
        "jdbc:sqlserver://db;user=app;password={very}}hidden}",
        "jdbc:mysql://app:very;hidden@db/prod?token=abcdef",
        "jdbc:snowflake://db/?user=app&passcode=very-hidden",
        "jdbc:unheardof:app!very-hidden!db",
    ],
)
def test_no_secret_of_an_address_gets_into_a_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("WIKI", address)
    notes = [{"text": "one", "metadata": {"source": "env:WIKI", "said": "env:WIKI"}}]
    (document,) = read(tmp_path, "our_loaders.Notes", arguments={"notes": notes}).documents
    assert "hidden" not in repr(document) and "***" in repr(document)
    (document,) = read(
        tmp_path, "our_loaders.Notes", arguments={"notes": [{"text": "one", "id": "env:WIKI"}]}
    ).documents
    assert "hidden" not in repr(document)
