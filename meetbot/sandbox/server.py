"""The sandbox on a loopback port.

A threaded server of the standard library rather than a WSGI container: dropped connections and
truncated bodies need the socket, and a thread per connection lets simulated latency overlap.
"""

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from meetbot.sandbox.faults import Fault, Kind
from meetbot.sandbox.model import Clock
from meetbot.sandbox.replies import Reply
from meetbot.sandbox.service import TOKEN_PATH, Outcome, Request, RequestLog, Service
from meetbot.sandbox.tokens import service_account_key
from meetbot.sandbox.world import World

LOOPBACK = "127.0.0.1"
_SLOW_PIECES = 8


class Sandbox:
    """A world served over HTTP: `with Sandbox(world) as box: ... box.url, box.credentials`.

    `clock` (aware UTC) replaces the world's. `token_clock` (Unix seconds, default the machine's)
    judges signed assertions and the age of tokens, because clients sign with the machine's clock.
    Port 0 takes a free one. Raises OSError if the port is taken.
    """

    def __init__(
        self,
        world: World,
        *,
        clock: Clock | None = None,
        port: int = 0,
        token_clock: Callable[[], float] = time.time,
    ) -> None:
        if clock is not None:
            world.clock = clock
        self.world = world
        self.requests = RequestLog()
        self._server = _Server((LOOPBACK, port), self.requests)
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self._server.service = Service(world, token_clock, self.url + TOKEN_PATH)
        self._thread: threading.Thread | None = None

    @property
    def credentials(self) -> dict[str, str]:
        """A service-account key whose `token_uri` is this sandbox; fit to be written as JSON."""
        return service_account_key(self.url + TOKEN_PATH)

    def start(self) -> None:
        """Begin to serve, in threads of its own."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, close every connection and wait for the threads."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.close_connections()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 256
    service: Service

    def __init__(self, address: tuple[str, int], log: RequestLog) -> None:
        self.log = log
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Wake the threads that wait for a next request or for simulated latency."""
        self.stopping.set()
        with self._guard:
            for connection in self._connections:
                _hang_up(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the sandbox; others are shown as usual."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        size = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(size) if size else b""
        outcome = self.server.service.answer(Request(self.command, path, query, headers, body))
        if outcome.delay and self.server.stopping.wait(outcome.delay):
            self.close_connection = True
            return
        self.server.log.add(outcome.line)
        self._send(outcome)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - names of the base class

    def _send(self, outcome: Outcome) -> None:
        damage, reply = outcome.damage, outcome.reply
        if damage is None:
            self._head(reply, len(reply.body))
            self.wfile.write(reply.body)
            return
        match damage.kind:
            case Kind.DROP:
                _hang_up(self.connection)
                self.close_connection = True
            case Kind.MALFORMED:
                broken = reply.body[: len(reply.body) // 2] + b'<html>"oops'
                self._head(reply, len(broken))
                self.wfile.write(broken)
            case Kind.TRUNCATED:
                self._head(reply, len(reply.body))
                self.wfile.write(reply.body[: len(reply.body) // 2])
                self.wfile.flush()
                _hang_up(self.connection)
                self.close_connection = True
            case _:
                self._drip(reply, damage)

    def _drip(self, reply: Reply, damage: Fault) -> None:
        """The body in small pieces, so that only a total deadline ends the wait."""
        self._head(reply, len(reply.body))
        step = max(1, -(-len(reply.body) // _SLOW_PIECES))
        for start in range(0, len(reply.body), step):
            self.wfile.flush()
            if self.server.stopping.wait(damage.seconds / _SLOW_PIECES):
                self.close_connection = True
                return
            self.wfile.write(reply.body[start : start + step])

    def _head(self, reply: Reply, size: int) -> None:
        self.send_response_only(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(size))
        self.send_header("Date", self.date_time_string())
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base class
        """Say nothing: requests are in `Sandbox.requests`."""


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
