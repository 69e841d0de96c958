"""What comes by Socket Mode: each envelope goes to Bolt, and its answer back the way it came."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse

from bot.telemetry.context import request_id, watched
from bot.telemetry.tally import Tally

WORKERS = 10
_OK = 200
_JSON = "application/json"
_log = logging.getLogger(__name__)

Send = Callable[[str], object]


class Envelopes:
    """Threads that answer envelopes. What they have begun is finished; after `refuse` nothing more is begun.

    `in_hand` is how many they have begun, `refusing` whether they begin no more. Slack delivers again what gets no
    ack, here or to another connection.
    """

    def __init__(self, app: App, tally: Tally) -> None:
        self._app = app
        self._tally = tally
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="envelope")
        self._idle = threading.Condition()
        self.in_hand = 0
        self.refusing = False

    def take(self, envelope: Mapping[str, Any], send: Send) -> None:
        """Have it answered by `send`, in a thread of our own."""
        with self._idle:
            if not self.refusing:
                self._workers.submit(self._answer, envelope, send)

    def refuse(self, *, within_s: float) -> None:
        """Begin nothing more, and wait at most so many seconds for what is in hand."""
        give_up_at_s = time.monotonic() + within_s
        with self._idle:
            self.refusing = True
            self._idle.wait_for(lambda: not self.in_hand, give_up_at_s - time.monotonic())
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _answer(self, envelope: Mapping[str, Any], send: Send) -> None:
        with self._idle:
            if self.refusing:
                return
            self.in_hand += 1
        received_s = time.perf_counter()
        try:
            with watched(self._tally, request=request_id()):
                answer = _answered(self._app, envelope)
                if answer is not None:
                    send(json.dumps(answer))
            self._tally.acked("socket", time.perf_counter() - received_s)
        except Exception as error:  # noqa: BLE001 - the door: without an ack Slack delivers it again
            _log.error("envelope not answered: %s", type(error).__name__)
        finally:
            with self._idle:
                self.in_hand -= 1
                self._idle.notify_all()


def _answered(app: App, envelope: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to send back; None where Bolt did not take it."""
    request = BoltRequest(mode="socket_mode", body=envelope["payload"], headers=_retries(envelope))
    response: BoltResponse = app.dispatch(request)
    if response.status != _OK:
        _log.warning("envelope answered %s", response.status)
        return None
    ack = {"envelope_id": envelope["envelope_id"]}
    if not response.body:
        return ack
    kind = response.headers.get("content-type", [""])[0]
    return ack | {"payload": json.loads(response.body) if kind.startswith(_JSON) else {"text": response.body}}


def _retries(envelope: Mapping[str, Any]) -> dict[str, Any]:
    """The headers that HTTP would tell a retry by."""
    told = {"x-slack-retry-num": "retry_attempt", "x-slack-retry-reason": "retry_reason"}
    return {header: str(envelope[key]) for header, key in told.items() if envelope.get(key) is not None}
