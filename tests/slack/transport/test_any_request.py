"""Requests with any headers and signature: 401 unless Slack signed it, and no part of it in the log."""

import http.client
import logging
import time
from contextlib import closing
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.fakeslack.delivery import FORM, signature
from tests.support.hostile import CONTROLS, MARK, times
from tests.support.ledger import counts
from tests.support.workplace import Workplace

TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
BODY = urlencode({"command": "/detected", "text": MARK})
Headers = list[tuple[str, bytes]]
VALUES = st.one_of(
    st.lists(st.sampled_from([*range(0x20, 0x7F), *range(0x80, 0x100), 9]), max_size=60).map(bytes),
    st.binary(max_size=60).map(lambda value: bytes(each for each in value if each not in b"\r\n\0")),
)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,30}", fullmatch=True)
NOT_TESTED = {"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"}


def post(office: Workplace, headers: Headers, body: str = BODY) -> int:
    """Post with exactly these bytes as headers, repeated ones too; returns the status."""
    address = urlsplit(office.url)
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)) as line:
        line.putrequest("POST", address.path)
        line.putheader("Content-Length", str(len(body.encode())))
        for name, value in headers:
            line.putheader(name, value)
        line.endheaders(body.encode())
        return line.getresponse().status


def signed(office: Workplace, *, at: int = 0, body: str = BODY) -> Headers:
    """The right headers for a body, dated `at` seconds from now."""
    timestamp = str(int(time.time()) + at)
    right = signature(office.slack.signing_secret, timestamp, body)
    return [("Content-Type", FORM.encode()), (TIMESTAMP, timestamp.encode()), (SIGNATURE, right.encode())]


def with_values(headers: Headers, name: str, *values: bytes) -> Headers:
    """The headers with these values for that name instead of its own."""
    return [*(each for each in headers if each[0] != name), *((name, value) for value in values)]


def value(headers: Headers, name: str) -> bytes:
    return dict(headers)[name]


def test_a_right_signature_is_accepted(office: Workplace) -> None:
    headers = signed(office)
    assert post(office, headers) != 401
    assert post(office, [(name.lower(), value) for name, value in headers]) != 401
    assert post(office, signed(office, at=-290)) != 401


def test_every_fault_of_a_signature_is_refused_alike_and_not_logged(
    office: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    office.ask("/incident help")
    for name in ("", "bot", "storage", "slack_bolt", "slack_bolt.App", "slack_sdk", "uvicorn", "uvicorn.error"):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.WARNING, logger="httpx")
    right, before = signed(office), counts(office)
    good, dated = value(right, SIGNATURE), value(right, TIMESTAMP)
    faults: dict[str, Headers] = {
        "no signature": with_values(right, SIGNATURE),
        "no timestamp": with_values(right, TIMESTAMP),
        "neither": with_values(with_values(right, SIGNATURE), TIMESTAMP),
        "an empty signature": with_values(right, SIGNATURE, b""),
        "an empty timestamp": with_values(right, TIMESTAMP, b""),
        "another version": with_values(right, SIGNATURE, good.replace(b"v0=", b"v1=")),
        "no version": with_values(right, SIGNATURE, good.removeprefix(b"v0=")),
        "no signature at all": with_values(right, SIGNATURE, b"nonsense"),
        "in capitals": with_values(right, SIGNATURE, good.upper()),
        "cut short": with_values(right, SIGNATURE, good[:-1]),
        "one letter more": with_values(right, SIGNATURE, good + b"0"),
        "no ASCII": with_values(right, SIGNATURE, "v0=ÿ".encode()),
        "no UTF-8": with_values(right, SIGNATURE, b"v0=\xff\xfe"),
        "digits outside ASCII": with_values(right, TIMESTAMP, "١٧٧٣٣١٦٨٠٠".encode()),
        "another time": with_values(right, TIMESTAMP, str(int(dated) + 1).encode()),
        "no number": with_values(right, TIMESTAMP, b"yesterday"),
        "not a number": with_values(right, TIMESTAMP, b"nan"),
        "an exponent": with_values(right, TIMESTAMP, b"1e9"),
        "a fraction": with_values(right, TIMESTAMP, dated + b".0"),
        "a very long number": with_values(right, TIMESTAMP, b"9" * 5_000),
        "negative": with_values(right, TIMESTAMP, b"-" + dated),
        "old": signed(office, at=-301),
        "very old": signed(office, at=-86_400),
        "of the future": signed(office, at=302),
        "two signatures, the right one first": with_values(right, SIGNATURE, good, b"v0=" + b"0" * 64),
        "two signatures, the right one last": with_values(right, SIGNATURE, b"v0=" + b"0" * 64, good),
        "the right signature twice": with_values(right, SIGNATURE, good, good),
        "two timestamps": with_values(right, TIMESTAMP, dated, str(int(dated) + 1).encode()),
        "of another body": signed(office, body=BODY + "x"),
        "of a body in capitals": signed(office, body=BODY.upper()),
        "by another secret": with_values(right, SIGNATURE, signature("0" * 32, dated.decode(), BODY).encode()),
        "by no secret": with_values(right, SIGNATURE, signature("", dated.decode(), BODY).encode()),
    }
    assert {name: status for name, headers in faults.items() if (status := post(office, headers)) != 401} == {}
    assert post(office, right, BODY.replace("detected", "resolved")) == 401
    assert office.slack.post_signed(office.url, BODY, signature="nonsense") == (401, "not signed by Slack")
    assert counts(office) == before
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO] == []
    assert MARK not in "".join(f"{record.getMessage()}{record.exc_text or ''}" for record in caplog.records)


@times(60)
@given(
    strange=st.lists(st.tuples(NAMES.filter(lambda name: name.lower() not in NOT_TESTED), VALUES), max_size=6),
    faults=st.fixed_dictionaries({}, optional={TIMESTAMP: VALUES, SIGNATURE: VALUES}),
)
@example(strange=[("X-Slack-Retry-Num", b"\x1b[31mxyzzyq\x9b")], faults={})
@example(
    strange=[("Authorization", b"Bearer xyzzyq"), ("Content-Type", b"multipart/form-data; boundary=\xff")], faults={}
)
def test_any_headers_are_answered_without_a_trace(
    office: Workplace, caplog: pytest.LogCaptureFixture, strange: Headers, faults: dict[str, bytes]
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.WARNING, logger="httpx")
    headers = [*strange, *faults.items()]
    is_signed = not faults and not {name.lower() for name, _ in strange} & {TIMESTAMP.lower(), SIGNATURE.lower()}
    status = post(office, [*strange, *signed(office)] if is_signed else headers)
    assert status < 500
    assert is_signed or status in {400, 401}
    for record in caplog.records:
        text = f"{record.getMessage()}{record.exc_text or ''}"
        assert record.levelno < logging.ERROR, text
        assert MARK not in text
        assert CONTROLS.search(text) is None
    caplog.clear()
