"""A house with a Modbus meter as processes in real time: meter, house and central."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cable import Cable
from tests.e2e.live import live_central
from tests.e2e.processes import HOUSE, run, wait_until
from tests.e2e.test_live import assert_ends, live_house
from tests.unit.house.sdm630_bench import Bench, Wires


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


@pytest.fixture
def wires() -> Iterator[Wires]:
    made = Wires()
    yield made
    made.close()


@pytest.mark.parametrize("line", ["tcp", "rtu"])
def test_a_house_reads_it_and_is_linked(bench: Bench, wires: Wires, line: str, tmp_path: Path) -> None:
    if line == "tcp":
        address = f"modbus-tcp://127.0.0.1:{bench.serve_tcp()}"
    else:
        bench.serve_rtu(wires.there)
        address = f"modbus-rtu://{wires.here}"
    with (
        live_central(tmp_path) as (central, port),
        Cable(port) as cable,
        live_house(tmp_path, "A", address, cable.port) as house,
    ):
        wait_until(lambda: cable.answers >= 3, "a welcome and polls")
        wait_until(lambda: len(bench.units[1].asked) >= 4, "four requests")
        assert_ends(house)
        assert_ends(central)
    for log in (tmp_path / "central.log", tmp_path / "A" / "house.log"):
        assert " ERROR " not in log.read_text(encoding="utf-8")
    assert not list(tmp_path.rglob("*crash*"))


def test_an_address_that_is_none_is_said_in_a_sentence(tmp_path: Path) -> None:
    ended = run(HOUSE, "--headless", "--house", "A", "--meter", "modbus-tcp://", "--data", tmp_path)
    assert ended.returncode == 2
    assert "--meter/--serial: 'modbus-tcp://' is no meter's address: it names no computer." in ended.stderr
