"""What a person in a call is to the supervision algebra (catalogue §3)."""

from __future__ import annotations

from enum import StrEnum


class PersonClass(StrEnum):
    """One class per person. `PARTNER` is any non-exempt outsider with an identity (E1 to E3)."""

    STAFF = "staff"
    PARTNER = "partner"
    STUDENT = "student"
    UNIDENTIFIED = "unidentified"
    ROOM = "room"
