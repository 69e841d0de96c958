"""Runs the doctor on an installation: a stand-in Slack and the URL of a database."""

import tempfile
from pathlib import Path

from bot.clock import Clock, now
from bot.doctor.checkup import checkup
from bot.doctor.installation import Diagnosis
from bot.fakeslack.slack import Slack

UNUSED_SPOOL = Path(tempfile.gettempdir(), "a-spool-that-no-test-writes-to")


def environment(slack: Slack, url: str, **other: str) -> dict[str, str]:
    """The settings of Socket Mode with that Slack."""
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token, "SLACK_API_URL": slack.api_url}
    return {**tokens, "DATABASE_URL": url, "SCRIBE_SPOOL": str(UNUSED_SPOOL), **other}


def diagnose(settings: dict[str, str], clock: Clock = now, limit_s: float = 20.0) -> list[Diagnosis]:
    """The diagnoses; checks that each has a fix exactly when something is wrong, and that none names a secret."""
    found = list(checkup(settings, clock=clock, limit_s=limit_s))
    assert all(bool(each.fix) == (each.level != "ok") for each in found), found
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
        secret = settings.get(name)
        assert not secret or secret not in str(found)
    return found


def about(found: list[Diagnosis], subject: str) -> list[Diagnosis]:
    return [each for each in found if each.subject == subject]


def only(found: list[Diagnosis], subject: str) -> Diagnosis:
    """The subject's diagnosis, of which there must be one."""
    (diagnosis,) = about(found, subject)
    return diagnosis
