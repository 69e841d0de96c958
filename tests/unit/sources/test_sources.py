import base64
import hashlib
import hmac
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC
from itertools import product
from typing import Any

import pytest

from bot.sources.cloudwatch import confirmation_url
from bot.sources.kinds import SOURCES
from bot.sources.source import FIRST_AT, MOST_TEXT, UnreadablePayloadError
from storage.values import ALERT, CHANGE
from tests.support.paths import ROOT
from tests.support.workplace import at
from tests.unit.sources.examples import ALERTS, CHANGES, NOTHING, Example, sns

NOW = at("2026-03-12T12:00:00Z")
GITHUB = os.environ.get("SCRIBE_GITHUB_EXAMPLES", "")
"""The archive of npm's `@octokit/webhooks-examples`, which CI fetches."""


def name(example: Example) -> str:
    return f"{example.source}-{example.headers and next(iter(example.headers.values()))}"


@pytest.mark.parametrize("example", [*ALERTS, *CHANGES], ids=name)
def test_each_payload_is_read(example: Example) -> None:
    source = SOURCES[example.source]
    (signal,) = source.read(example.payload, example.headers, now=NOW)
    assert (signal.source, signal.kind) == (example.source, source.kind)
    assert (signal.title, signal.service) == (example.title, example.service)
    assert signal.occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z") in {
        example.at, example.at.replace("Z", ".000Z"),
    }  # fmt: skip
    assert signal.fired == (example.fires or source.kind == CHANGE)
    assert (signal.ended_at is not None) == (not example.fires)


def test_every_source_is_tried_explained_and_in_the_guide() -> None:
    assert {each.source for each in ALERTS} == {name for name, each in SOURCES.items() if each.kind == ALERT}
    assert {each.source for each in CHANGES} == {name for name, each in SOURCES.items() if each.kind == CHANGE}
    guide = (ROOT / "deploy" / "SOURCES.md").read_text(encoding="utf-8")
    for each in SOURCES:
        assert f"| `{each}` |" in guide
        assert (ROOT / "templates" / "terminal" / "sources" / f"{each}.j2").exists(), each


@pytest.mark.parametrize("example", NOTHING, ids=name)
def test_what_tells_of_nothing_is_no_error(example: Example) -> None:
    assert list(SOURCES[example.source].read(example.payload, example.headers, now=NOW)) == []


@pytest.mark.parametrize(
    "source", ["alertmanager", "pagerduty", "datadog", "sentry", "cloudwatch", "standard-webhooks"]
)
def test_an_end_and_its_beginning_have_one_fingerprint(source: str) -> None:
    of_source = [each for each in ALERTS if each.source == source]
    kinds = [str(each.headers) for each in of_source]
    ended = next(each for each in of_source if not each.fires)
    begun = of_source[kinds.index(str(ended.headers))]
    signals = [SOURCES[source].read(each.payload, each.headers, now=NOW)[0] for each in (begun, ended)]
    assert signals[0].fingerprint == signals[1].fingerprint


@pytest.mark.parametrize(
    "payload", [None, 7, "x", [], [7], {}, {"alerts": 7}, {"version": "9", "alerts": [], "event": 1}]
)
@pytest.mark.parametrize("source", SOURCES)
def test_rubbish_is_told_by_the_path_of_the_field_and_without_its_value(source: str, payload: Any) -> None:
    headers = {"sentry-hook-resource": "metric_alert", "x-github-event": "release", "x-gitlab-event": "x"}
    if source == "gitlab" and isinstance(payload, dict):
        payload = {**payload, "object_kind": "release"}
    found: list[Any] = []
    with suppress(UnreadablePayloadError):
        found += SOURCES[source].read(payload, headers, now=NOW)
    assert found == []


HOSTILE: list[Any] = [
    float("nan"), float("inf"), 1e308, 10**400, -(10**400), "9" * 5_000, "1e400", "", None, True, [], {}, [[1]],
    "\ud800", "\0", {"\ud800": 1}, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
]  # fmt: skip


def _places(payload: Any, *before: Any) -> Iterator[tuple[Any, ...]]:
    yield before
    inner = payload.items() if isinstance(payload, dict) else enumerate(payload) if isinstance(payload, list) else ()
    for key, value in inner:
        yield from _places(value, *before, key)


def _with(payload: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    changed = list(payload) if isinstance(payload, list) else dict(payload)
    changed[place[0]] = _with(payload[place[0]], place[1:], value)
    return changed


@pytest.mark.parametrize("example", [*ALERTS, *CHANGES], ids=name)
def test_whatever_stands_in_any_one_field_is_read_as_what_can_be_stored_or_told(example: Example) -> None:
    read = 0
    for place, value in product(_places(example.payload), HOSTILE):
        with suppress(UnreadablePayloadError):
            for signal in SOURCES[example.source].read(_with(example.payload, place, value), example.headers, now=NOW):
                read += 1
                ended_at = signal.ended_at or NOW
                assert FIRST_AT <= signal.occurred_at.astimezone(UTC) <= ended_at.astimezone(UTC) <= NOW
                assert json.dumps(asdict(signal), default=str, allow_nan=False, ensure_ascii=False).encode()
    assert read


@pytest.mark.parametrize(
    ("source", "payload", "problem"),
    [
        ("alertmanager", {"version": "3", "alerts": []}, "version: Input should be '4'"),
        ("alertmanager", {"version": "4", "alerts": [{"status": "firing", "labels": {}}]},
         "alerts.0.startsAt: Field required"),
        ("grafana", {"version": "4", "alerts": []}, "version: Input should be '1'"),
        ("pagerduty", {"messages": []}, "messages: this is a webhook of version 1 or 2; subscribe to webhooks V3"),
        ("cloudwatch", sns("hello"), "Message: no JSON; Scribe reads the alarms of CloudWatch"),
        ("generic", {"title": "x", "status": "secret"}, "status: none of "),
        ("generic", {"title": "x", "startsAt": "secret"}, "startsAt: no time"),
        ("change", {}, "title: the title, a text, is missing"),
    ],
)  # fmt: skip
def test_the_error_says_which_field_and_what_is_read(source: str, payload: Any, problem: str) -> None:
    with pytest.raises(UnreadablePayloadError) as told:
        SOURCES[source].read(payload, {}, now=NOW)
    assert str(told.value).startswith(problem)
    assert "secret" not in str(told.value)


def test_what_strangers_send_is_cut_to_size_and_no_time_lies_ahead() -> None:
    sent = {"title": "a\0b\ud800 c\n" * 100, "description": "x" * 9_999, "startsAt": "2099-01-01T00:00:00Z",
            "url": "javascript:alert(1)", "labels": {f"l{n}": "v" * 500 for n in range(99)}}  # fmt: skip
    (signal,) = SOURCES["generic"].read(sent, {}, now=NOW)
    assert len(signal.title) <= 200
    assert "\0" not in signal.title
    assert signal.title.encode()
    assert len(signal.text) == MOST_TEXT
    assert (signal.link, signal.occurred_at, len(signal.labels)) == (None, NOW, 20)


def test_a_link_shows_no_words_but_its_own() -> None:
    sent = {"title": "x", "link": "https://example.org/a?b=c|https://good.example.org>`<!here>"}
    (signal,) = SOURCES["change"].read(sent, {}, now=NOW)
    assert signal.link == "https://example.org/a?b=c%7Chttps://good.example.org%3E%60%3C!here%3E"


BODY, SECRET = b'{"a": 1}', "c2VjcmV0LXNlY3JldA=="


def _hmac(message: bytes, key: bytes = SECRET.encode()) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _signed(source: str, stamp: str = str(int(NOW.timestamp()))) -> dict[str, str]:
    standard = base64.b64encode(_hmac(f"id.{stamp}.".encode() + BODY, base64.b64decode(SECRET))).decode()
    return {
        "grafana": {"x-grafana-alerting-signature": _hmac(stamp.encode() + b":" + BODY).hex(),
                    "x-grafana-alerting-signature-timestamp": stamp},
        "pagerduty": {"x-pagerduty-signature": f"v1={'0' * 64},v1={_hmac(BODY).hex()}"},
        "sentry": {"sentry-hook-signature": _hmac(BODY).hex()},
        "github": {"x-hub-signature-256": f"sha256={_hmac(BODY).hex()}"},
        "gitlab": {"x-gitlab-token": SECRET},
        "standard-webhooks": {"webhook-id": "id", "webhook-timestamp": stamp,
                              "webhook-signature": f"v1,AAAA v1,{standard}"},
    }[source]  # fmt: skip


@pytest.mark.parametrize("source", [name for name, each in SOURCES.items() if each.signature is not None])
def test_a_signature_is_right_with_the_secret_alone(source: str) -> None:
    check = SOURCES[source].signature
    assert check is not None
    assert check(SECRET, BODY, _signed(source), NOW) is None
    assert check("b3RoZXItb3RoZXItb3RoZXI=", BODY, _signed(source), NOW)
    assert check(SECRET, BODY, {}, NOW)
    if source != "gitlab":
        assert check(SECRET, BODY + b" ", _signed(source), NOW)
    if source in {"grafana", "standard-webhooks"}:
        for stamp in (str(int(NOW.timestamp()) - 400), "soon", "9" * 40):
            assert "within five minutes" in str(check(SECRET, BODY, _signed(source, stamp), NOW))


def test_a_subscription_is_confirmed_at_aws_alone() -> None:
    ours = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    for region in ("eu-west-1", "us-gov-east-1", "ap-southeast-7", "us-isob-east-1"):
        url = ours.replace("eu-west-1", region)
        assert confirmation_url(sns("x", "SubscriptionConfirmation", SubscribeURL=url)) == url
    assert confirmation_url(sns({}, SubscribeURL=ours)) is None
    for wrong in (
        "http://sns.eu-west-1.amazonaws.com/", "https://sns.eu-west-1.amazonaws.com.example.org/", "https://10.0.0.1/",
        "https://sns.eu-west-1.amazonaws.com@example.org/", "https://example.org/sns.eu-west-1.amazonaws.com", "",
        "https://sns.s3.amazonaws.com/", "https://sns.s3-us-west-2.amazonaws.com/", "https://sns.amazonaws.com/",
        "https://sns.eu-west-1.amazonaws.com:8443/", "https://[::1", "https://sqs.eu-west-1.amazonaws.com/",
    ):  # fmt: skip
        with pytest.raises(UnreadablePayloadError):
            confirmation_url(sns("x", "SubscriptionConfirmation", SubscribeURL=wrong))


@pytest.mark.skipif(not GITHUB, reason="SCRIBE_GITHUB_EXAMPLES names no archive of npm's @octokit/webhooks-examples")
def test_githubs_published_examples_all_parse() -> None:
    with tarfile.open(GITHUB) as archive:
        members = [each for each in archive.getmembers() if each.name.endswith("index.json")]
        files = [json.loads(taken.read()) for each in members if (taken := archive.extractfile(each))]
    found, kinds = 0, set()
    for event in (each for file in files for each in file):
        for payload in event["examples"]:
            signals = SOURCES["github"].read(payload, {"x-github-event": event["name"]}, now=NOW)
            found += len(signals)
            kinds |= {each.fingerprint.split()[0] for each in signals}
    assert found > 0
    assert kinds >= {"release"}
