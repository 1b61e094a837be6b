"""Terms come back as they were saved."""

from pathlib import Path

import pytest

from db.central import CENTRAL, TermsRepository
from db.engine import open_reader, open_writer
from microgrid.terms import Cap, Contract, House, Obligation, PenaltyBasis, Role, Source, Tariff, Terms

TERMS = Terms(
    zone="Asia/Karachi",
    houses=(
        House(house="B", name="Bäckerei", connection_w=5_000),
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


def test_terms_come_back_equal_also_to_a_reader(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.db", CENTRAL)
    TermsRepository(writer).save(TERMS)
    writer.close()
    reader = open_reader(tmp_path / "a.db", CENTRAL)
    assert TermsRepository(reader).load() == TERMS
    reader.close()


def test_saving_replaces_what_was_stored(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.db", CENTRAL)
    repository = TermsRepository(writer)
    repository.save(TERMS)
    other = Terms(zone="UTC", houses=TERMS.houses[1:], contracts=(), tariffs=TERMS.tariffs[:1])
    repository.save(other)
    assert repository.load() == other
    writer.close()


def test_a_failed_save_leaves_the_old_terms(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.db", CENTRAL)
    repository = TermsRepository(writer)
    repository.save(TERMS)
    twice = Terms(zone="UTC", houses=TERMS.houses[:1] * 2, contracts=(), tariffs=())
    with pytest.raises(Exception, match="UNIQUE"):
        repository.save(twice)
    assert repository.load() == TERMS
    writer.close()


def test_without_terms_loading_says_what_to_do(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.db", CENTRAL)
    with pytest.raises(LookupError, match="save the houses, contracts and tariffs"):
        TermsRepository(writer).load()
    writer.close()
