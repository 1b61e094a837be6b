"""A cable that can be cut: a TCP proxy on loopback between a house and the central."""

import contextlib
import socket
import threading
from typing import Self

HOST = "127.0.0.1"


class Cable:
    """Forwards connections to `target_port` until it is cut; a new target serves connections made later."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = 0
        self.answers = 0  # how often bytes came back from the target
        self._listener: socket.socket | None = None
        self._sockets: list[socket.socket] = []
        self._forwarding: list[threading.Thread] = []
        self.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.cut()

    @property
    def is_cut(self) -> bool:
        """Whether nothing goes through."""
        return self._listener is None

    def join(self) -> None:
        """Listen again on the same port."""
        self._listener = socket.create_server((HOST, self.port))
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, args=(self._listener,))
        self._accepting.start()

    def cut(self) -> None:
        """End every connection and refuse new ones."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        listener.close()
        for end in self._sockets:
            _shut(end)
        for thread in self._forwarding:
            thread.join()
        for end in self._sockets:
            end.close()
        self._forwarding.clear()
        self._sockets.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                house, _ = listener.accept()
            except OSError:
                return  # cut
            try:
                central = socket.create_connection((HOST, self.target_port))
            except OSError:
                house.close()
                continue
            self._sockets += [house, central]
            for source, sink, answering in ((house, central, False), (central, house, True)):
                thread = threading.Thread(target=self._forward, args=(source, sink, answering))
                self._forwarding.append(thread)
                thread.start()

    def _forward(self, source: socket.socket, sink: socket.socket, answering: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
                self.answers += answering
        _shut(source)
        _shut(sink)


def _shut(end: socket.socket) -> None:
    """End both directions: whoever reads from it wakes up."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
