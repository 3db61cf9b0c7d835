"""Tokens of other programs: `ports.TokenStore`."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from meetbot.domain.chain import LinkKind
from meetbot.domain.tokens import ApiToken, Scope
from meetbot.errors import NotFound
from meetbot.ports import KeptAnswer
from meetbot.store.chain import SqlChain, digest_of
from meetbot.store.columns import clean, clean_key
from meetbot.store.tables import api_answers, api_tokens


class SqlTokens:
    """Tokens in one transaction; each coming and each end is a link of the chain."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chain = SqlChain(connection)

    def add(self, token: ApiToken) -> None:
        """Store a new token."""
        row = {
            "id": clean_key(token.id),
            "program": clean(token.name),
            "digest": token.digest,
            "scopes": " ".join(sorted(token.scopes)),
            "by": clean(token.by),
            "added_at": token.added_at,
            "expires_at": token.expires_at,
        }
        link = self._link(token.id, "api_tokens", row, token.added_at)
        self._connection.execute(insert(api_tokens), row | {"link": link})

    def end(self, token_id: str, *, by: str, at: datetime) -> ApiToken:
        """End a token; raises `NotFound` where none of this id is in force."""
        row = self._connection.execute(
            select(api_tokens).where(api_tokens.c.id == token_id, api_tokens.c.ended_at.is_(None))
        ).first()
        if row is None:
            raise NotFound(f"no token {token_id} is in force", fix="see `meetbot token list`")
        ended = {"id": row.id, "ended_at": at, "ended_by": clean(by)}
        link = self._link(row.id, "api_token_ends", ended, at)
        self._set(row.id, ended_at=at, ended_by=clean(by), ended_link=link)
        return _token(
            self._connection.execute(select(api_tokens).where(api_tokens.c.id == row.id)).one()
        )

    def _link(self, token_id: str, table: str, row: dict[str, Any], at: datetime) -> int:
        rows = {"rows": {table: [digest_of(table, row)]}}
        return self._chain.append(LinkKind.TOKEN, token_id, rows, at=at).sequence

    def find(self, digest: str) -> ApiToken | None:
        """The token of a digest, ended and expired ones too."""
        row = self._connection.execute(
            select(api_tokens).where(api_tokens.c.digest == digest)
        ).first()
        return None if row is None else _token(row)

    def used(self, token_id: str, *, at: datetime) -> None:
        """Note that it was used."""
        self._set(token_id, used_at=at)

    def _set(self, token_id: str, **values: Any) -> None:
        self._connection.execute(
            update(api_tokens).where(api_tokens.c.id == token_id).values(**values)
        )

    def list(self) -> builtins.list[ApiToken]:
        """All tokens, oldest first."""
        query = select(api_tokens).order_by(api_tokens.c.added_at, api_tokens.c.id)
        return [_token(row) for row in self._connection.execute(query)]

    def answered(self, token_id: str, key: str) -> KeptAnswer | None:
        """What a request with this key of its own was answered."""
        row = self._connection.execute(
            select(api_answers).where(
                api_answers.c.token_id == token_id, api_answers.c.request_key == key
            )
        ).first()
        return None if row is None else KeptAnswer(row.asked, row.body)

    def answer(self, token_id: str, key: str, asked: str, body: str, *, at: datetime) -> None:
        """Remember an answer."""
        row = {
            "token_id": token_id,
            "request_key": key,
            "asked": asked,
            "body": body,
            "answered_at": at,
        }
        self._connection.execute(insert(api_answers), row)

    def forget_answers(self, *, before: datetime) -> int:
        """Forget answers given before an instant; gives how many."""
        old = delete(api_answers).where(api_answers.c.answered_at < before)
        return self._connection.execute(old).rowcount


def _token(row: Row[Any]) -> ApiToken:
    return ApiToken(
        row.id,
        row.program,
        row.digest,
        tuple(Scope(scope) for scope in row.scopes.split()),
        row.by,
        row.added_at,
        row.expires_at,
        row.used_at,
        row.ended_at,
        row.ended_by,
    )
