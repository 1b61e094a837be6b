"""When a Modbus meter is asked, and how often a line is tried: without a line and without a clock."""

import threading
from typing import Any, cast

import pytest

from house_client import modbus_meter
from house_client.meter_address import ModbusAddress, TcpPlace
from house_client.modbus_meter import ModbusMeter

NOBODY = ModbusAddress(TcpPlace("meter", 502), 1)


class SlowLine:
    """A line in place of the real one, and the clock beside it; each answer takes so long."""

    def __init__(self, *takes_s):
        self.now_s = 0.0
        self.asked_s: list[float] = []
        self._takes_s = iter(takes_s)

    def read(self):
        self.asked_s.append(self.now_s)
        takes_s = next(self._takes_s, None)
        if takes_s is None:
            raise modbus_meter._LineLost("no more")
        self.now_s += takes_s

    def monotonic(self):
        return self.now_s

    def time_ns(self):
        return 0


class Pauses(threading.Event):
    """Passes at once, and knows for how long it was waited for; set after so many."""

    def __init__(self, line=None, most=1000):
        super().__init__()
        self.waited_s: list[float] = []
        self._line, self._most = line, most

    def wait(self, timeout=None):
        assert timeout is not None
        self.waited_s.append(timeout)
        if self._line is not None:
            self._line.now_s += timeout
        if len(self.waited_s) == self._most:
            self.set()
        return self.is_set()


def test_it_keeps_to_its_second(monkeypatch):
    line = SlowLine(0.2, 0.3, 2.5, 0.1, 0.1)
    monkeypatch.setattr(modbus_meter, "time", line)
    meter = ModbusMeter(NOBODY, lambda *_: None, lambda *_: None)
    meter._stopping = Pauses(line)
    with pytest.raises(modbus_meter._LineLost):
        meter._ask_on(cast(Any, line))
    assert line.asked_s == pytest.approx([0, 1, 2, 4.5, 5.5, 6.5])  # after a slow answer at once


def test_pauses_grow_while_nobody_answers(monkeypatch):
    monkeypatch.setattr(modbus_meter.ModbusTcpClient, "connect", lambda _client: False)
    states: list[Any] = []
    meter = ModbusMeter(NOBODY, lambda *_: None, lambda *change: states.append(change))
    meter._stopping = pauses = Pauses(most=8)
    meter._run()
    assert pauses.waited_s == [2, 4, 8, 16, 32, 60, 60, 60]
    assert len(states) == 1  # said once
