"""Applications asked over real HTTP: where their answer stands, and every way they can fail."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from genaiops.endpoints import without_credentials
from genaiops.errors import ConfigurationError, ModelError, ModelTimeout
from genaiops.evaluation import evaluate
from genaiops.evaluation.asking import ask_safely
from genaiops.evaluation.http_application import HttpApplication, Manner
from genaiops.evaluation.reply_paths import parsed_paths
from genaiops.golden_sets import GoldenSet
from genaiops.records import Case, Evidence, Query, Score, Unscored
from tests.evaluation.json_server import application

QUICK = Manner(timeout_s=5.0, attempts=3, first_wait_s=0.01)


def test_question_and_id_go_into_the_body_and_the_paths_find_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_KEY", "s3cret")
    said = {"choices": [{"message": {"content": "Blue."}}], "sources": [{"text": "It is blue."}, {"text": "Or so."}],
            "usage": {"in": 7, "out": 2}, "usd": 0.5}  # fmt: skip
    paths = {"answer": "choices[0].message.content", "contexts": "sources[].text", "input_tokens": "usage.in",
             "output_tokens": "usage.out", "cost_usd": "usd"}  # fmt: skip
    body = {"messages": [{"role": "user", "content": "Q: {question}"}], "tag": "{id}", "n": 1}
    with application(lambda *_: (200, said)) as app:
        manner = Manner(body, {"Authorization": "Bearer ${APP_KEY}"}, 5.0)
        answer = HttpApplication(app.url, paths, manner=manner)(Query('What "colour"? {id}\n', "q1"))
    assert app.asked == [{"messages": [{"role": "user", "content": 'Q: What "colour"? {id}\n'}], "tag": "q1", "n": 1}]
    assert app.headers[0]["authorization"] == "Bearer s3cret"
    assert (answer.text, [hit.chunk.text for hit in answer.hits]) == ("Blue.", ["It is blue.", "Or so."])
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.cost_usd) == (7, 2, 0.5)
    assert answer.seconds["total"] > 0


def test_documents_that_are_named_can_be_measured_as_retrieval() -> None:
    golden = GoldenSet("one", (Case("a", "Colour?", evidence=(Evidence("paint.md", "It is blue."),)),))
    said = {"answer": "Blue.", "contexts": [{"document": "paint.md", "text": "Look: It is blue."}]}
    with application(lambda *_: (200, said)) as app:
        run = evaluate(HttpApplication(app.url), golden, measures=["recall@1", "latency_s"])
    assert run.values("recall@1") == {"a": 1.0}
    assert run.values("latency_s")["a"] > 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(status: int) -> None:
    def recovering(_: Any, before: int) -> Any:
        return (status, {"error": "busy"}, {"retry-after": "0"}) if before < 2 else (200, {"answer": "Yes."})

    with application(recovering) as app:
        assert HttpApplication(app.url, manner=QUICK)(Query("?")).text == "Yes."
        assert len(app.asked) == 3


@pytest.mark.parametrize(
    ("said", "told", "times"),
    [
        ((400, {"error": "no such model"}), "answered 400: {\"error\": \"no such model\"}", 1),
        ((302, b"", {"location": "http://127.0.0.1:1/"}), "answered 302", 1),
        ((500, b"<h1>down</h1>"), "answered 500: <h1>down</h1>", 3),
        ((200, b"not json"), "answered no JSON: not json", 1),
        ((200, {"text": "hi"}), "answer (answer) finds nothing in the reply, an object of text; say where", 1),
        ((200, {"answer": ["hi"]}), "answer (answer) finds a list, not a text, in the reply", 1),
        ((200, {"answer": "hi", "contexts": [3]}), "contexts holds a context that is neither a text nor a document", 1),
        ((200, {"answer": "hi", "contexts": {"a": 1}}), "contexts (contexts) finds an object, not a list,", 1),
        ((200, b"[" * 100_000), "answered no JSON", 1),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_an_error_and_never_graded(said: Any, told: str, times: int) -> None:
    golden = GoldenSet("one", (Case("a", "Why?", reference="So."),))
    with application(lambda *_: said) as app:
        run = evaluate(HttpApplication(app.url, manner=QUICK), golden, measures=["exact_match", "latency_s"])
        assert len(app.asked) == times
    (result,) = run.results
    assert told in result.error
    assert result.answer is None
    assert all(isinstance(outcome, Unscored) for outcome in result.outcomes.values())


def test_a_wrong_expression_is_told_with_the_places_of_the_reply_and_none_of_its_values() -> None:
    long = "x" * 60
    said = {"data": {"my text": "private", "hits": [{"id": 1}, {"body": "private"}]}, long: 1, "n": None, "empty": []}
    with application(lambda *_: (200, said)) as app:
        _, told = ask_safely(HttpApplication(app.url, {"answer": "data.txt"}, manner=QUICK), Query("?"))
    assert told == (
        f"ModelError: {app.url}: the JMESPath of answer (data.txt) finds nothing in the reply, an object of "
        f'data."my text", data.hits[].id, data.hits[].body, "{long[:39]}…", n, empty; '
        "say where it stands: --jmespath 'answer: PATH'"
    )
    many = {f"key{n}": n for n in range(40)}
    with application(lambda *_: (200, many)) as app, pytest.raises(ModelError, match=r"key11 …") as raised:
        HttpApplication(app.url, manner=QUICK)(Query("?"))
    assert "key12" not in str(raised.value)


def test_the_remedy_of_an_error_in_one_line_follows_after_a_semicolon() -> None:
    with application(lambda *_: (400, {"error": "no"})) as app:
        _, told = ask_safely(HttpApplication(app.url, manner=QUICK), Query("?"))
    assert told.endswith('answered 400: {"error": "no"}; read the application\'s log')
    assert ModelError("It broke.").in_one_line == "It broke."
    assert ModelError("It broke.", where="here", remedy="mend\n  it").in_one_line == "here: It broke; mend it"


def test_an_expression_that_does_not_fit_the_json_is_an_error_of_the_case() -> None:
    with application(lambda *_: (200, {"answer": 5})) as app, pytest.raises(ModelError, match="does not fit the reply"):
        HttpApplication(app.url, {"answer": "length(answer)"}, manner=QUICK)(Query("?"))


@pytest.mark.parametrize("said", ["-1", "NaN", "Infinity", "true", '"7"', "1" + "0" * 400])
@pytest.mark.parametrize("name", ["input_tokens", "output_tokens", "cost_usd"])
def test_a_number_that_cannot_be_is_an_error_and_so_is_none_where_a_path_promises_one(name: str, said: str) -> None:
    paths = {"answer": "answer", **{fact: fact for fact in ("input_tokens", "output_tokens", "cost_usd")}}
    fine = {"answer": "hi", **dict.fromkeys(("input_tokens", "output_tokens", "cost_usd"), 1)}
    without = {key: value for key, value in fine.items() if key != name}
    sent = [json.dumps(without).encode()[:-1] + b', "%s": %s}' % (name.encode(), said.encode()), without, fine]
    with application(lambda *_: (200, sent.pop(0))) as app:
        asked = HttpApplication(app.url, paths, manner=QUICK)
        with pytest.raises(ModelError, match=f"{name} must be a number from 0"):
            asked(Query("?"))
        with pytest.raises(
            ModelError, match=rf"JMESPath of {name} \({name}\) finds nothing in the reply, an object of"
        ):
            asked(Query("?"))
        assert asked(Query("?")).cost_usd == 1.0


@pytest.mark.parametrize("given", ["input_tokens", "output_tokens"])
def test_one_path_of_tokens_is_enough_for_its_measure_and_nothing_is_made_up_for_the_others(given: str) -> None:
    counts = {"input_tokens": 7, "output_tokens": 2}
    other = next(name for name in counts if name != given)
    golden = GoldenSet("one", (Case("a", "Why?", reference="So."),))
    with application(lambda *_: (200, {"answer": "So.", "usage": counts})) as app:
        asked = HttpApplication(app.url, {"answer": "answer", given: f"usage.{given}"}, manner=QUICK)
        run = evaluate(asked, golden, measures=[*counts, "total_tokens", "total_tokens_p90"])
    outcomes = run.results[0].outcomes
    assert outcomes[given] == Score(counts[given])
    missing = Unscored(f"the application tells no {other}: --jmespath '{other}: PATH'")
    assert (outcomes[other], outcomes["total_tokens"], outcomes["total_tokens_p90"]) == (missing,) * 3


def test_without_paths_of_tokens_an_application_has_no_tokens() -> None:
    golden = GoldenSet("one", (Case("a", "Why?", reference="So."),))
    with application(lambda *_: (200, {"answer": "So."})) as app:
        run = evaluate(HttpApplication(app.url, manner=QUICK), golden, measures=["total_tokens", "exact_match"])
    assert run.values("exact_match") == {"a": 1.0}
    (outcome,) = (result.outcomes["total_tokens"] for result in run.results)
    assert isinstance(outcome, Unscored) and "no input_tokens and no output_tokens" in outcome.reason


def test_one_question_that_fails_costs_no_other() -> None:
    cases = tuple(Case(str(n), f"question {n}", reference="Yes.") for n in range(6))
    with application(lambda body, _: (400, {}) if body["question"].endswith("3") else (200, {"answer": "Yes."})) as app:
        asked = HttpApplication(app.url, manner=QUICK)
        run = evaluate(asked, GoldenSet("six", cases), measures=["exact_match"], workers=3)
        asked.close()
    (summary,) = run.summaries
    assert (summary.scored, summary.unscored, summary.mean) == (5, 1, 1.0)
    assert run.results[0].outcomes["exact_match"] == Score(1.0)


def test_an_application_that_is_too_slow_is_given_up() -> None:
    release = threading.Event()

    def slow(*_: Any) -> Any:
        release.wait(20)
        return 200, {"answer": "late"}

    with application(slow) as app:
        manner = Manner(timeout_s=0.2, attempts=1)
        with pytest.raises(ModelTimeout, match="took more than"):
            HttpApplication(app.url, manner=manner)(Query("?"))
        release.set()


def test_nobody_there_is_an_outage() -> None:
    with application(lambda *_: (200, {})) as app:
        gone = app.url
    with pytest.raises(ModelError, match="cannot be asked") as raised:
        HttpApplication(gone, manner=Manner(timeout_s=2, attempts=1))(Query("?"))
    assert raised.value.exit_code == 3


@pytest.mark.parametrize(
    ("url", "paths", "manner", "says"),
    [
        ("ftp://x/y", None, None, "no http:// or https:// address"),
        ("http://127.0.0.1/", {"answer": "a["}, None, "the JMESPath of answer cannot be read"),
        ("http://127.0.0.1/", {"contexts": "a"}, None, "no JMESPath of the answer"),
        ("http://127.0.0.1/", None, Manner({"q": "x"}), "the body has no {question}"),
        ("http://127.0.0.1/", None, Manner(headers={"A": "${NOT_SET_ANYWHERE}"}), "needs the environment variable"),
        ("http://127.0.0.1/", None, Manner(headers={"A": "a\nb"}), "header 'A' holds a line break"),
        (
            "http://127.0.0.1/",
            None,
            Manner(headers={"A": "h\u00e9"}),
            "header 'A' holds a character that no header can",
        ),
        ("http://127.0.0.1/", None, Manner(timeout_s=0), "timeout must be above 0"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_asked(
    url: str, paths: Any, manner: Any, says: str
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        HttpApplication(url, paths, manner=manner)
    assert says in str(raised.value)


@pytest.mark.parametrize("key", ["sk-s3cret", " sk-s3cret ", "Bearer sk-s3cret", 'sk-"s3cret'])
@pytest.mark.parametrize("padding", [0, 150, 190])
def test_what_a_variable_holds_is_in_no_error(monkeypatch: pytest.MonkeyPatch, key: str, padding: int) -> None:
    monkeypatch.setenv("APP_KEY", key)
    manner = Manner(headers={"Authorization": "${APP_KEY}"}, attempts=1)
    golden = GoldenSet("one", (Case("a", "Why?", reference="So."),))

    def echoing(*_: Any) -> Any:
        return 401, {"error": "." * padding + " bad key " + app.headers[-1]["authorization"]}

    with application(echoing) as app:
        (result,) = evaluate(HttpApplication(app.url, manner=manner), golden, measures=["exact_match"]).results
        assert app.headers[0]["authorization"] == key.strip()
    assert "answered 401" in result.error
    assert "s3c" not in result.error


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer typed-s3cret-key"),
        ("Ocp-Apim-Subscription-Key", "typed-s3cret-key"),
        ("Cookie", "theme=dark; session=typed-s3cret-key"),
        ("X-Whatever", "typed-s3cret-key"),
    ],
)
def test_what_a_header_holds_is_in_no_error_also_when_it_was_typed(name: str, value: str) -> None:
    manner = Manner(headers={name: value, "Accept": "application/json"}, attempts=1)

    def echoing(*_: Any) -> Any:
        return 401, {"error": f"{app.headers[-1][name.lower()]} or typed-s3cret-key: no application/json for you"}

    with application(echoing) as app, pytest.raises(ModelError) as raised:
        HttpApplication(f"{app.url}?user=me&api_key=also-s3cret", manner=manner)(Query("?"))
    assert "answered 401" in str(raised.value)
    assert "s3cret" not in str(raised.value)
    assert "no application/json for you" in str(raised.value)


def test_a_key_that_an_application_repeats_is_in_no_answer() -> None:
    key, document = "typed-s3cret-key", "wiki?token=typed-s3cret-key"
    said = {"answer": f"You are {key} of acme-corp.", "contexts": [{"document": document, "text": key}, key]}
    manner = Manner(headers={"X-Api-Key": key, "X-Tenant": "acme-corp"})
    with application(lambda *_: (200, said)) as app:
        answer = HttpApplication(app.url, manner=manner)(Query("?"))
    assert "s3cret" not in repr(answer)
    assert answer.text == "You are *** of acme-corp."  # a tenant is no key: an answer may well name it


def test_what_a_cookie_prefers_is_measured_as_it_was_said() -> None:
    cookie = "region=Switzerland; cookie_consent=accepted; author=federation; connect.sid=s3cret-of-mine; jwt=republic"
    text = "The Confederation of Switzerland accepted it: federation, republicans."
    said = {"answer": f"{text} republic s3cret-of-mine", "contexts": [{"document": "Switzerland.md", "text": text}]}
    with application(lambda *_: (200, said)) as app:
        answer = HttpApplication(app.url, manner=Manner(headers={"Cookie": cookie}))(Query("?"))
    assert answer.text == f"{text} *** ***"  # keys, the second an ordinary word: only where it stands alone
    assert [(hit.chunk.document_id, hit.chunk.text) for hit in answer.hits] == [("Switzerland.md", text)]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host:9?api_key=SECRET", "http://host:9"),
        ("http://host/p#token=SECRET", "http://host/p"),
        ("http://host#token=SECRET", "http://host"),
        ("http://me:SECRET@host/p/?key=SECRET", "http://host/p"),
        ("http://me:SECRET?x@host/", "http://me:…"),
        ("http://[::1]/p", "http://[::1]/p"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


@pytest.mark.parametrize("written", ["answer", "answr: x", "answer:", ": x"])
def test_a_path_is_a_name_and_an_expression(written: str) -> None:
    with pytest.raises(ConfigurationError, match="is no name with an expression"):
        parsed_paths([written])
    assert parsed_paths(["answer: a.b | [0]", "contexts: c"]) == {"answer": "a.b | [0]", "contexts": "c"}


@pytest.mark.parametrize("query", ["key=AIza-hidden", "a=b&code=very-hidden", "pass=very-hidden", "sid=very-hidden"])
def test_a_key_in_the_address_is_in_no_message(query: str) -> None:
    said = {"error": f"the address had {query}"}
    with application(lambda *_: (400, said)) as app, pytest.raises(ModelError) as raised:
        HttpApplication(f"{app.url}?{query}", manner=QUICK)(Query("?"))
    assert "hidden" not in str(raised.value) and "***" in str(raised.value)


def test_a_password_in_the_address_is_in_no_message() -> None:
    with application(lambda *_: (400, {})) as app, pytest.raises(ModelError) as raised:
        HttpApplication(app.url.replace("127", "me:hidden@127"), manner=QUICK)(Query("?"))
    assert "hidden" not in str(raised.value)
