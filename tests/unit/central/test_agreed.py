"""Which contracts are in force: found anew only when one begins or ends, and always what the terms say."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from central_monitor.services.agreed import Agreed
from microgrid.agreements import overlay
from microgrid.ledger import block_terms
from microgrid.terms import Contract, Role, Terms
from tests.unit.central.parts import buyer, seller, terms

TERMS = terms(seller("B", 8), buyer("A"), extra=("N",))
edges = st.integers(0, 30)


@st.composite
def many_terms(draw: st.DrawFn) -> Terms:
    """Contracts that begin and end in the first half hour ever, of houses that come and go in it."""
    houses = tuple(
        replace(house, joined=draw(edges), left=draw(edges) + 15) if draw(st.booleans()) else house
        for house in TERMS.houses
    )
    contracts: list[Contract] = []
    for name in "ABN":
        layers = draw(st.lists(st.tuples(edges, edges, st.booleans()), max_size=4))
        for start, end, sells in overlay(layers):
            contract = seller(name, 8) if sells else buyer(name)
            contracts.append(replace(contract, valid_from=start, valid_to=end))
    return replace(TERMS, houses=houses, contracts=tuple(contracts))


@given(many_terms(), st.lists(st.integers(0, 50), max_size=20))
def test_what_is_in_force_is_what_a_minute_is_settled_with(found: Terms, minutes: list[int]) -> None:
    agreed = Agreed(TERMS)
    agreed.change(found)
    names = tuple(sorted(house.house for house in found.houses))
    for minute in minutes:
        in_force = agreed.contracts_at(minute)
        settled = block_terms(replace(found, tariffs=TERMS.tariffs), names, minute)
        roles = [None if name not in in_force else in_force[name].role for name in names]
        assert [role is Role.PRODUCER for role in roles] == settled.producer.tolist()
        assert [role is Role.CONSUMER for role in roles] == settled.consumer.tolist()
        assert all(contract == found.contract_at(house, minute) for house, contract in in_force.items())


def test_a_change_is_seen_at_once() -> None:
    agreed = Agreed(TERMS)
    assert agreed.contracts_at(5).keys() == {"A", "B"}
    agreed.change(replace(TERMS, contracts=TERMS.contracts[:1]))
    assert agreed.terms.contracts == TERMS.contracts[:1]
    assert agreed.contracts_at(5).keys() == {"B"}
