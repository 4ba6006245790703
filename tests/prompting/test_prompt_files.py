"""What a .prompty file may say, and the line of what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from genaiops.errors import ConfigurationError
from genaiops.prompting import list_prompts, load_prompt
from genaiops.records import Message

HEAD = "---\ninputs: [{name: question, kind: string}]\n---\n"
BODY = "user:\n{{ question }}\n"


def written(folder: Path, text: str, name: str = "cited.prompty") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str) -> ConfigurationError:
    path = written(folder, text)
    with pytest.raises(ConfigurationError) as caught:
        load_prompt(path)
    assert caught.value.where.startswith(str(path))
    return caught.value


def test_a_file_becomes_messages_inputs_and_options(tmp_path: Path) -> None:
    prompt = load_prompt(
        written(
            tmp_path,
            "---\n"
            "name: another name, which the file's name overrules\n"
            "description: Short.\n"
            "model: {options: {temperature: 0, additionalProperties: {sentences: 3}}}\n"
            "inputs: [{name: question, kind: string}, {name: context, kind: string}]\n"
            "template: {format: {kind: jinja2}, parser: {kind: prompty}}\n"
            "---\n"
            "system:\nBe brief.\n{{ context }}\n\nassistant:\nReady.\n\nuser:\n{{ question }}\n",
        )
    )
    assert prompt.name == "cited"
    assert prompt.template == (
        Message("system", "Be brief.\n{{ context }}"),
        Message("assistant", "Ready."),
        Message("user", "{{ question }}"),
    )
    assert prompt.inputs == ("question", "context")
    assert dict(prompt.options) == {"temperature": 0, "sentences": 3}
    assert prompt.description == "Short."


@pytest.mark.parametrize(
    "inputs",
    [
        "inputs: {question: {type: string}}",
        "inputs: [{name: question}]",
        "inputSchema: {properties: {question: {kind: string}}}",
        "inputSchema: {properties: [{name: question, kind: string}]}",
    ],
)
def test_inputs_are_read_in_every_form_in_use(tmp_path: Path, inputs: str) -> None:
    assert load_prompt(written(tmp_path, f"---\n{inputs}\n---\n{BODY}")).inputs == ("question",)


@pytest.mark.parametrize("key", ["options", "parameters"])
def test_options_are_read_in_both_forms(tmp_path: Path, key: str) -> None:
    head = f"---\ninputs: [{{name: question}}]\nmodel: {{{key}: {{seed: 7}}}}\n---\n"
    assert load_prompt(written(tmp_path, head + BODY)).options == {"seed": 7}


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    plain = load_prompt(written(tmp_path, HEAD + BODY))
    path = tmp_path / "windows" / "cited.prompty"
    path.parent.mkdir()
    path.write_bytes(b"\xef\xbb\xbf" + (HEAD + BODY).replace("\n", "\r\n").encode())
    assert load_prompt(path).digest == plain.digest


def test_the_digest_follows_the_wording_and_the_options_and_not_the_description(tmp_path: Path) -> None:
    def digest(text: str) -> str:
        return load_prompt(written(tmp_path, text)).digest

    base = digest(HEAD + BODY)
    assert digest(HEAD + BODY.replace("{{", "Please: {{")) != base
    assert digest(HEAD.replace("inputs", "model: {options: {seed: 1}}\ninputs") + BODY) != base
    assert digest(HEAD.replace("inputs", "description: words\ninputs") + BODY) == base


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("user:\nhello\n", 1, "front matter"),
        ("---\ninputs: []\nuser:\nhello\n", 1, "not closed"),
        ("---\ninputs: [\n---\n" + BODY, 2, "not valid YAML"),
        ("---\ninputs: [{name: question}]\ninputs: []\n---\n" + BODY, 3, "given twice"),
        ("---\ninputs: [{name: question}]\ntemprature: 1\n---\n" + BODY, 3, "unknown key 'temprature'"),
        ("---\ndescription: none\n---\n" + BODY, 1, "declares no inputs"),
        ("---\n\ninputs: [{name: user_id}]\n---\n" + BODY, 3, "nobody fills the input 'user_id'"),
        ("---\ninputs: [{name: question}]\ntemplate: mustache\n---\n" + BODY, 3, "'mustache' is not supported"),
        ("---\ninputs: [{name: question}]\nmodel: {options: 3}\n---\n" + BODY, 3, "must be keys and values"),
        (HEAD + "hello\n" + BODY, 4, "must start with a line"),
        (HEAD + "system:\nx {{ question }}\n", 4, "no 'user:' message"),
        (HEAD + "user:\n\nAnswer:\n{{ qestion }}\n", 7, "'qestion' is used but not declared"),
        (HEAD + "user:\nhello\n", 5, "'question' is declared but not used"),
        (HEAD + "system:\nfine\n\nuser:\nx\n{{ question }\n", 9, "template error"),
        (HEAD + "user:\nx\ny {% for a in question %}{{ a }}{% endfor %}\n", 6, "may not use for"),
        (HEAD + "user:\n{{ question|safe }}\n", 5, "filter 'safe' is not allowed"),
        (HEAD + "user:\n{{ question - 1 }}\n", 5, "cannot be rendered"),
    ],
)
def test_what_could_not_be_rendered_later_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, told: str
) -> None:
    error = refused(tmp_path, text)
    assert error.where == f"{tmp_path / 'cited.prompty'}:{line}"
    assert told in str(error)


def test_a_file_name_that_is_no_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not a valid name"):
        load_prompt(written(tmp_path, HEAD + BODY, "My Prompt.prompty"))


@pytest.mark.parametrize("content", [b"\xff\xfe", b"---\n" + b"#" * 1_000_001])
def test_a_file_that_is_no_text_or_huge_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cited.prompty"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"not UTF-8|larger than"):
        load_prompt(path)


def test_variants_are_listed_by_name(tmp_path: Path) -> None:
    for name in ("b.prompty", "a.prompty", "notes.md"):
        written(tmp_path, HEAD + BODY, name)
    assert list_prompts(tmp_path) == ["a", "b"]
