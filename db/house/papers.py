"""The papers a house keeps beside its minutes: what it agreed to, what it was billed, what it found."""

from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select

from db.engine import transaction
from db.house.tables import paper


class PaperKind(StrEnum):
    """What a paper is."""

    BILL = "bill"
    CHECK = "check"  # what the house found of a bill
    ADJUSTMENT = "adjustment"
    CONTRACT = "contract"
    WISH = "wish"  # an answer to Create Contract that the central does not have yet
    SWAP = "swap"  # a meter's exchange that the central does not have yet
    SWAP_TAKEN = "swap taken"  # one that it has


class HousePapers:
    """Papers on the journal's connection; each is known by its kind and a key of its writer's choice.

    What is kept is on the disk when the call returns. Every method raises DatabaseError.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def keep(self, kind: PaperKind, key: str, at_s: int, body: bytes) -> None:
        """Keeps a paper, in the place of an earlier one of the same kind and key."""
        with transaction(self._connection) as connection:
            self._drop(connection, kind, key)
            row = {"kind": kind.value, "key": key, "at_s": at_s, "body": body}
            connection.execute(insert(paper), row)

    def get(self, kind: PaperKind, key: str) -> bytes | None:
        """The paper's body; None if there is none."""
        query = select(paper.c.body).where(paper.c.kind == kind.value, paper.c.key == key)
        with transaction(self._connection) as connection:
            body: bytes | None = connection.scalar(query)
        return body

    def all(self, kind: PaperKind) -> tuple[bytes, ...]:
        """The bodies of all papers of a kind, newest first."""
        query = select(paper.c.body).where(paper.c.kind == kind.value)
        with transaction(self._connection) as connection:
            return tuple(connection.scalars(query.order_by(paper.c.at_s.desc(), paper.c.key.desc())))

    def drop(self, kind: PaperKind, key: str) -> None:
        """Drops a paper; nothing happens if there is none."""
        with transaction(self._connection) as connection:
            self._drop(connection, kind, key)

    def _drop(self, connection: Connection, kind: PaperKind, key: str) -> None:
        connection.execute(delete(paper).where(paper.c.kind == kind.value, paper.c.key == key))
