"""The guide's requests, as written there, on a router with nothing configured."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.harness import Running


def curl(*words: str) -> tuple[int, dict[str, str], str]:
    """Status, headers (lower-case names) and body of one curl call."""
    done = subprocess.run(
        ["curl", "-sS", "-i", "--max-time", "30", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    head, _, body = done.stdout.partition("\n\n")  # text mode made LF of CR LF
    status, *lines = head.split("\n")
    headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, body


def test_chat_completion(router: Running) -> None:
    status, headers, body = curl(
        *("-X", "POST", f"{router.front}/litellm/v1/chat/completions"),
        *("-H", "Authorization: Bearer your-litellm-key", "-H", "Content-Type: application/json"),
        "-d",
        '{"model": "claude-3-5-sonnet-20241022",'
        ' "messages": [{"role": "user", "content": "Hello!"}]}',
    )
    answer = json.loads(body)
    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "claude-3-5-sonnet-20241022"
    assert answer["choices"][0]["message"]["content"]
    assert answer["usage"]["total_tokens"] > 0
    assert headers["x-pointsman-simulated"] == "1"
    assert headers["x-litellm-call-id"]


def test_embeddings(router: Running) -> None:
    status, headers, body = curl(
        *("-X", "POST", f"{router.front}/litellm/v1/embeddings"),
        *("-H", "Authorization: Bearer your-litellm-key", "-H", "Content-Type: application/json"),
        *("-d", '{"model": "text-embedding-3-small", "input": "Your text here"}'),
    )
    answer = json.loads(body)
    assert status == 200
    assert len(answer["data"][0]["embedding"]) == 1536
    assert headers["x-pointsman-simulated"] == "1"


@pytest.mark.parametrize("door", ["ccr", "claude-code"])
def test_messages_without_model_or_max_tokens_are_routed_by_context(
    router: Running, door: str
) -> None:
    status, headers, body = curl(
        *("-X", "POST", f"{router.front}/{door}/v1/messages"),
        *("-H", "Authorization: Bearer ccr-dev-key-2024", "-H", "Content-Type: application/json"),
        "-d",
        '{"messages": [{"role": "user", "content": "Review this code for bugs"}],'
        ' "context": "coder"}',
    )
    answer = json.loads(body)
    assert status == 200
    assert answer["type"] == "message"
    assert answer["content"][0]["type"] == "text"
    assert headers["x-pointsman-model"] == "deepseek,deepseek-coder"
    assert headers["x-pointsman-rule"] == "context"


def test_a_group_named_ccr_is_routed_by_the_other_plane(router: Running) -> None:
    status, headers, body = curl(
        *("-X", "POST", f"{router.front}/litellm/v1/chat/completions"),
        *("-H", "Authorization: Bearer your-litellm-key", "-H", "Content-Type: application/json"),
        "-d",
        '{"model": "ccr-claude-sonnet", "messages": [{"role": "user", "content":'
        ' "Generate a REST API for user management in FastAPI"}]}',
    )
    assert status == 200
    assert json.loads(body)["model"] == "ccr-claude-sonnet"
    assert "," in headers["x-pointsman-model"]


@pytest.mark.parametrize(
    ("prompt", "target"),
    [
        ("/model deepseek,deepseek-coder Optimize this algorithm", "deepseek,deepseek-coder"),
        ("/model ollama-local,qwen2.5-coder Fix this error", "ollama-local,qwen2.5-coder"),
        ("/model openrouter,claude-3-5-sonnet Architect this", "openrouter,claude-3-5-sonnet"),
    ],
)
def test_a_model_named_in_the_prompt(router: Running, prompt: str, target: str) -> None:
    answer = router.post(
        "/ccr/v1/messages", {"messages": [{"role": "user", "content": prompt}], "max_tokens": 64}
    )
    assert answer.status_code == 200
    assert answer.headers["x-pointsman-model"] == target
    assert answer.headers["x-pointsman-rule"] == "/model"


def test_health_on_the_three_ports_is_cheap(router: Running) -> None:
    before = router.get("/health").json()
    for base in (router.front, router.litellm, router.ccr):
        status, headers, body = curl(f"{base}/health")
        assert status == 200
        assert headers["x-pointsman"]
        assert json.loads(body)
    assert before["status"] == "ok"
    assert before["simulated_only"] is True
    assert before["services"]["deepseek"]["mode"] == "simulated"


def test_models_in_each_client_s_form(router: Running) -> None:
    listed = router.get("/litellm/v1/models").json()
    assert "claude-3-5-sonnet-20241022" in {model["id"] for model in listed["data"]}
    for door in ("ccr", "claude-code"):
        listed = router.get(f"/{door}/v1/models?limit=1000").json()
        assert {"data", "has_more", "first_id", "last_id"} <= listed.keys()
        assert "deepseek,deepseek-coder" in {model["id"] for model in listed["data"]}


def test_count_tokens(router: Running) -> None:
    body = {"model": "claude-sonnet-5", "messages": [{"role": "user", "content": "one two three"}]}
    for door in ("ccr", "claude-code"):
        counted = router.post(f"/{door}/v1/messages/count_tokens?beta=true", body)
        assert 2 <= counted.json()["input_tokens"] <= 20


def test_the_roles_at_their_usual_roots(router: Running) -> None:
    import httpx

    hello = [{"role": "user", "content": "hello"}]
    chat = httpx.post(
        f"{router.litellm}/v1/chat/completions", json={"model": "gpt-4o", "messages": hello}
    )
    assert chat.json()["choices"][0]["message"]["role"] == "assistant"
    message = httpx.post(f"{router.ccr}/v1/messages", json={"messages": hello})
    assert message.json()["role"] == "assistant"


def test_the_paths_of_the_guide_lead_somewhere(router: Running) -> None:
    import httpx

    assert router.get("/n8n").headers["location"] == "/n8n/"
    ui = router.get("/ccr/ui")
    assert (ui.status_code, ui.headers["location"]) == (307, "../console/?screen=routes")
    for page, place in ((f"{router.litellm}/ui", "/litellm/"), (f"{router.ccr}/ui/", "/ccr/ui/")):
        assert httpx.get(page).headers["location"] == router.front + place  # where theirs have it
    for base in ("/litellm/v1/", "/ccr/v1/", "/claude-code/v1"):  # the guide lists them as links
        told = router.get(base)
        assert (told.status_code, f"{base} is a base address" in told.text) == (404, True)
