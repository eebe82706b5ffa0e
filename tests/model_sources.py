"""A package index and a model hub on this machine, for the downloads' tests.

One HTTP server on a thread serves `/simple/` with wheels made here and `/<repository>/resolve/`
as the Hugging Face hub does. It counts what was fetched, and can hold an answer in the middle.
"""

import hashlib
import io
import re
import threading
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Sources:
    """What is offered, and what was asked for. Owner: the test."""

    wheels: dict[str, bytes] = field(default_factory=dict)
    """By distribution name."""
    hub_files: dict[str, bytes] = field(default_factory=dict)
    """By "repository/file"."""
    hub_states: dict[str, str] = field(default_factory=dict)
    """The sha256 the hub claims, where it is not that of the bytes it sends."""
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Hub repositories that are refused: HTTP status and X-Error-Code."""
    fetched: Counter[str] = field(default_factory=Counter)
    """How often the bytes of a wheel or hub file were asked for."""
    resumed_at: list[int] = field(default_factory=list)
    """Offsets at which clients asked to go on."""
    hold: set[str] = field(default_factory=set)
    """Names whose answer stops half-way until `release` is set."""
    release: threading.Event = field(default_factory=threading.Event)
    half_sent: threading.Event = field(default_factory=threading.Event)
    """Set when a held answer has stopped half-way."""
    url: str = ""


def wheel(name: str, version: str, members: dict[str, bytes], *, damage: bool = False) -> bytes:
    """A wheel with these files; `damage` changes a byte after the checksums were written."""
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in members.items():
            archive.writestr(path, data)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    data = packed.getvalue()
    if damage:
        first = next(iter(members.values()))
        at = data.index(first) + len(first) // 2
        data = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
    return data


class _Handler(BaseHTTPRequestHandler):
    sources: Sources

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        path = self.path.split("?")[0].split("#")[0]
        if path.startswith("/simple/"):
            self._index(path.removeprefix("/simple/").strip("/"))
        elif path.startswith("/files/"):
            name = path.removeprefix("/files/").split("-")[0].replace("_", "-")
            self._send(name, self.sources.wheels[name], {}, body=body)
        elif "/resolve/" in path:
            self._hub(path.strip("/"), body=body)
        else:
            self.send_error(404)

    def _index(self, name: str) -> None:
        if name not in self.sources.wheels:
            self.send_error(404)
            return
        file = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
        page = f'<!DOCTYPE html><html><body><a href="/files/{file}">{file}</a></body></html>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page.encode())

    def _hub(self, path: str, *, body: bool) -> None:
        repository, _, rest = path.partition("/resolve/")
        key = f"{repository}/{rest.partition('/')[2]}"
        if repository in self.sources.refusals:
            status, code = self.sources.refusals[repository]
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif key not in self.sources.hub_files:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            data = self.sources.hub_files[key]
            stated = self.sources.hub_states.get(key, hashlib.sha256(data).hexdigest())
            headers = {
                "X-Repo-Commit": COMMIT,
                "X-Linked-Etag": f'"{stated}"',
                "X-Linked-Size": str(len(data)),
                "ETag": f'"{stated}"',
            }
            self._send(key, data, headers, body=body)

    def _send(self, name: str, data: bytes, headers: dict[str, str], *, body: bool) -> None:
        start = 0
        if asked := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            start = int(asked[1])
            self.sources.resumed_at.append(start)
        self.send_response(206 if start else 200)
        for key, value in headers.items():
            self.send_header(key, value)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            data = data[start:]
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if not body:
            return
        self.sources.fetched[name] += 1
        try:
            half = len(data) // 2
            self.wfile.write(data[:half])
            self.wfile.flush()
            if name in self.sources.hold:
                self.sources.half_sent.set()
                self.sources.release.wait(60)
            self.wfile.write(data[half:])
        except OSError:
            pass  # the other side has gone, as some tests want


class SourceServer:
    """The running server; `with` ends it."""

    def __init__(self) -> None:
        self.sources = Sources()
        handler = type("Handler", (_Handler,), {"sources": self.sources})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.sources.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Sources:
        self._thread.start()
        return self.sources

    def __exit__(self, *_: object) -> None:
        self.sources.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
