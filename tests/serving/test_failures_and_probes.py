"""What a failing model does to answers, streams and probes, and what it does not tell."""

from __future__ import annotations

from pathlib import Path

import httpx2
import openai
import pytest

from genaiops.errors import ConfigurationError, IntegrityError, ModelError, ModelTimeout
from tests.serving.running_service import MODEL, Echo, Fixed, events, question, running

FAILURES = [
    (ModelTimeout("http://10.0.0.9/v1 took 30 s"), 504, "upstream_timeout", "5"),
    (ModelError("cannot reach http://10.0.0.9/v1"), 503, "upstream_unavailable", "5"),
    (ModelError("http://10.0.0.9 is busy", retry_after_s=6.2), 503, "upstream_unavailable", "7"),
    (ModelError("garbage from http://10.0.0.9", retryable=False), 502, "upstream_error", None),
    (ConfigurationError("/srv/secret/path", remedy="edit /srv/secret"), 503, "release_unusable", None),
    (IntegrityError("/srv/secret/manifest.json"), 503, "release_unusable", None),
    (ZeroDivisionError("at 10.0.0.9 in /srv/secret"), 500, "internal_error", None),
]


def failing(error: Exception, at_word: int) -> Echo:
    def fail(word: int) -> None:
        if word == at_word:
            raise error

    return Echo(fail=fail)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("error", "status", "code", "retry"), FAILURES)
def test_a_failure_has_its_status_and_tells_nothing_of_the_inside(
    tmp_path: Path, error: Exception, status: int, code: str, retry: str | None, stream: bool
) -> None:
    with running(Fixed({MODEL: failing(error, 0)}), tmp_path) as service:
        response = httpx2.post(f"{service.url}/v1/chat/completions", json=question(stream=stream))
    assert response.status_code == status
    assert response.headers.get("retry-after") == retry
    assert response.headers["x-genaiops-release"] == "r1"
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["type"] == "server_error"
    assert not any(secret in response.text for secret in ("10.0.0.9", "/srv", "Traceback"))


def test_a_stream_that_fails_half_way_ends_with_an_error_event_and_no_done(tmp_path: Path) -> None:
    with running(Fixed({MODEL: failing(ModelError("cut at 10.0.0.9"), 1)}), tmp_path) as service:
        response = httpx2.post(f"{service.url}/v1/chat/completions", json=question(stream=True))
        *chunks, last = events(response)
        client = openai.OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0)
        with pytest.raises(openai.APIError, match="cannot answer now"):
            list(client.chat.completions.create(**question(stream=True)))
    assert [chunk["choices"][0]["delta"].get("content") for chunk in chunks] == ["", "r1:hello"]
    assert last["error"]["code"] == "upstream_unavailable"
    assert "10.0.0.9" not in response.text


# --- probes -----------------------------------------------------------------------------


def test_readiness_follows_the_releases_and_liveness_does_not(tmp_path: Path) -> None:
    models = Fixed(problems={MODEL: "release abc cannot be loaded"})
    with running(models, tmp_path) as service:
        assert httpx2.get(f"{service.url}/livez").json() == {"status": "live"}
        unready = httpx2.get(f"{service.url}/readyz")
        assert unready.status_code == 503
        assert unready.json()["problems"] == [{"model": MODEL, "reason": "release abc cannot be loaded"}]
        refused = httpx2.post(f"{service.url}/v1/chat/completions", json=question())
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")

        models.models[MODEL] = Echo()
        assert httpx2.get(f"{service.url}/readyz").json()["status"] == "degraded"
        models.problems.clear()
        ready = httpx2.get(f"{service.url}/readyz")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready", "models": {MODEL: "r1"}, "problems": []})


def test_an_upstream_outage_degrades_readiness_until_the_next_good_answer(tmp_path: Path) -> None:
    echo = failing(ModelError("cannot reach http://10.0.0.9"), 0)
    with running(Fixed({MODEL: echo}), tmp_path) as service:
        httpx2.post(f"{service.url}/v1/chat/completions", json=question())
        degraded = httpx2.get(f"{service.url}/readyz")
        assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")
        reason = f"the model behind {MODEL} cannot answer now"
        assert degraded.json()["problems"] == [{"model": MODEL, "reason": reason}]
        echo.fail = lambda word: None
        httpx2.post(f"{service.url}/v1/chat/completions", json=question())
        assert httpx2.get(f"{service.url}/readyz").json()["status"] == "ready"
