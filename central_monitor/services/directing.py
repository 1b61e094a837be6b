"""The operator's orders about steering: how load is shared, sellers held, out of service, and back (ch. 6).

Each is checked here, stored, and then in force; none is ever overwritten.
"""

from collections.abc import Iterable
from typing import Protocol

from central_monitor.operator import OrderRefused
from central_monitor.services.agreed import Agreed
from central_monitor.services.refusing import named, said
from microgrid.directives import Directive, DirectiveKind, Standing, StrategyName, standing
from microgrid.terms import Contract, Role
from microgrid.units import MINUTES_PER_DAY, SECONDS_PER_MINUTE

LONGEST_OUT_DAYS = 366


class DirectiveStore(Protocol):
    """Where directives are kept."""

    async def add_directive(self, directive: Directive) -> None:
        """Keep a directive; returns once it is on the disk."""


class Directed(Protocol):
    """Who obeys them."""

    def direct(self, standing: Standing) -> None:
        """From the next step on this is what the operator wants."""


class Directing:
    """Owned by the network thread. Every order raises `OrderRefused` in words if it cannot be."""

    def __init__(
        self, store: DirectiveStore, agreed: Agreed, directed: Directed, directives: Iterable[Directive]
    ) -> None:
        """`directives` are those entered so far, in order."""
        self._store = store
        self._agreed = agreed
        self._directed = directed
        self._directives = list(directives)

    async def set_strategy(self, strategy: StrategyName, author: str, note: str, now_s: int) -> None:
        """Divide demand among sellers in this way from the next control step on."""
        await self._enter(
            Directive(
                kind=DirectiveKind.STRATEGY, strategy=strategy, author=author, note=note, entered_s=now_s
            )
        )

    async def hold(self, house: str, target_w: int, author: str, note: str, now_s: int) -> None:
        """Hold a seller at this power, within its contract."""
        contract = self._seller(house, now_s)
        if not contract.min_w <= target_w <= contract.max_w:
            raise OrderRefused(
                f"House {house} has agreed to give {contract.min_w / 1000:g} to {contract.max_w / 1000:g} kW;"
                " hold it within that, or take it out of service."
            )
        if self._standing().out_of_service(house, now_s // SECONDS_PER_MINUTE):
            raise OrderRefused(f"House {house} is out of service; return it to service first.")
        await self._enter(
            Directive(
                kind=DirectiveKind.HOLD,
                house=house,
                target_w=target_w,
                author=author,
                note=note,
                entered_s=now_s,
            )
        )

    async def release(self, house: str, author: str, note: str, now_s: int) -> None:
        """A seller that was held is dispatched again."""
        if house not in self._standing().held:
            raise OrderRefused(f"House {house} is not held.")
        await self._enter(
            Directive(kind=DirectiveKind.RELEASE, house=house, author=author, note=note, entered_s=now_s)
        )

    async def take_out_of_service(
        self, house: str, until_minute: int, author: str, note: str, now_s: int
    ) -> None:
        """From the next minute until this one a seller owes nothing and is asked for nothing."""
        self._seller(house, now_s)
        minute = now_s // SECONDS_PER_MINUTE
        if not minute < until_minute <= minute + LONGEST_OUT_DAYS * MINUTES_PER_DAY:
            raise OrderRefused("The end must lie ahead, and within a year.")
        await self._enter(
            Directive(
                kind=DirectiveKind.OUT_OF_SERVICE,
                house=house,
                until_minute=until_minute,
                author=author,
                note=note,
                entered_s=now_s,
            )
        )

    async def return_to_service(self, house: str, author: str, note: str, now_s: int) -> None:
        """A seller is in service again, before the end that was set."""
        if not self._standing().out_of_service(house, now_s // SECONDS_PER_MINUTE):
            raise OrderRefused(f"House {house} is not out of service.")
        await self._enter(
            Directive(kind=DirectiveKind.IN_SERVICE, house=house, author=author, note=note, entered_s=now_s)
        )

    def _standing(self) -> Standing:
        return standing(self._directives)

    def _seller(self, house: str, now_s: int) -> Contract:
        contract = self._agreed.contracts_at(now_s // SECONDS_PER_MINUTE).get(house)
        if contract is None or contract.role is not Role.PRODUCER:
            raise OrderRefused(f"House {house} has no producer's contract now; only sellers can be steered.")
        return contract

    async def _enter(self, directive: Directive) -> None:
        """Store a directive; it is in force once it is on the disk."""
        named(directive.author)
        said(directive.note, "why this is ordered")
        await self._store.add_directive(directive)
        self._directives.append(directive)
        self._directed.direct(self._standing())
