"""The central's end of the star over real TCP: who is let in, who is not, what the end of a link means."""

import asyncio
import contextlib
import socket

import pytest

from central_monitor.adapters import tcp_server
from central_monitor.adapters.tcp_server import HouseServer, LinkLost, RequestRefused
from microgrid.minute import Hold
from microgrid.wire.bodies import decode_body, encode_body
from microgrid.wire.errors import WireCode
from microgrid.wire.lan import frame
from microgrid.wire.messages import (
    Fetch,
    MinuteBatch,
    MinutesAcknowledged,
    Poll,
    Refused,
    Reply,
    Target,
    TargetAck,
    Welcome,
)
from tests.unit.central.parts import NOON, ZONE, row, sample
from tests.unit.central.wire import WireHouse, hello


class Door:
    """Admits houses A and B."""

    def __init__(self):
        self.events = []

    def admit(self, greeting, protocol):
        if greeting.house not in "AB":
            return Refused(code=WireCode.UNKNOWN_HOUSE, text=f"House {greeting.house} is not listed.")
        return Welcome(
            protocol=protocol, name="A house", zone=ZONE, central_time_ms=NOON * 60_000, connection_w=5000
        )

    def linked(self, house):
        self.events.append(("linked", house))

    def lost(self, house):
        self.events.append(("lost", house))


@contextlib.asynccontextmanager
async def serving():
    door = Door()
    server = HouseServer(door)
    port = await server.start("127.0.0.1", 0)
    houses = []

    def house(name):
        houses.append(WireHouse(name))
        return houses[-1]

    try:
        yield server, port, door, house
    finally:
        await server.stop()
        for one in houses:
            await one.close()


def run(story):
    async def whole():
        async with asyncio.timeout(10), serving() as (server, port, door, house):
            await story(server, port, door, house)

    asyncio.run(whole())


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)


def poll(request_id):
    return Poll(request_id=request_id, central_time_ms=NOON * 60_000, rate=None, tariff=1, pool_w=0)


def test_a_listed_house_is_welcomed_asked_and_heard():
    async def story(server, port, door, house):
        a = house("A")
        a.live_sample = sample(-700)
        assert isinstance(await a.connect(port), Welcome)
        assert list(server.links) == ["A"]
        assert door.events == [("linked", "A")]
        link = server.links["A"]
        answer = await link.request(poll)
        assert isinstance(answer, Reply)
        assert answer.sample == a.live_sample
        assert link.waiting == 0

    run(story)


def test_answers_find_their_own_requests():
    async def story(server, port, door, house):
        a = house("A")
        a.pending = [row("A", NOON)]
        await a.connect(port)
        link = server.links["A"]
        asked = [
            link.request(poll),
            link.request(lambda n: Fetch(request_id=n, first_minute=0, limit=10)),
            link.request(
                lambda n: Target(
                    request_id=n,
                    command_id=9,
                    target_w=100,
                    hold=Hold.NONE,
                    reason="",
                    expires_s=NOON * 60,
                    fallback_w=0,
                )
            ),
        ]
        reply, batch, acknowledgement = await asyncio.gather(*asked)
        assert isinstance(reply, Reply)
        assert isinstance(batch, MinuteBatch)
        assert isinstance(acknowledgement, TargetAck)
        link.tell(MinutesAcknowledged(request_id=batch.request_id, committed=((NOON, 0),)))
        await until(lambda: not a.pending)

    run(story)


def test_an_unknown_house_is_refused_with_a_sentence():
    async def story(server, port, door, house):
        z = house("Z")
        answer = await z.connect(port)
        assert answer == Refused(code="unknown_house", text="House Z is not listed.")
        await asyncio.wait_for(z.ended.wait(), 5)
        assert not server.links
        assert door.events == []

    run(story)


def test_a_second_house_of_the_same_id_is_refused_and_the_first_stays():
    async def story(server, port, door, house):
        first, second = house("A"), house("A")
        await first.connect(port)
        answer = await second.connect(port)
        assert answer.code == "duplicate_house"
        assert "linked already" in answer.text
        await asyncio.wait_for(second.ended.wait(), 5)
        assert isinstance(await server.links["A"].request(poll), Reply)
        assert len(first.of(Poll)) == 1
        assert door.events == [("linked", "A")]

    run(story)


def test_another_version_of_the_protocol_is_refused():
    async def story(server, port, door, house):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(frame(encode_body(hello("A", protocol_min=7, protocol_max=9))))
        answer = decode_body((await asyncio.wait_for(reader.read(), 5))[4:])
        assert isinstance(answer, Refused)
        assert answer.code == "version"
        assert "update the older one" in answer.text
        writer.close()
        assert not server.links

    run(story)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "too_large"),
        (frame(b"\xc1\xc1"), "malformed"),
        (frame(b"\x81\xa4type\xa5salut"), "unknown_type"),
    ],
)
def test_garbage_ends_the_connection_with_a_refusal_by_name(data, code):
    async def story(server, port, door, house):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        answer = await asyncio.wait_for(reader.read(), 5)
        assert code.encode() in answer
        writer.close()
        assert not server.links

    run(story)


def test_a_linked_house_that_breaks_the_protocol_is_lost_and_may_come_again():
    async def story(server, port, door, house):
        a = house("A")
        await a.connect(port)
        waiting = server.links["A"].request(lambda n: Fetch(request_id=n, first_minute=0, limit=1))
        a.mute = (Fetch,)
        a.send_raw(frame(b"nonsense"))
        assert (await a.told(Refused)).code == "malformed"
        with pytest.raises(LinkLost, match="House A: the link was lost"):
            await waiting
        await until(lambda: not server.links)
        await house("A").connect(port)
        assert door.events == [("linked", "A"), ("lost", "A"), ("linked", "A")]

    run(story)


def test_who_says_nothing_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(tcp_server, "HELLO_TIMEOUT_S", 0.05)

    async def story(server, port, door, house):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        # The time-out is for the hello alone.
        a = house("A")
        await a.connect(port)
        await asyncio.sleep(0.15)
        assert list(server.links) == ["A"]

    run(story)


def test_requests_fail_when_the_link_ends_and_afterwards():
    async def story(server, port, door, house):
        a = house("A")
        a.mute = (Poll, Fetch)
        await a.connect(port)
        link = server.links["A"]
        waiting = [link.request(poll) for _ in range(3)]
        assert link.waiting == 3
        await a.close()
        for future in waiting:
            with pytest.raises(LinkLost):
                await future
        assert link.waiting == 0
        with pytest.raises(LinkLost):
            await link.request(poll)
        link.tell(MinutesAcknowledged(request_id=1, committed=()))
        assert door.events == [("linked", "A"), ("lost", "A")]

    run(story)


def test_a_request_answered_with_an_error_fails_with_the_houses_words_and_the_link_stays():
    async def story(server, port, door, house):
        a = house("A")
        a.errors = (Fetch,)
        await a.connect(port)
        link = server.links["A"]
        with pytest.raises(RequestRefused, match=r"^Not now\.$"):
            await link.request(lambda n: Fetch(request_id=n, first_minute=0, limit=1))
        assert isinstance(await link.request(poll), Reply)

    run(story)


def test_an_acknowledgement_nobody_waits_for_is_not_sent_and_breaks_nothing():
    async def story(server, port, door, house):
        await house("A").connect(port)
        link = server.links["A"]
        link.tell(MinutesAcknowledged(request_id=77, committed=()))
        assert isinstance(await link.request(poll), Reply)

    run(story)


def test_a_house_that_leaves_all_requests_open_loses_its_link_and_may_come_again():
    async def story(server, port, door, house):
        a = house("A")
        a.mute = (Poll,)
        await a.connect(port)
        link = server.links["A"]
        asked = [link.request(poll) for _ in range(40)]
        failed = [future for future in asked if future.done()]
        assert all(isinstance(future.exception(), LinkLost) for future in failed)
        assert link.waiting == 40 - len(failed) == 16
        await asyncio.wait_for(a.ended.wait(), 5)
        await until(lambda: not server.links)
        assert all(isinstance(future.exception(), LinkLost) for future in asked)
        again = house("A")
        await again.connect(port)
        assert isinstance(await server.links["A"].request(poll), Reply)

    run(story)


def test_a_port_in_use_is_said_in_a_sentence():
    async def story(server, port, door, house):
        with pytest.raises(OSError, match=f"Port {port} on 127.0.0.1 cannot be listened on .*--listen"):
            await HouseServer(door).start("127.0.0.1", port)

    run(story)


def test_stop_ends_every_connection_also_of_who_has_not_said_hello():
    async def story(server, port, door, house):
        a = house("A")
        await a.connect(port)
        silent = socket.create_connection(("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=silent)
        await asyncio.sleep(0.02)
        await server.stop()
        await asyncio.wait_for(a.ended.wait(), 5)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        assert not server.links
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", port)

    run(story)


def test_a_house_whose_welcome_cannot_be_written_is_not_taken_for_linked():
    async def story(server, port, door, house):
        door.admit = lambda greeting, protocol: Welcome(
            protocol=protocol, name="x" * 81, zone=ZONE, central_time_ms=0, connection_w=5000
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(frame(encode_body(hello("A"))))
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        assert not server.links
        assert door.events == []

    run(story)
