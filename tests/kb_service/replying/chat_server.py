"""An OpenAI-compatible server on loopback that says what a test wants it to say."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Chat:
    """What the server answers, and what it was asked. `said` None repeats the extract behind a greeting."""

    url: str = ""
    said: str | None = None
    status: int = 200
    raw: bytes | None = None
    delay: float = 0.0
    finish_reason: str = "stop"
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def reply(self, body: dict[str, Any]) -> bytes:
        if self.raw is not None:
            return self.raw
        given = json.loads(body["messages"][1]["content"])
        said = self.said if self.said is not None else f"Hello, {given['extract']}"
        choice = {"message": {"role": "assistant", "content": said}, "finish_reason": self.finish_reason}
        return json.dumps({"choices": [choice]}).encode()


@contextmanager
def chatting() -> Iterator[Chat]:
    chat = Chat()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            chat.asked.append(body)
            chat.keys.append(self.headers["Authorization"])
            chat.paths.append(self.path)
            time.sleep(chat.delay)
            payload = chat.reply(body)
            try:
                self.send_response(chat.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)
            except (BrokenPipeError, ConnectionResetError):
                return  # the caller stopped waiting

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    chat.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield chat
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
