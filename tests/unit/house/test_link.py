"""The link to the central over real TCP: it connects, is refused in words, and comes back with patience."""

import asyncio
import contextlib
import socket

import pytest

from house_client import link as link_module
from house_client.link import LONGEST_BACKOFF_S, Link
from house_client.snapshot import CentralState
from microgrid.wire.lan import CentralConnection
from microgrid.wire.messages import ErrorMessage, Hello, Poll, Refused, Reply, Welcome
from node.clock import SteppedClock

WELCOME = Welcome(protocol=1, name="House A", zone="UTC", central_time_ms=0, connection_w=5000)
POLL = Poll(request_id=1, central_time_ms=0, rate=None, tariff=1, pool_w=0)


class Talk:
    """What the house would say; remembers what it was told."""

    def __init__(self):
        self.states = []
        self.messages = []

    def hello(self):
        return Hello(house="A", protocol_min=1, protocol_max=1, software="test")

    def handle(self, message):
        self.messages.append(message)

    def link_changed(self, state, sentence):
        self.states.append((state, sentence))


class Centre:
    """A central that answers a hello as it is told to and keeps the connections."""

    def __init__(self, *answers):
        self.answers = answers
        self.connections = []
        self.heard = []

    async def start(self, port=0):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        wire = CentralConnection()
        self.connections.append((wire, writer))
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                for message in wire.receive_data(data):
                    self.heard.append(message)
                    if isinstance(message, Hello):
                        for answer in self.answers:
                            writer.write(answer if isinstance(answer, bytes) else wire.send(answer))
        writer.close()

    async def stop(self):
        self.server.close()
        for _, writer in self.connections:
            writer.close()
        await asyncio.sleep(0.01)


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def run(centre, story, jitter=lambda: 1.0):
    async def whole():
        talk, clock = Talk(), SteppedClock()
        port = await centre.start()
        link = Link(("127.0.0.1", port), talk, clock, jitter)
        task = asyncio.create_task(link.run())
        try:
            async with asyncio.timeout(15):
                await story(link, talk, clock, task)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await centre.stop()

    asyncio.run(whole())


def test_it_connects_says_hello_and_carries_messages_both_ways():
    centre = Centre(WELCOME, POLL)

    async def story(link, talk, clock, task):
        assert talk.messages == []
        await until(lambda: len(talk.messages) == 2)
        assert talk.messages == [WELCOME, POLL]
        assert talk.states[0][0] is CentralState.CONNECTING
        assert talk.states[-1] == (CentralState.LINKED, "")
        # A house only answers: without this a central that lost its power would be waited for for ever.
        connection = link._wire._transport.get_extra_info("socket")
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        reply = Reply(house="A", request_id=1, sample=None, sample_age_ms=0, outbox=False)
        link.send(reply)
        await until(lambda: len(centre.heard) == 2)
        assert centre.heard == [talk.hello(), reply]

    run(centre, story)


def test_what_may_not_be_said_is_not_sent_and_breaks_nothing():
    centre = Centre(WELCOME)

    async def story(link, talk, clock, task):
        await until(lambda: talk.messages)
        link.send(Reply(house="A", request_id=9, sample=None, sample_age_ms=0, outbox=False))
        await asyncio.sleep(0.01)
        assert centre.heard == [talk.hello()]
        assert talk.states[-1][0] is CentralState.LINKED

    run(centre, story)


def test_a_refusal_is_shown_in_the_centrals_words_and_tried_again():
    sentence = "House A is linked already; two houses may not use the same ID."
    centre = Centre(Refused(code="duplicate_house", text=sentence))

    async def story(link, talk, clock, task):
        await until(lambda: (CentralState.REFUSED, sentence) in talk.states)
        assert talk.messages == []
        centre.answers = (WELCOME,)
        clock.step_to(1000)
        await until(lambda: talk.states[-1][0] is CentralState.LINKED)

    run(centre, story)


def test_a_lost_link_is_made_again_after_the_first_pause():
    centre = Centre(WELCOME)

    async def story(link, talk, clock, task):
        await until(lambda: talk.messages)
        centre.connections[0][1].close()
        await until(lambda: talk.states[-1][0] is CentralState.CONNECTING)
        assert "does not answer; trying again" in talk.states[-1][1]
        link.send(Reply(house="A", request_id=1, sample=None, sample_age_ms=0, outbox=False))
        clock.step_to(999)
        await asyncio.sleep(0.02)
        assert len(centre.connections) == 1
        clock.step_to(1000)
        await until(lambda: len(talk.messages) == 2)

    run(centre, story)


class Pauses:
    """A clock whose sleeps are over at once and remembered."""

    def __init__(self, enough):
        self.slept = []
        self.enough = enough

    def now_ms(self):
        return 0

    async def sleep(self, delay_s):
        self.slept.append(delay_s)
        if len(self.slept) == self.enough:
            await asyncio.Event().wait()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("jitter", "pauses"),
    [
        (1.0, [1, 2, 4, 8, 16, 32, LONGEST_BACKOFF_S, LONGEST_BACKOFF_S]),
        (0.0, [0.5, 1, 2, 4, 8, 16, LONGEST_BACKOFF_S / 2, LONGEST_BACKOFF_S / 2]),
    ],
)
def test_a_central_that_is_away_is_looked_for_less_and_less_often(jitter, pauses):
    async def story():
        centre, talk, clock = Centre(), Talk(), Pauses(len(pauses))
        port = await centre.start()
        await centre.stop()
        task = asyncio.create_task(Link(("127.0.0.1", port), talk, clock, lambda: jitter).run())
        await until(lambda: len(clock.slept) == len(pauses))
        task.cancel()
        assert clock.slept == pauses
        assert {state for state, _ in talk.states} == {CentralState.CONNECTING}
        assert talk.states[-1][1] == f"The central at 127.0.0.1:{port} does not answer; trying again."

    asyncio.run(story())


def test_a_name_no_host_can_have_is_a_central_that_does_not_answer():
    async def story():
        talk, clock = Talk(), Pauses(3)
        task = asyncio.create_task(Link((f"{'a' * 70}..x", 80), talk, clock).run())
        await until(lambda: len(clock.slept) == 3)
        task.cancel()

    asyncio.run(story())


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n", b"\x00\x00\x00\x02\xc1\xc1"])
def test_garbage_of_the_central_is_answered_by_name_and_ends_the_connection(garbage):
    centre = Centre(WELCOME, garbage)

    async def story(link, talk, clock, task):
        await until(lambda: any(isinstance(m, ErrorMessage) for m in centre.heard))
        error = centre.heard[-1]
        assert (error.house, error.request_id) == ("A", 0)
        assert error.code in ("too_large", "malformed")
        await until(lambda: talk.states[-1][0] is CentralState.CONNECTING)
        assert not task.done()

    run(centre, story)


def test_a_central_that_never_answers_the_hello_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(link_module, "WELCOME_TIMEOUT_S", 0.05)
    centre = Centre()

    async def story(link, talk, clock, task):
        await until(lambda: len(talk.states) == 2)
        centre.answers = (WELCOME,)
        clock.step_to(1000)
        await until(lambda: talk.messages)
        await asyncio.sleep(0.15)  # the patience is for the welcome alone
        assert talk.states[-1][0] is CentralState.LINKED

    run(centre, story)


def test_a_message_that_cannot_be_handled_ends_the_connection_not_the_link():
    centre = Centre(WELCOME)

    async def story(link, talk, clock, task):
        def fail(message):
            raise ValueError("no such thing")

        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        talk.handle = fail
        await until(lambda: len(talk.states) == 3)
        assert [state for state, _ in talk.states] == [
            CentralState.CONNECTING,
            CentralState.LINKED,
            CentralState.CONNECTING,
        ]
        assert not task.done()

    run(centre, story)


def test_cancelling_leaves_the_central():
    centre = Centre(WELCOME)

    async def story(link, talk, clock, task):
        await until(lambda: talk.messages)
        task.cancel()
        await until(lambda: centre.connections[0][1].is_closing())

    run(centre, story)
