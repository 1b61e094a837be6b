import pytest

from simulation.plant.faults import Fault, FaultKind, fault_of


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("stuck@0", Fault(FaultKind.STUCK, 0)),
        ("tripped@30-90", Fault(FaultKind.TRIPPED, 30, 90)),
        ("deaf@1440-1441", Fault(FaultKind.DEAF, 1440, 1441)),
    ],
)
def test_a_fault_is_written_as_its_kind_and_minutes(text, fault):
    assert fault_of(text) == fault


@pytest.mark.parametrize(
    "text", ["", "stuck", "stuck@", "lazy@5", "Stuck@5", "stuck@5-", "stuck@-5", "open@1.5"]
)
def test_what_is_no_fault_is_said_with_what_would_be(text):
    with pytest.raises(
        ValueError, match=r"is no fault; write KIND@FROM.*stuck, tripped, open, slow, deaf"
    ) as found:
        fault_of(text)
    assert str(found.value).startswith(repr(text))


@pytest.mark.parametrize("text", ["slow@9-9", "slow@9-8"])
def test_a_fault_cannot_end_before_it_begins(text):
    with pytest.raises(ValueError, match="ends before it begins"):
        fault_of(text)


def test_it_holds_from_its_first_minute_until_before_its_last():
    assert [Fault(FaultKind.OPEN, 2, 4).holds(minute) for minute in range(6)] == [False] * 2 + [True] * 2 + [
        False
    ] * 2
    assert Fault(FaultKind.OPEN, 2).holds(10**9)
