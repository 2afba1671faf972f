"""A mail server on loopback that keeps what it is given."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType


class Mailbox:
    """Speaks as much SMTP as a client needs. `refusals` are answers to RCPT, used up one by one; "drop" ends the
    connection after the mail was taken and before that was said."""

    def __init__(self, refusals: list[str] | None = None) -> None:
        self.refusals = refusals if refusals is not None else []
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.commands: list[str] = []
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 mailbox ready")
                drop, to = False, []
                while line := self.rfile.readline().decode().strip():
                    outer.commands.append(line)
                    verb = line.partition(" ")[0].upper()
                    if verb in ("EHLO", "HELO", "MAIL", "RSET", "NOOP"):
                        self._say("250 ok")
                    elif verb == "RCPT":
                        refusal = outer.refusals.pop(0) if outer.refusals else ""
                        drop = refusal == "drop"
                        to.append(line.partition("<")[2].partition(">")[0])
                        self._say(refusal if refusal and not drop else "250 ok")
                    elif verb == "DATA":
                        self._say("354 go on")
                        outer.mails.append(self._read())
                        outer.recipients.append(to)
                        to = []
                        if drop:
                            return
                        self._say("250 taken")
                    elif verb == "QUIT":
                        self._say("221 bye")
                        return
                    else:
                        self._say("502 not here")

            def _say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

            def _read(self) -> EmailMessage:
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.removeprefix(b"."))
                found = message_from_bytes(b"".join(lines), policy=policy.default)
                assert isinstance(found, EmailMessage)
                return found

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.port = int(self._server.server_address[1])
        self.url = f"smtp://127.0.0.1:{self.port}?tls=none"

    def __enter__(self) -> Mailbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
