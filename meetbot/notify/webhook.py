"""Posts changes of flags to other programs, signed as the Standard Webhooks specification says."""

from __future__ import annotations

import socket
from datetime import datetime
from ipaddress import ip_address
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from standardwebhooks.webhooks import Webhook
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from meetbot.domain.webhooks import Endpoint
from meetbot.errors import Permanent, Temporary

_TIMEOUT = (5.0, 10.0)
"""Seconds to connect, and between two bytes of the answer, which is not read to its end."""
_GONE = 410


class WebhookSender:
    """`ports.HookPort` over HTTP. No redirect is followed, and no proxy of the environment used."""

    def __init__(self) -> None:
        self._inside = _session(_Usual())
        self._outside = _session(_PublicOnly())

    def post(self, endpoint: Endpoint, delivery_id: str, body: str, *, at: datetime) -> None:
        """Sign and hand over; see `ports.HookPort`. Errors name no part of the body."""
        headers = {
            "content-type": "application/json",
            "user-agent": "meetbot",
            "webhook-id": delivery_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(endpoint.secret).sign(delivery_id, at, body),
        }
        session = self._inside if endpoint.is_internal else self._outside
        try:
            with session.post(
                endpoint.url,
                data=body.encode(),
                headers=headers,
                timeout=_TIMEOUT,
                allow_redirects=False,
                stream=True,
            ) as answer:
                status = answer.status_code
        except _NotPublicError:
            raise Temporary(
                f"{endpoint.name} leads into the district's own network",
                fix="set internal = true for it in the configuration if that is meant",
            ) from None
        except (requests.RequestException, OSError, ValueError) as error:
            raise Temporary(
                f"{endpoint.name} cannot be reached ({type(error).__name__})",
                fix="check its url and that the program runs",
            ) from None
        if status == _GONE:
            raise Permanent(f"{endpoint.name} answered that it is gone (410)")
        if not 200 <= status < 300:
            raise Temporary(f"{endpoint.name} answered with status {status}")

    def close(self) -> None:
        """Close its connections."""
        self._inside.close()
        self._outside.close()


class _NotPublicError(Exception):
    """A name led to an address that is not on the public network."""


def _session(adapter: HTTPAdapter) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session


class _Usual(HTTPAdapter):
    """Any address."""


def _checked(connected: socket.socket) -> socket.socket:
    """Look at the address that was reached, not at the name: that may lead elsewhere next time."""
    if ip_address(connected.getpeername()[0]).is_global:
        return connected
    connected.close()
    raise _NotPublicError


class _PublicConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn())


class _PublicHTTPSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn())


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class _PublicOnly(HTTPAdapter):
    """Only addresses of the public network, whatever name leads to them."""

    def init_poolmanager(self, *args: Any, **values: Any) -> None:
        super().init_poolmanager(*args, **values)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _PublicPool, "https": _PublicHTTPSPool}
