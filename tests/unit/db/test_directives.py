"""What the operator ordered by hand comes back as it was entered, in that order, after a restart too."""

from pathlib import Path
from typing import Any

from db.central import CENTRAL, DirectiveRepository
from db.engine import open_reader, open_writer
from microgrid.directives import Directive, DirectiveKind, StrategyName, standing


def directive(kind: DirectiveKind, entered_s: int = 5, **values: Any) -> Directive:
    return Directive(kind=kind, author="Ö. Operator", note="for a reason", entered_s=entered_s, **values)


GIVEN = (
    directive(DirectiveKind.STRATEGY, strategy=StrategyName.MERIT_ORDER),
    directive(DirectiveKind.HOLD, house="B", target_w=0),
    directive(DirectiveKind.RELEASE, entered_s=2**40, house="B"),
    directive(DirectiveKind.OUT_OF_SERVICE, house="B", until_minute=2**40),
    directive(DirectiveKind.IN_SERVICE, entered_s=1, house="B"),
    directive(DirectiveKind.HOLD, house="D", target_w=1_500),
)


def test_directives_are_kept_in_the_order_entered(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = open_writer(path, CENTRAL)
    for one in GIVEN:
        DirectiveRepository(connection).add(one)
    connection.close()
    for opened in (open_writer, open_reader):
        connection = opened(path, CENTRAL)
        assert DirectiveRepository(connection).all() == GIVEN
        connection.close()
    assert standing(GIVEN).held == {"D": GIVEN[-1]}


def test_a_new_database_has_no_directives(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "a.db", CENTRAL)
    assert DirectiveRepository(connection).all() == ()
    connection.close()
