"""The small real model: without its extra it says what is missing; with it, it streams."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from router.__main__ import main as serve
from router.local_model import FINAL, LONGEST, NAME
from storage.home import Home

HAS_EXTRA = importlib.util.find_spec("xllamacpp") is not None


@pytest.mark.skipif(HAS_EXTRA, reason="the extra [local] is installed")
def test_without_the_extra_it_names_it_and_is_not_tried_again() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "router.local_model", "--port", "0"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == FINAL
    assert "pip install" in ended.stderr
    assert "'pointsman[local]'`" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(HAS_EXTRA, reason="the extra [local] is installed")
def test_a_router_does_not_start_without_what_it_was_told_to_serve(
    test_home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve(["serve", "--local"]) == 1
    assert "'pointsman[local]'`" in capsys.readouterr().err
    assert not test_home.socket.exists()


@pytest.fixture
def base(tmp_path: Path) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    fd = listener.fileno()
    child = subprocess.Popen(
        [sys.executable, "-m", "router.local_model", "--fd", str(fd)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(fd,),
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.close()
        _, complaints = child.communicate(timeout=30)  # closes its stdin
    assert (child.returncode, complaints) == (0, b"")
    assert list(tmp_path.glob("pointsman-model-*")) == []


@pytest.mark.real_model
@pytest.mark.skipif(not HAS_EXTRA, reason="needs pointsman[local]")
def test_it_answers_streams_and_stops(base: str) -> None:
    with openai.OpenAI(base_url=base, api_key="none", max_retries=0, timeout=90) as client:
        # Asked while it loads: the connection waits.
        whole = client.chat.completions.create(
            model=NAME,
            messages=[{"role": "user", "content": "What is the capital of France?"}],
            temperature=0,
            max_tokens=5,
        )
        assert "Paris" in (whole.choices[0].message.content or "")
        assert whole.model == NAME
        assert whole.usage is not None
        assert 0 < whole.usage.completion_tokens <= 5

        chunks = list(
            client.chat.completions.create(
                model=NAME,
                messages=[{"role": "user", "content": "Tell a very long story."}],
                stream=True,
                stream_options={"include_usage": True},
                extra_body={"ignore_eos": True},
            )
        )
        usage = chunks[-1].usage
        assert usage is not None
        assert usage.completion_tokens <= LONGEST
        assert sum(1 for one in chunks if one.choices and one.choices[0].delta.content) > 3
        assert not any(str(Path.home()) in chunk.to_json() for chunk in chunks)

        # A client that leaves early is no obstacle to the next.
        with client.chat.completions.create(
            model=NAME, messages=[{"role": "user", "content": "Count."}], stream=True
        ) as leaving:
            next(iter(leaving))
        models = [model.id for model in client.models.list()]
        assert models == [NAME]
