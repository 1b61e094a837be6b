"""Houses that a running central cannot take, and meters that are not there: a state to see, nothing ends."""

import asyncio
import json
import socket
from contextlib import AsyncExitStack
from pathlib import Path

from house_client.snapshot import CentralState, MeterState
from microgrid.wire.bodies import decode_body, encode_body
from microgrid.wire.errors import WireCode
from microgrid.wire.lan import FrameBuffer, frame
from microgrid.wire.messages import Hello, Refused
from tests.e2e.live import HOST, house_program, live_central, until
from tests.e2e.processes import METER, Process


def test_a_house_that_is_not_listed_is_told_so(tmp_path: Path) -> None:
    async def knock(port: int) -> None:
        async with house_program(tmp_path, "Z", port) as stranger:
            await until(lambda: stranger.snapshot().central is CentralState.REFUSED, "a refusal")
            assert stranger.snapshot().central_detail == sentence

    sentence = "House Z is not listed at the central; correct the ID or ask the operator."
    with live_central(tmp_path) as (_, port):
        asyncio.run(knock(port))
        assert f"house Z refused: {sentence}" in (tmp_path / "central.log").read_text(encoding="utf-8")


def test_a_second_house_of_the_same_id_waits_until_the_first_has_gone(tmp_path: Path) -> None:
    async def two_of_them(port: int) -> None:
        async with AsyncExitStack() as leaving:
            first = await leaving.enter_async_context(house_program(tmp_path / "first", "A", port))
            await until(lambda: first.snapshot().central is CentralState.LINKED, "the first one's link")
            async with house_program(tmp_path / "second", "A", port) as second:
                await until(lambda: second.snapshot().central is CentralState.REFUSED, "a refusal")
                assert second.snapshot().central_detail == sentence
                await asyncio.sleep(2.5)  # polls go on, and the second one has knocked again
                assert first.snapshot().central is CentralState.LINKED
                assert second.snapshot().central is CentralState.REFUSED
                await leaving.aclose()
                await until(lambda: second.snapshot().central is CentralState.LINKED, "the second one's link")

    sentence = "House A is linked already; two houses may not use the same ID."
    with live_central(tmp_path) as (_, port):
        asyncio.run(two_of_them(port))
        assert f"house A refused: {sentence}" in (tmp_path / "central.log").read_text(encoding="utf-8")


def test_a_house_of_another_protocol_version_is_refused_in_words(tmp_path: Path) -> None:
    hello = Hello(house="A", protocol_min=98, protocol_max=99, software="house 9.9")
    with live_central(tmp_path) as (_, port):
        with socket.create_connection((HOST, port), timeout=10) as connection:
            connection.sendall(frame(encode_body(hello)))
            frames = FrameBuffer()
            while data := connection.recv(4096):  # the central ends the link after its word
                frames.feed(data)
        body = frames.next_body(4096)
        assert body is not None
        refusal = decode_body(body)
        assert isinstance(refusal, Refused)
        assert refusal.code == WireCode.VERSION
        sentence = "House A speaks protocol 98 to 99, this program 1 to 1; update the older one."
        assert refusal.text == sentence
        assert sentence in (tmp_path / "central.log").read_text(encoding="utf-8")

        async def next_house() -> None:
            async with house_program(tmp_path, "A", port) as house:
                await until(lambda: house.snapshot().central is CentralState.LINKED, "the next house's link")

        asyncio.run(next_house())


def test_a_meter_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    device = tmp_path / "ttyMeter"

    async def plug_in(port: str) -> None:
        async with house_program(tmp_path, "A", None, str(device)) as house:
            await until(lambda: house.snapshot().meter is MeterState.MISSING, "the missing meter")
            assert house.snapshot().meter_detail == (
                f"Serial port {device} cannot be used; plug the meter in or choose another port."
            )
            device.symlink_to(port)
            await until(lambda: house.snapshot().meter is MeterState.HEARD, "the meter's packets")
            assert house.snapshot().sample is not None
            assert house.snapshot().meter_detail == ""

    with Process(METER, "--house", "A", "--month-start", 29_670_900) as meter:
        asyncio.run(plug_in(json.loads(meter.first_line())["port"]))
