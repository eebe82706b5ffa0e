"""A real llama-server, started for comparison and for the tests of the `openai` back-end.

Both sides live here. `llama_server` starts a child with this module as its program and ends
it with the block; the child serves on the loopback interface with the server that the
`xllamacpp` wheel carries, says its address in one line of JSON, and ends when its standard
input does, so it never outlives whoever started it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click


class ServerDidNotStart(Exception):
    """llama-server ended before it listened; the message is for people."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How the server runs. Counts are tokens; the defaults are llama-server's own."""

    model: Path
    port: int = 0
    """0: any free port."""
    threads: int = 0
    """0: as many as the server thinks good."""
    n_batch: int = 2048
    """llama-server's `/infill` cuts its prompt to this: 3/4 before the cursor, 1/4 after."""
    context_tokens: int = 4096
    cache_reuse: int = 0
    """Smallest piece of KV cache it moves when text before it changed; 0 never."""
    slots: int = 1
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers. `url` has no slash at its end."""

    url: str
    pid: int


@contextmanager
def llama_server(options: ServerOptions, *, log: Path | None = None) -> Iterator[RunningServer]:
    """Run a server for the length of the block. Blocks while the model loads.

    The server's own log goes to `log`, or nowhere. Raises `ServerDidNotStart`.
    """
    command = [sys.executable, "-P", "-m", "inkling.cli.bench.llama_server"]
    command += _arguments(options)
    environment = os.environ | {"INKLING_LLAMA_SERVER_KEY": options.api_key}
    with (
        Path(log or os.devnull).open("wb") as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
        ) as child,
    ):
        assert child.stdout is not None
        try:
            line = child.stdout.readline()
            if not line:
                raise ServerDidNotStart(_why(child.wait(), log))
            yield RunningServer(json.loads(line)["url"], child.pid)
        finally:
            # The native server has no orderly end worth waiting for, and nothing to save.
            child.kill()


def _arguments(options: ServerOptions) -> list[str]:
    return [
        f"--model={options.model}",
        f"--port={options.port}",
        f"--threads={options.threads}",
        f"--n-batch={options.n_batch}",
        f"--ctx-size={options.context_tokens}",
        f"--cache-reuse={options.cache_reuse}",
        f"--parallel={options.slots}",
    ]


def _why(exit_status: int, log: Path | None) -> str:
    words = log.read_text(errors="replace").strip().splitlines() if log else []
    reason = words[-1] if words else f"it ended with status {exit_status}"
    return f"llama-server did not start: {reason}"


@click.command()
@click.option("--model", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--port", default=0)
@click.option("--threads", default=0)
@click.option("--n-batch", default=2048)
@click.option("--ctx-size", default=4096)
@click.option("--cache-reuse", default=0)
@click.option("--parallel", default=1)
def main(
    model: Path,
    port: int,
    threads: int,
    n_batch: int,
    ctx_size: int,
    cache_reuse: int,
    parallel: int,
) -> None:
    """Serve MODEL on 127.0.0.1 until standard input ends."""
    try:
        import xllamacpp
    except ImportError:
        sys.exit("the xllamacpp package is missing; install it with: pip install xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    if threads:
        parameters.cpuparams.n_threads = threads
        parameters.cpuparams_batch.n_threads = threads
    parameters.n_batch = n_batch
    parameters.n_ubatch = min(n_batch, 512)
    parameters.n_ctx = ctx_size
    parameters.n_cache_reuse = cache_reuse
    parameters.n_parallel = parallel
    parameters.ui = False
    if key := os.environ.get("INKLING_LLAMA_SERVER_KEY"):
        parameters.api_keys = [key]
    server = xllamacpp.Server(parameters)
    click.echo(json.dumps({"url": server.listening_address}))
    sys.stdin.buffer.read()
    # Not an orderly exit: that waits for a running request.
    os._exit(0)


if __name__ == "__main__":
    main()
