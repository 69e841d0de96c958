"""What Slack's refusals mean for the next attempt, and how long it waits."""

import math

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.slack import refusals
from bot.slack.client import PausedError
from bot.slack.refusals import (
    LONGEST_RETRY_AFTER_S,
    MOST_FILE_FAILURES,
    MOST_UNKNOWN,
    PERMANENT,
    TEMPORARY,
    ForeignAnswerError,
    Verdict,
    backoff_s,
    gives_up,
    judge,
    judge_code,
    needs_messages,
    retry_after_s,
)


def refusal(code: str, status: int = 200, **headers: str) -> SlackApiError:
    response = SlackResponse(
        client=WebClient(), http_verb="POST", api_url="https://slack.com/api/x", req_args={},
        data={"ok": False, "error": code}, headers=headers, status_code=status,
    )  # fmt: skip
    return SlackApiError("refused", response)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "code",
    [
        "ratelimited", "rate_limited", "message_limit_exceeded", "org_login_required", "fatal_error",
        "internal_error", "service_unavailable", "request_timeout", "team_added_to_org", "accesslimited",
    ],
)  # fmt: skip
def test_what_passes_is_tried_again_however_often(code: str) -> None:
    assert judge_code(code) is Verdict.LATER
    assert not gives_up(refusal(code), 1_000)


@pytest.mark.parametrize("code", ["invalid_auth", "not_in_channel", "is_archived", "msg_too_long", "missing_scope"])
def test_what_stays_is_not_tried_again(code: str) -> None:
    assert gives_up(refusal(code), 1)


def test_an_unknown_code_is_tried_a_few_times() -> None:
    assert [gives_up(refusal("a_new_word"), attempts) for attempts in range(1, MOST_UNKNOWN + 2)] == [
        *[False] * (MOST_UNKNOWN - 1),
        True,
        True,
    ]


def test_no_code_is_both_temporary_and_permanent() -> None:
    assert not TEMPORARY & PERMANENT


@pytest.mark.parametrize(
    "error",
    [
        ForeignAnswerError(403), ForeignAnswerError(200), ForeignAnswerError(307), PausedError(3.0), TimeoutError(),
        ConnectionResetError(), refusal("msg_too_long", 503), refusal("not_in_channel", 429),
    ],
)  # fmt: skip
def test_whatever_is_no_word_of_slacks_is_temporary(error: Exception) -> None:
    assert judge(error) is Verdict.LATER


@pytest.mark.parametrize(
    ("asked", "status", "seconds"),
    [
        ("30", 429, 30.0), ("0", 429, 0.0), ("-5", 429, 0.0), ("1e9", 429, LONGEST_RETRY_AFTER_S),
        ("inf", 429, LONGEST_RETRY_AFTER_S), ("soon", 429, 1.0), ("7", 503, 7.0), ("soon", 503, None),
        ("nan", 200, None),
    ],
)  # fmt: skip
def test_the_wait_that_is_asked_for_is_at_most_an_hour(asked: str, status: int, seconds: float | None) -> None:
    assert retry_after_s(refusal("ratelimited", status, **{"Retry-After": asked})) == seconds
    assert retry_after_s(ForeignAnswerError(status, asked)) == seconds


def test_without_a_header_only_a_limit_asks_to_wait() -> None:
    assert retry_after_s(refusal("ratelimited", 429)) == 1.0
    assert retry_after_s(refusal("internal_error", 500)) is None
    assert retry_after_s(TimeoutError()) is None


def test_waits_double_up_to_the_longest_and_differ() -> None:
    for attempts in range(2_000):
        most_s = min(300.0, math.ldexp(1, min(attempts, 20)))
        assert most_s / 2 <= backoff_s(attempts, longest_s=300.0) <= most_s
    assert len({backoff_s(9, longest_s=300.0) for _ in range(20)}) > 1


def test_a_file_comes_as_messages_when_refused_and_when_it_fails_for_long() -> None:
    assert needs_messages(refusal("file_uploads_disabled"), 1)
    assert needs_messages(refusal("a_new_word"), 1)
    assert not needs_messages(refusal("token_revoked"), 1)
    assert not needs_messages(refusal("internal_error"), MOST_FILE_FAILURES - 1)
    assert needs_messages(refusal("internal_error"), MOST_FILE_FAILURES)
    assert needs_messages(ForeignAnswerError(403), MOST_FILE_FAILURES)
    assert not needs_messages(refusal("ratelimited", 429), 50)


def test_the_token_is_refused_for_good() -> None:
    assert refusals.TOKEN_REFUSED < PERMANENT
