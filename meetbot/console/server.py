"""Serves the console by HTTP (waitress). TLS is the work of a proxy before it."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from waitress import create_server, wasyncore

from meetbot.errors import BadInput, Mistake

_LARGEST_BODY = 32 * 1024 * 1024
_THREADS = 8


class ConsoleServer:
    """The console on one address, in a thread of its own."""

    def __init__(self, app: Flask, base_url: str, host: str, port: int) -> None:
        """Raises BadInput when the port is taken."""
        place = urlsplit(base_url)
        self._sockets: dict[int, Any] = {}
        try:
            self._server = create_server(
                app,
                map=self._sockets,
                host="127.0.0.1" if host == "localhost" else host,
                port=port,
                threads=_THREADS,
                ident=None,
                url_scheme=place.scheme,
                url_prefix=place.path,
                # The console itself reads X-Forwarded-For, as far as it is to be believed.
                clear_untrusted_proxy_headers=False,
                max_request_body_size=_LARGEST_BODY,
            )
        except OSError as error:
            raise BadInput(
                [
                    Mistake(
                        "console.listen",
                        f"{host}:{port} cannot be opened ({error.strerror})",
                        "stop the other program, or name another port",
                    )
                ]
            ) from None
        self._thread = threading.Thread(target=self._server.run, name="console")

    @property
    def port(self) -> int:
        """The port that was opened (0 lets the system choose)."""
        return int(self._server.effective_port)

    def start(self) -> None:
        """Serve; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being answered, and end."""
        self._server.task_dispatcher.shutdown()
        if self._thread.is_alive():
            # The loop itself closes its sockets: nobody else knows when it looks at them.
            self._server.trigger.pull_trigger(self._close)
            self._thread.join()
        else:
            self._close()

    def _close(self) -> None:
        wasyncore.close_all(self._sockets)
