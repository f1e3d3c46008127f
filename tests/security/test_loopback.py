"""Who may call, from a real socket: Host, Origin and content type at every port and door; and what
a start refuses, and leaves behind, under the worst umask."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.harness import Running, environment, free_ports, running

BODY = {"messages": [{"role": "user", "content": "hi"}], "model": "gpt-4o", "input": "x"}
DOORS = {
    "front": ["/ccr/v1/messages", "/claude-code/v1/messages", "/litellm/v1/chat/completions"],
    "litellm": ["/v1/chat/completions", "/v1/embeddings"],
    "ccr": ["/v1/messages", "/v1/messages/count_tokens"],
}
PLACES = [(port, path) for port, paths in DOORS.items() for path in paths]
#: one header line that is refused, and how
REFUSED = {
    "rebound name": ({"host": "evil.example"}, 403),
    "rebound name with our port": ({"host": "evil.example:5000"}, 403),
    "looks like loopback": ({"host": "127.0.0.1.nip.io"}, 403),
    "any address": ({"host": "0.0.0.0"}, 403),
    "foreign page": ({"origin": "https://evil.example"}, 403),
    "sandboxed page": ({"origin": "null"}, 403),
    "a page of another program here": ({"origin": "http://localhost:8080"}, 403),
    "a form": ({"content-type": "application/x-www-form-urlencoded"}, 415),
    "a form with files": ({"content-type": "multipart/form-data; boundary=x"}, 415),
    "a form of text": ({"content-type": "text/plain"}, 415),
}


@pytest.mark.parametrize(("port", "path"), PLACES)
def test_doors_refuse_what_a_web_page_can_send(router: Running, port: str, path: str) -> None:
    base: str = getattr(router, port)
    with httpx.Client(base_url=base, timeout=30) as client:
        for name, (headers, status) in REFUSED.items():
            answer = client.post(path, json=BODY, headers=headers)
            assert answer.status_code == status, name
            assert answer.json()["error"]["message"]
            assert not [n for n in answer.headers if n.startswith("access-control-")]
        same = {"origin": base, "host": base.removeprefix("http://")}
        answer = client.post(path, json=BODY, headers=same)
        assert answer.status_code == 200
        assert not [n for n in answer.headers if n.startswith("access-control-")]
        preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
        assert client.options(path, headers=preflight).status_code == 403


@pytest.mark.parametrize("port", DOORS)
def test_a_second_origin_does_not_hide_the_first(router: Running, port: str) -> None:
    to = urlsplit(getattr(router, port))
    ours = f"http://{to.netloc}"
    with socket.create_connection((to.hostname, to.port), timeout=10) as raw:
        raw.sendall(
            f"GET /health HTTP/1.1\r\nhost: {to.netloc}\r\norigin: https://evil.example\r\n"
            f"origin: {ours}\r\nconnection: close\r\n\r\n".encode()
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 403 ")


def attempt(home: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """A start that should not succeed."""
    ports = dict(zip(("--port", "--litellm-port", "--ccr-port"), free_ports(3), strict=True))
    words = [word for flag, port in ports.items() for word in (flag, str(port))]
    return subprocess.run(
        [sys.executable, "-m", "router", "serve", "--ssh-port", "0", *words, *flags],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(home),
        check=False,
    )


@pytest.mark.parametrize(
    ("host", "keys"),
    [
        ("0.0.0.0", ""),
        ("0.0.0.0", "[litellm]\nkeys = ['a-long-key-of-ours']\n"),
        (
            "0.0.0.0",
            "[litellm]\nkeys = ['a-long-key-of-ours']\n[ccr]\nkeys = ['ccr-dev-key-2024']\n",
        ),
        ("::", "[litellm]\nkeys = ['a-long-key-of-ours']\n[ccr]\nkeys = ['short']\n"),
    ],
)
def test_listening_beyond_this_machine_needs_keys(tmp_path: Path, host: str, keys: str) -> None:
    (tmp_path / "pointsman.toml").write_text(keys)
    (tmp_path / "pointsman.toml").chmod(0o600)
    ended = attempt(tmp_path, "--host", host)
    assert ended.returncode == 1
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert "listening beyond this machine is refused" in line
    assert not (tmp_path / "run" / "control.sock").exists()


def test_nor_while_the_development_password_is_in_force(tmp_path: Path) -> None:
    keys = "[litellm]\nkeys = ['a-long-key-of-ours']\n[ccr]\nkeys = ['another-key-of-ours']\n"
    (tmp_path / "pointsman.toml").write_text(keys)
    ended = attempt(tmp_path, "--host", "0.0.0.0", "--ssh-port", str(free_ports(1)[0]))
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert "development password for SSH is in force" in line


def test_with_keys_every_door_asks_for_one(tmp_path: Path) -> None:
    keys = "[litellm]\nkeys = ['a-long-key-of-ours']\n[ccr]\nkeys = ['another-key-of-ours']\n"
    (tmp_path / "pointsman.toml").write_text(keys)
    with running(tmp_path, "--host", "0.0.0.0") as router:
        for port, path in PLACES:
            answer = httpx.post(getattr(router, port) + path, json=BODY, timeout=30)
            assert answer.status_code == 401, path
        for path in ("/litellm/v1/models", "/ccr/v1/models", "/claude-code/v1/models"):
            assert router.get(path).status_code == 401
            wrong = router.get(path, headers={"x-api-key": "a-long-key-of-our"})
            assert wrong.status_code == 401


def test_all_that_a_fresh_start_makes_is_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "m" / "n" / "h"  # short: a long path moves the socket elsewhere
    before = os.umask(0)
    try:
        with running(home, ssh=True) as router:
            with socket.create_connection(("127.0.0.1", router.ssh_port), timeout=20) as ssh:
                assert ssh.recv(4) == b"SSH-"  # that child makes its key first
            found = {path: path.lstat().st_mode for path in (tmp_path / "m").rglob("*")}
            found[tmp_path / "m"] = (tmp_path / "m").lstat().st_mode
            made = dict(found)
    finally:
        os.umask(before)
    kinds = {stat.S_ISDIR: 0o700, stat.S_ISREG: 0o600, stat.S_ISSOCK: 0o600}
    for path, mode in made.items():
        (wanted,) = (bits for is_one, bits in kinds.items() if is_one(mode))
        assert stat.S_IMODE(mode) == wanted, path
    names = {path.name for path in made}
    assert {"ledger.db", "control.sock", "router.lock", "ssh_host_ed25519_key"} <= names


def test_a_folder_for_the_socket_that_another_user_made_is_not_used(tmp_path: Path) -> None:
    """A long home moves the socket to the shared temporary folder, where anyone may be first."""
    if os.getuid() != 0:
        pytest.skip("only root can stand for another user")
    home, temporary = tmp_path / ("long-" * 22), tmp_path / "tmp"
    temporary.mkdir()
    words = [sys.executable, "-c", "from storage.home import home; print(home().socket)"]
    env = environment(home) | {"TMPDIR": str(temporary)}
    asked = subprocess.run(words, capture_output=True, text=True, env=env, check=True)
    folder = Path(asked.stdout.strip()).parent
    assert folder.parent == temporary
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    ended = subprocess.run(
        [sys.executable, "-m", "router", "serve", "--port", "0", "--ssh-port", "0"],
        capture_output=True,
        text=True,
        timeout=30,
        env=env,
        check=False,
    )
    assert ended.returncode == 1
    assert "belongs to another user" in ended.stderr
