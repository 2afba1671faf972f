"""The service in a process of its own, on loopback, over a data folder that its caller owns."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent
KB = (sys.executable, "-c", "from kb_service.cli import main; main()")


def kb(data: Path, *arguments: str) -> str:
    """Runs one `kb` command over a data folder; what it printed. Raises CalledProcessError when it fails."""
    return subprocess.run(
        [*KB, *arguments], cwd=ROOT, env=_environment(data), check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def new_key(data: Path, workspace: str, roles: str) -> str:
    created = kb(data, "keys", "create", "--workspace", workspace, "--role", roles, "--json")
    return str(json.loads(created)["key"])


def _environment(data: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "KB_DATA": str(data), "KB_LOG_LEVEL": "warning", "KB_LOG_FORMAT": "json", **more}


class Server:
    """`kb serve` from its start to its stop; `seconds_to_ready` is what the start took."""

    def __init__(self, data: Path, command: Sequence[str] = (*KB, "serve")) -> None:
        self.data = data
        self._command = command
        self.seconds_to_ready = 0.0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, timeout: float = 120) -> None:
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, env=_environment(self.data, KB_PORT=str(self.port))
        )
        while time.perf_counter() - begun < timeout:
            if self._process.poll() is not None:
                raise RuntimeError(f"kb serve ended with status {self._process.returncode}")
            try:
                if httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200:
                    self.seconds_to_ready = time.perf_counter() - begun
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise TimeoutError(f"kb serve was not ready within {timeout:.0f} s")

    def stop(self) -> None:
        """Asks it to end, and waits."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def memory_mb(self) -> float:
        """Resident memory of the serving process alone."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024

    def cpu_seconds(self) -> float:
        """Processor time that the serving process has used so far."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def client(self, key: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def __enter__(self) -> Server:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def checked(response: httpx.Response) -> Any:
    """The JSON of an answer that went well; RuntimeError with what was said otherwise."""
    if response.is_error:
        raise RuntimeError(
            f"{response.request.method} {response.request.url}: {response.status_code} {response.text}"
        )
    return response.json()
