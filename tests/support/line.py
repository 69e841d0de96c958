"""The line to a database server, which a test can cut, hang up or slow down; the server behind it is a real one."""

import socket
import threading
from contextlib import suppress


class Line:
    """A listener on 127.0.0.1 that passes everything on to the server at `address`.

    `address` is a path of a Unix socket or (host, port). `cut()` ends what is open and refuses what comes;
    `freeze()` passes nothing on any more and says nothing, as a host that died does; `mend()` undoes both.
    """

    def __init__(self, address: str | tuple[str, int]) -> None:
        self._address = address
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._flows = threading.Event()
        self._flows.set()
        self._refuses = False
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def lead_to(self, address: str | tuple[str, int]) -> None:
        """Pass what comes from now on to the server at `address`."""
        self._address = address

    def cut(self) -> None:
        """The server is gone."""
        self._refuses = True
        self._hang_up()

    def freeze(self) -> None:
        """The server says nothing any more."""
        self._flows.clear()

    def mend(self) -> None:
        """The server is back; connections that were frozen are gone."""
        self._refuses = False
        if not self._flows.is_set():
            self._hang_up()
            self._flows.set()

    def close(self) -> None:
        """End it all."""
        self._closed = True
        self._flows.set()
        self._listener.close()
        self._hang_up()

    def _hang_up(self) -> None:
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            if self._refuses:
                caller.close()
                continue
            family = socket.AF_UNIX if isinstance(self._address, str) else socket.AF_INET
            server = socket.socket(family, socket.SOCK_STREAM)
            server.connect(self._address)
            for one, other in ((caller, server), (server, caller)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        self._open.add(one)
        with one:
            with suppress(OSError):
                while content := one.recv(65536):
                    self._flows.wait()
                    other.sendall(content)
            self._open.discard(one)
            for each in (one, other):
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
