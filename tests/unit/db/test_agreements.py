"""Terms come back as they were saved."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from db.central import CENTRAL, AgreementRepository
from db.engine import open_reader, open_writer
from microgrid.terms import Cap, Contract, House, Obligation, PenaltyBasis, Role, Source, Tariff, Terms

TERMS = Terms(
    zone="Asia/Karachi",
    houses=(
        House(house="B", name="Bäckerei", connection_w=5_000, joined=7, left=2**40),
        House(house="A", name="", connection_w=1_000_000),
    ),
    contracts=(
        Contract(
            house="B",
            role=Role.PRODUCER,
            valid_from=29_000_000,
            valid_to=29_044_640,
            max_w=2_500,
            min_w=250,
            price=8_000_000,
            source=Source.SOLAR,
            obligation=Obligation.DAYLIGHT,
        ),
        Contract(house="A", role=Role.CONSUMER, valid_from=29_000_000, valid_to=2**40, max_w=3_000),
        Contract(
            house="B",
            role=Role.PRODUCER,
            valid_from=0,
            valid_to=9,
            max_w=9,
            price=2**40,
            source=Source.GENERATOR,
        ),
    ),
    tariffs=(
        Tariff(valid_from=0, valid_to=29_000_000, national=17_600_000),
        Tariff(
            valid_from=29_000_000,
            valid_to=2**40,
            national=20_000_000,
            feed_in=3_000_001,
            cap=Cap.MINUTE,
            penalty_basis=PenaltyBasis.REPLACEMENT_COST,
            response_s=90,
            deadband_w=10,
        ),
    ),
)


def in_order(terms: Terms) -> Terms:
    """The same terms as entries make them: contracts by house and time."""
    return replace(
        terms, contracts=tuple(sorted(terms.contracts, key=lambda each: (each.house, each.valid_from)))
    )


def test_terms_come_back_equal_also_to_a_reader(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.db", CENTRAL)
    AgreementRepository(writer).found(TERMS, "grid file", "", 0)
    writer.close()
    reader = open_reader(tmp_path / "a.db", CENTRAL)
    assert AgreementRepository(reader).load() == in_order(TERMS)
    reader.close()


def test_saving_replaces_what_was_stored(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.db", CENTRAL)
    repository = AgreementRepository(writer)
    repository.found(TERMS, "grid file", "", 0)
    other = Terms(zone="UTC", houses=TERMS.houses[1:], contracts=(), tariffs=TERMS.tariffs[:1])
    repository.found(other, "grid file", "", 0)
    assert repository.load() == in_order(other)
    writer.close()


def test_a_failed_save_leaves_the_old_terms(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.db", CENTRAL)
    repository = AgreementRepository(writer)
    repository.found(TERMS, "grid file", "", 0)
    twice = Terms(zone="UTC", houses=TERMS.houses[:1] * 2, contracts=(), tariffs=())
    with pytest.raises(Exception, match="UNIQUE"):
        repository.found(twice, "grid file", "", 0)
    assert repository.load() == in_order(TERMS)
    writer.close()


def test_without_terms_loading_says_what_to_do(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.db", CENTRAL)
    with pytest.raises(LookupError, match="save the houses, contracts and tariffs"):
        AgreementRepository(writer).load()
    writer.close()
