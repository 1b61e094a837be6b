"""The household's side of the running program: set up, set up otherwise, and what fails on the way."""

import socket
import threading
import time
from concurrent.futures import wait
from typing import Any

import pytest

from db.errors import DatabaseError, DatabaseFull
from house_client import running as running_module
from house_client.household import HouseSettings, Refused
from house_client.program import HouseProgram
from house_client.running import RunningHousehold
from house_client.settings_file import FILE_NAME, read_settings
from house_client.snapshot import CentralState, MeterState
from microgrid.contracting import Wish
from microgrid.terms import Role
from node.loop_thread import LoopThread
from tests.unit.house.test_papers import CALL

WAIT_S = 10
BUY = Wish(role=Role.CONSUMER, max_w=2000)


def settings(folder, house="B", **more):
    values = {"meter": None, "central": None, **more}
    return HouseSettings(house=house, data=folder, **values)


class Kiosk:
    """A household at work and what it published."""

    def __init__(self, first):
        self.published: list[Any] = []
        self.thread = LoopThread("house")
        try:
            self.household = RunningHousehold(self.thread, first, self.published.append)
        except BaseException:
            self.thread.stop()
            raise

    def apply(self, *changes):
        futures = [self.household.apply(change) for change in changes]
        wait(futures, WAIT_S)
        return futures

    def shown(self, condition):
        """The first snapshot from now on for which this holds."""
        first, deadline = len(self.published), time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            found = [snapshot for snapshot in self.published[first:] if condition(snapshot)]
            if found:
                return found[0]
            time.sleep(0.005)
        raise AssertionError(self.published[-1:])

    def end(self):
        try:
            self.household.close()
        finally:
            self.thread.stop()


@pytest.fixture
def kiosk(monkeypatch):
    monkeypatch.setattr(running_module, "SNAPSHOT_PERIOD_S", 0.01)
    begun = []

    def begin(first):
        begun.append(Kiosk(first))
        return begun[-1]

    yield begin
    for each in begun:
        each.end()
    left = [t.name for t in threading.enumerate() if t.name.startswith(("meter", "journal", "house"))]
    assert left == []


def test_a_house_that_is_not_set_up_says_so_and_does_nothing(kiosk, tmp_path):
    at = kiosk(settings(tmp_path, ""))
    snapshot = at.shown(lambda _: True)
    assert (snapshot.house, snapshot.meter, snapshot.central) == (
        "", MeterState.NO_PORT, CentralState.NO_ADDRESS,
    )  # fmt: skip
    for order in (
        lambda: at.household.answer(BUY, CALL), at.household.history, at.household.cancel_swap,
        at.household.finish_swap, lambda: at.household.begin_swap("Asif", "x"),
    ):  # fmt: skip
        with pytest.raises(Refused, match="not set up yet; do that first"):
            order().result(WAIT_S)
    assert list(tmp_path.iterdir()) == []


def test_it_is_set_up_and_comes_back_by_itself(kiosk, tmp_path):
    at = kiosk(settings(tmp_path, ""))
    wanted = settings(tmp_path, "B", meter="/dev/nowhere", central=("127.0.0.1", 1))
    (done,) = at.apply(wanted)
    assert done.result(0) is None
    assert at.household.settings() == wanted
    at.shown(lambda s: (s.house, s.meter, s.central) == ("B", MeterState.MISSING, CentralState.CONNECTING))
    assert at.household.history().result(WAIT_S).bills == ()
    assert read_settings(tmp_path) == wanted
    again = kiosk(read_settings(tmp_path))
    again.shown(lambda s: s.house == "B" and "127.0.0.1:1 does not answer" in s.central_detail)


def test_nothing_is_shown_of_a_program_that_is_being_exchanged(kiosk, tmp_path):
    at = kiosk(settings(tmp_path))
    for house in ("C", "B", "C"):
        at.apply(settings(tmp_path, house))
    at.shown(lambda s: s.house == "C")
    assert "" not in {snapshot.house for snapshot in at.published}


def test_orders_at_once_are_carried_out_one_after_another(kiosk, tmp_path):
    at = kiosk(settings(tmp_path))
    futures = [at.household.apply(settings(tmp_path, house)) for house in ("C", "D")]
    futures.append(at.household.history())
    futures.append(at.household.apply(settings(tmp_path, "E")))
    wait(futures, WAIT_S)
    assert [future.exception() for future in futures] == [None] * 4
    at.shown(lambda s: s.house == "E")
    assert [t.name for t in threading.enumerate() if t.name.startswith("journal")][1:] == []
    assert read_settings(tmp_path).house == "E"


def test_a_journal_that_cannot_be_used_leaves_everything_as_it_was(kiosk, tmp_path):
    at = kiosk(settings(tmp_path))
    (tmp_path / "house-C.sqlite").write_text("no database" * 100)
    (refused,) = at.apply(settings(tmp_path, "C"))
    assert isinstance(refused.exception(), Refused)
    assert str(refused.exception()).startswith("The settings could not be taken over: ")
    assert at.household.settings().house == "B"
    at.shown(lambda s: s.house == "B")
    assert at.household.history().result(WAIT_S).bills == ()
    assert read_settings(tmp_path) is None


def test_settings_that_cannot_be_kept_are_not_worked_with(kiosk, tmp_path):
    at = kiosk(settings(tmp_path))
    (tmp_path / f"{FILE_NAME}.part").mkdir()
    (refused,) = at.apply(settings(tmp_path, "C"))
    assert isinstance(refused.exception(), Refused)
    assert FILE_NAME in str(refused.exception())
    at.shown(lambda s: s.house == "B")
    assert at.household.settings().house == "B"


def test_a_journal_that_fails_as_it_is_closed_does_not_end_the_house(kiosk, tmp_path, monkeypatch):
    at = kiosk(settings(tmp_path))

    async def full(self):
        await stop(self)
        raise DatabaseFull("There is no room left.")

    stop = HouseProgram.stop
    with monkeypatch.context() as patch:
        patch.setattr(HouseProgram, "stop", full)
        (refused,) = at.apply(settings(tmp_path, "C"))
    assert str(refused.exception()) == "The settings could not be taken over: There is no room left."
    at.shown(lambda s: s.house == "B")
    (done,) = at.apply(settings(tmp_path, "C"))
    assert done.exception() is None


def test_a_house_whose_journal_cannot_be_used_does_not_start(tmp_path):
    (tmp_path / "house-B.sqlite").write_text("no database" * 100)
    with pytest.raises(DatabaseError, match="not a database of this program"):
        Kiosk(settings(tmp_path))


def test_a_picture_that_cannot_be_made_does_not_stop_those_after_it(kiosk, tmp_path, monkeypatch, caplog):
    at = kiosk(settings(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(HouseProgram, "snapshot", lambda self: 1 / 0)
        while "the window was not told" not in caplog.text:
            time.sleep(0.005)
    at.shown(lambda s: s.house == "B")


# --- tests of port and central ----------------------------------------------------------------------


def test_its_own_port_is_not_opened_twice_by_whatever_name(kiosk, tmp_path):
    device, other = tmp_path / "ttyUSB7", tmp_path / "by-id"
    other.symlink_to(device)
    at = kiosk(settings(tmp_path, meter=str(device)))
    for port in (device, other):
        with pytest.raises(Refused, match=r"This program listens at .* already, and no meter is heard"):
            at.household.test_port(str(port)).result(WAIT_S)
    with pytest.raises(Refused, match="There is no port"):
        at.household.test_port(str(tmp_path / "ttyUSB8")).result(WAIT_S)


def test_a_central_that_is_none_is_said(kiosk, tmp_path):
    at = kiosk(settings(tmp_path, ""))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Refused, match=f"no central answers at 127.0.0.1:{port}"):
        at.household.test_central("B", ("127.0.0.1", port)).result(WAIT_S)


def test_it_lists_ports_as_pairs(kiosk, tmp_path, monkeypatch):
    monkeypatch.setattr(running_module, "serial_ports", lambda: (("/dev/ttyUSB0", "Arduino Uno (ttyUSB0)"),))
    assert kiosk(settings(tmp_path)).household.ports() == (("/dev/ttyUSB0", "Arduino Uno (ttyUSB0)"),)
