"""What the operator has ordered by hand: how load is shared, sellers held or out of service (ch. 6).

Directives are only added; what stands is the newest of each seller, and the newest about sharing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from microgrid.units import SECONDS_PER_MINUTE


class StrategyName(StrEnum):
    """The ways to divide demand among sellers."""

    DAY_TIME = "day time"  # load sharing: to the sun by day, to generators by night (6.4)
    MERIT_ORDER = "merit order"  # cheapest first, whatever the source
    OFF = "sharing off"  # the raise loop alone: everybody equally loaded (5.7.1)


class DirectiveKind(StrEnum):
    """What a directive is about."""

    STRATEGY = "strategy"
    HOLD = "hold"
    RELEASE = "release"  # dispatched again after a hold
    OUT_OF_SERVICE = "out of service"
    IN_SERVICE = "in service"  # again, before the end that was set


class Directive(msgspec.Struct, frozen=True, kw_only=True):
    """One order of the operator. `house` is empty for a strategy.

    `target_w` is what a seller is held at. Out of service ends at `until_minute` by itself.
    """

    kind: DirectiveKind
    author: str
    note: str
    entered_s: int
    house: str = ""
    strategy: StrategyName | None = None
    target_w: int | None = None
    until_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of all directives. A seller out of service is not held."""

    strategy: StrategyName = StrategyName.DAY_TIME
    strategy_by: Directive | None = None  # None: nobody has changed it yet
    held: Mapping[str, Directive] = field(default_factory=dict)
    out: Mapping[str, Directive] = field(default_factory=dict)

    def out_of_service(self, house: str, minute: int) -> bool:
        """Whether the house is out of service in this minute, from its beginning."""
        directive = self.out.get(house)
        if directive is None or directive.until_minute is None:
            return False
        return directive.entered_s <= minute * SECONDS_PER_MINUTE and minute < directive.until_minute


def standing(directives: Iterable[Directive]) -> Standing:
    """What stands of these directives, in the order they were entered."""
    strategy_by: Directive | None = None
    held: dict[str, Directive] = {}
    out: dict[str, Directive] = {}
    for directive in directives:
        house = directive.house
        match directive.kind:
            case DirectiveKind.STRATEGY:
                strategy_by = directive
            case DirectiveKind.HOLD:
                held[house] = directive
            case DirectiveKind.RELEASE:
                held.pop(house, None)
            case DirectiveKind.OUT_OF_SERVICE:
                held.pop(house, None)
                out[house] = _carried_on(out.get(house), directive)
            case DirectiveKind.IN_SERVICE:
                if house in out:
                    out[house] = _ended(out[house], directive.entered_s)
    named = None if strategy_by is None else strategy_by.strategy
    return Standing(named or StrategyName.DAY_TIME, strategy_by, held, out)


def strategies(directives: Iterable[Directive], minutes: range) -> list[StrategyName]:
    """How load was shared in each of these minutes: what stood as it began.

    Directives come in the order they were entered.
    """
    found = [StrategyName.DAY_TIME] * len(minutes)
    for directive in directives:
        if directive.kind is DirectiveKind.STRATEGY and directive.strategy is not None:
            first = -(-directive.entered_s // SECONDS_PER_MINUTE)
            begun = min(max(0, first - minutes.start), len(minutes))
            found[begun:] = [directive.strategy] * (len(minutes) - begun)
    return found


def _carried_on(before: Directive | None, directive: Directive) -> Directive:
    """The same, without a gap in the minute under way if the house was out of service before it."""
    if before is None or (before.until_minute or 0) * SECONDS_PER_MINUTE <= directive.entered_s:
        return directive
    return replace(directive, entered_s=before.entered_s)


def _ended(directive: Directive, at_s: int) -> Directive:
    """The same, ended early; the minute under way counts as out of service."""
    minute = -(-at_s // SECONDS_PER_MINUTE)
    return replace(directive, until_minute=min(directive.until_minute or minute, minute))
