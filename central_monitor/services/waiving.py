"""How much of a house's penalties of a month the operator may waive."""

from collections.abc import Iterable

from central_monitor.services.records import Records
from microgrid.months import month_minutes, zone_of
from microgrid.statement import Statements
from microgrid.terms import Terms
from microgrid.waiver import Waiver, charged_by, waived


def left_of(waivers: Iterable[Waiver], statements: Statements, house: str) -> int:
    """What these statements of a month charge a house in penalties, less what is waived of it."""
    charged = charged_by(statements, house)
    of_house = (waiver for waiver in waivers if waiver.house == house)
    return charged - sum(waived(of_house, charged).values())


def waivable(records: Records, terms: Terms, month: str, house: str) -> int:
    """How much may be waived now: by the newest run, or by what the month has come to if it is not billed.

    LookupError if nothing is recorded of the month.
    """
    billing = records.billing
    run = billing.latest(month)
    if run is not None:
        statements = run.statements
    else:
        statements = records.settle(terms, month, recorded_through(records, terms, month)).statements()
    return left_of(billing.waivers.of(month), statements, house)


def recorded_through(records: Records, terms: Terms, month: str) -> int:
    """The minute up to which a month is recorded; LookupError if nothing is."""
    minutes = month_minutes(month, zone_of(terms.zone))
    last = max((row.minute for row in records.minutes.last_minutes().values()), default=-1)
    through = min(minutes.stop, last + 1)
    if through <= minutes.start or not records.minutes.any_in(minutes.start, minutes.stop):
        raise LookupError(f"Nothing is recorded of {month} yet.")
    return through
