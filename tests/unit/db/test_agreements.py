"""Terms come back as they were agreed; entries are added and never changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from db.central import CENTRAL, AgreementRepository
from db.engine import open_reader, open_writer
from microgrid.agreements import Basis, ContractEntry, TariffEntry, founding_entries, terms_of
from microgrid.contracting import ContractPolicy, ContractRound, Silence
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


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[AgreementRepository]:
    connection = open_writer(tmp_path / "a.db", CENTRAL)
    repository = AgreementRepository(connection)
    repository.found(TERMS, "grid file", "as delivered", 5)
    yield repository
    connection.close()


def entry(
    house: str,
    minutes: range,
    *,
    sold: bool | None = True,
    basis: Basis = Basis.ANSWERED,
    month: str = "2025-03",
) -> ContractEntry:
    contract = None
    if sold is not None:
        kind = (
            {"role": Role.PRODUCER, "source": Source.SOLAR, "price": 2**40}
            if sold
            else {"role": Role.CONSUMER}
        )
        contract = Contract(
            house=house,
            valid_from=minutes.start,
            valid_to=minutes.stop,
            max_w=9,
            **kind,
        )
    return ContractEntry(
        house=house,
        month=month,
        valid_from=minutes.start,
        valid_to=minutes.stop,
        contract=contract,
        basis=basis,
        author=f"house {house}",
        note="größer",
        entered_s=77,
    )


def test_entries_are_kept_in_the_order_they_were_entered(repository: AgreementRepository) -> None:
    founded, tariffs = founding_entries(TERMS, "grid file", "as delivered", 5)
    assert (repository.contract_entries(), repository.tariff_entries()) == (founded, tariffs)
    later, earlier = entry("B", range(29_000_100, 29_000_200)), entry("A", range(7, 9), sold=None)
    repository.add_contracts([later, earlier])
    repository.add_contracts([later])
    assert repository.contract_entries() == (*founded, later, earlier, later)
    assert repository.contract_entries("A") == (founded[1], earlier)
    assert repository.contract_entries("nobody") == ()
    dearer = Tariff(valid_from=100, valid_to=200, national=19_000_000, cap=Cap.OFF)
    corrected = TariffEntry(tariff=dearer, author="Ada", note="gazette", entered_s=99)
    repository.add_tariff(corrected)
    assert repository.tariff_entries() == (*tariffs, corrected)
    assert repository.load() == terms_of(
        TERMS.zone, TERMS.houses, (*founded, later, earlier, later), (*tariffs, corrected)
    )
    assert repository.load().tariff_at(150) == dearer


def test_the_contract_of_an_entry_is_in_force_for_the_entry_s_minutes(
    repository: AgreementRepository,
) -> None:
    given = entry("A", range(10, 20))
    assert given.contract is not None
    longer = replace(given, contract=replace(given.contract, valid_to=99))
    repository.add_contracts([longer])
    assert repository.contract_entries("A")[-1] == given


def test_entries_that_cannot_all_be_stored_leave_nothing(repository: AgreementRepository) -> None:
    before = repository.contract_entries()
    with pytest.raises(Exception, match="FOREIGN KEY"):
        repository.add_contracts([entry("A", range(10, 20)), entry("nobody", range(10, 20))])
    assert repository.contract_entries() == before


def test_houses_join_and_change(repository: AgreementRepository) -> None:
    joined = House(house="0", name="New", connection_w=4_000, joined=29_000_500)
    repository.add_house(joined)
    assert repository.load().houses == (*TERMS.houses, joined)
    gone = replace(joined, name="Newer", connection_w=5_000, left=29_000_900)
    repository.change_house(gone)
    assert repository.load().houses == (*TERMS.houses, gone)
    with pytest.raises(LookupError, match="no house X"):
        repository.change_house(replace(joined, house="X"))
    with pytest.raises(Exception, match="UNIQUE"):
        repository.add_house(joined)
    assert repository.load().houses == (*TERMS.houses, gone)


MONTH = range(29_044_640, 29_089_280)
ASKED = ContractRound(
    month="2025-03", minutes=MONTH, houses=("A", "B"), opened_s=1, closes_s=MONTH.start * 60, opened_by="Ada"
)


def test_a_round_comes_back_as_it_was_saved_and_its_entries_count_once(
    repository: AgreementRepository,
) -> None:
    assert (repository.rounds(), repository.round("2025-03")) == ((), None)
    founded = repository.contract_entries()
    repository.save_round(ASKED)
    assert repository.round("2025-03") == ASKED
    assert repository.round("2025-04") is None
    answered, silent = entry("B", MONTH), entry("A", MONTH, sold=None, basis=Basis.NO_ANSWER)
    half = replace(ASKED, entries=(answered,))
    repository.save_round(half)
    repository.save_round(half)
    assert repository.round("2025-03") == half
    final = replace(half, entries=(answered, silent), final_s=MONTH.start * 60)
    repository.save_round(final)
    assert repository.round("2025-03") == final
    assert repository.contract_entries() == (*founded, answered, silent)
    assert repository.load().contract_at("B", MONTH.start) == answered.contract


def test_a_house_agrees_once_in_a_round(repository: AgreementRepository) -> None:
    agreed = replace(ASKED, entries=(entry("B", MONTH),))
    repository.save_round(agreed)
    with pytest.raises(Exception, match="UNIQUE"):
        repository.save_round(replace(ASKED, entries=(entry("B", MONTH, sold=False),), final_s=7))
    assert repository.round("2025-03") == agreed


def test_a_month_s_own_round_comes_before_those_of_houses_that_joined_later(
    repository: AgreementRepository,
) -> None:
    late = range(MONTH.start + 100, MONTH.stop)
    joiner = replace(ASKED, minutes=late, houses=("B",), entries=(entry("B", late),))
    before = replace(ASKED, month="2025-02", minutes=range(MONTH.start - 100, MONTH.start))
    for asked in (joiner, ASKED, before):
        repository.save_round(asked)
    assert repository.rounds() == (before, ASKED, joiner)
    assert repository.round("2025-03") == ASKED


def test_the_policy_is_the_default_until_it_is_set(repository: AgreementRepository) -> None:
    assert repository.policy() == ContractPolicy()
    for policy in (ContractPolicy(opens_days=5, silence=Silence.NONE), ContractPolicy(opens_days=1)):
        repository.save_policy(policy)
        assert repository.policy() == policy
    assert repository.load().zone == TERMS.zone
