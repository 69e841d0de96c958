import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def hanging_look_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The system's look-up of `localhost`, which hangs until the event is set."""
    look_up, answering = socket.getaddrinfo, threading.Event()

    def hang(host: str, *about: Any, **more: Any) -> Any:
        if host == "localhost":
            answering.wait()
        return look_up(host, *about, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    yield answering
    answering.set()
