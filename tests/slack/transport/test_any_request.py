"""Any head of a request, any signature: 401 unless it is Slack's own, and nothing of it in the log."""

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
ALONE = {"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"}


def post(office: Workplace, headers: Headers, body: str = BODY) -> int:
    """The status for these headers, byte by byte as they are and as often as they stand there."""
    address = urlsplit(office.url)
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)) as line:
        line.putrequest("POST", address.path)
        line.putheader("Content-Length", str(len(body.encode())))
        for name, value in headers:
            line.putheader(name, value)
        line.endheaders(body.encode())
        return line.getresponse().status


def signed(office: Workplace, *, at: int = 0, body: str = BODY) -> Headers:
    """The right headers for a body, dated so many seconds from now."""
    timestamp = str(int(time.time()) + at)
    right = signature(office.slack.signing_secret, timestamp, body)
    return [("Content-Type", FORM.encode()), (TIMESTAMP, timestamp.encode()), (SIGNATURE, right.encode())]


def other(headers: Headers, name: str, *values: bytes) -> Headers:
    """The headers with these values under that name in place of its own."""
    return [*(each for each in headers if each[0] != name), *((name, value) for value in values)]


def value(headers: Headers, name: str) -> bytes:
    return dict(headers)[name]


def test_what_is_signed_right_is_let_in(office: Workplace) -> None:
    headers = signed(office)
    assert post(office, headers) != 401
    assert post(office, [(name.lower(), value) for name, value in headers]) != 401
    assert post(office, signed(office, at=-290)) != 401


def test_every_fault_of_a_signature_is_refused_alike(office: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    office.ask("/incident help")
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.WARNING, logger="httpx")
    right, before = signed(office), counts(office)
    good, dated = value(right, SIGNATURE), value(right, TIMESTAMP)
    faults: dict[str, Headers] = {
        "no signature": other(right, SIGNATURE),
        "no timestamp": other(right, TIMESTAMP),
        "neither": other(other(right, SIGNATURE), TIMESTAMP),
        "an empty signature": other(right, SIGNATURE, b""),
        "an empty timestamp": other(right, TIMESTAMP, b""),
        "another version": other(right, SIGNATURE, good.replace(b"v0=", b"v1=")),
        "no version": other(right, SIGNATURE, good.removeprefix(b"v0=")),
        "in capitals": other(right, SIGNATURE, good.upper()),
        "cut short": other(right, SIGNATURE, good[:-1]),
        "one letter more": other(right, SIGNATURE, good + b"0"),
        "no ASCII": other(right, SIGNATURE, "v0=ÿ".encode()),
        "no UTF-8": other(right, SIGNATURE, b"v0=\xff\xfe"),
        "digits that are none of ASCII's": other(right, TIMESTAMP, "١٧٧٣٣١٦٨٠٠".encode()),
        "another time": other(right, TIMESTAMP, str(int(dated) + 1).encode()),
        "no number": other(right, TIMESTAMP, b"yesterday"),
        "a fraction": other(right, TIMESTAMP, dated + b".0"),
        "a very long number": other(right, TIMESTAMP, b"9" * 5_000),
        "negative": other(right, TIMESTAMP, b"-" + dated),
        "old": signed(office, at=-301),
        "very old": signed(office, at=-86_400),
        "of the future": signed(office, at=302),
        "two signatures, the right one first": other(right, SIGNATURE, good, b"v0=" + b"0" * 64),
        "two signatures, the right one last": other(right, SIGNATURE, b"v0=" + b"0" * 64, good),
        "the right signature twice": other(right, SIGNATURE, good, good),
        "two timestamps": other(right, TIMESTAMP, dated, str(int(dated) + 1).encode()),
        "of another body": signed(office, body=BODY + "x"),
        "of a body in other letters": signed(office, body=BODY.upper()),
        "by another secret": other(right, SIGNATURE, signature("0" * 32, dated.decode(), BODY).encode()),
        "by no secret": other(right, SIGNATURE, signature("", dated.decode(), BODY).encode()),
    }
    assert {name: status for name, headers in faults.items() if (status := post(office, headers)) != 401} == {}
    assert post(office, right, BODY.replace("detected", "resolved")) == 401
    assert counts(office) == before
    assert [record.getMessage() for record in caplog.records] == []


@times(60)
@given(
    strange=st.lists(st.tuples(NAMES.filter(lambda name: name.lower() not in ALONE), VALUES), max_size=6),
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
        said = f"{record.getMessage()}{record.exc_text or ''}"
        assert record.levelno < logging.ERROR, said
        assert MARK not in said
        assert CONTROLS.search(said) is None
    caplog.clear()
