"""A conductor for processes: it owns virtual time and moves meters, houses and central tick by tick.

Each process connects to it and names itself in a line of JSON. A tick goes to the meters first, then with
what each meter said to its house, then to the central. Whoever is gone is not waited for.
"""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

TIMEOUT_S = 20.0


@dataclass
class Follower:
    """One process that follows the clock."""

    hello: dict[str, Any]
    connection: socket.socket

    def __post_init__(self) -> None:
        self._lines = self.connection.makefile("r", encoding="utf-8")

    def tell(self, message: dict[str, Any]) -> None:
        """Send it a message."""
        self.connection.sendall(json.dumps(message).encode() + b"\n")

    def answer(self) -> dict[str, Any]:
        """Its next answer; AssertionError if it went away instead."""
        line = self._lines.readline()
        assert line, f"{self.hello} went away in the middle of a tick"
        return json.loads(line)

    def close(self) -> None:
        """Close the connection."""
        self._lines.close()
        self.connection.close()


class Conductor:
    """Listens on loopback; `address` is for the programs' `--stepped-clock`."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(TIMEOUT_S)
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"
        self.refused: dict[str, str] = {}  # what households were told at their kiosk
        self._followers: dict[tuple[str, str], Follower] = {}  # by role and house

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for key in list(self._followers):
            self.forget(*key)
        self._server.close()

    def await_follower(self, role: str, house: str = "") -> dict[str, Any]:
        """Wait until this process has connected; what it said of itself."""
        while (role, house) not in self._followers:
            connection, _ = self._server.accept()
            connection.settimeout(TIMEOUT_S)
            follower = Follower({}, connection)
            follower.hello = follower.answer()
            self._followers[follower.hello["role"], follower.hello.get("house", "")] = follower
        return self._followers[role, house].hello

    def stop(self, role: str, house: str = "") -> None:
        """Tell a process to end in good order, and conduct without it."""
        self._followers[role, house].tell({"stop": True})
        self.forget(role, house)

    def forget(self, role: str, house: str = "") -> None:
        """Conduct without this process: it is gone."""
        self._followers.pop((role, house)).close()

    def tick(
        self,
        minute: int,
        wishes: Mapping[str, dict[str, Any]] = MappingProxyType({}),
        order: dict[str, Any] | None = None,
        written: Mapping[str, dict[str, Any]] = MappingProxyType({}),
    ) -> list[str]:
        """Move everything to the beginning of this minute; the houses that the central says are linked.

        `wishes` are what households answer to a call for a contract, `order` what the operator orders,
        `written` what was written by meters that follow no clock.
        """
        second = {"tick": minute * 60}
        written = {**written, **self._all("meter", dict.fromkeys(self._houses("meter"), second))}
        packets = {
            house: second | {name: written[house][name] for name in ("sequence", "uptime_ms")}
            for house in self._houses("house")
        }
        for house, wish in wishes.items():
            packets[house]["answer"] = wish
        said = self._all("house", packets)
        self.refused |= {house: answer["refused"] for house, answer in said.items() if "refused" in answer}
        answers = self._all("central", dict.fromkeys(self._houses("central"), second | {"order": order}))
        return answers[""]["linked"] if answers else []

    def _houses(self, role: str) -> list[str]:
        return sorted(house for other, house in self._followers if other == role)

    def _all(self, role: str, messages: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Tell all of a role at once, then gather their answers."""
        for house, message in messages.items():
            self._followers[role, house].tell(message)
        answers = {house: self._followers[role, house].answer() for house in messages}
        assert all(answer["done"] == messages[house]["tick"] for house, answer in answers.items())
        return answers
