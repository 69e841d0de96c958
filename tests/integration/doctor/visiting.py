"""An installation to look at: a small Slack, an address of a database, and what the doctor says."""

import tempfile
from pathlib import Path

from bot.clock import Clock, now
from bot.doctor.checkup import checkup
from bot.doctor.installation import Diagnosis
from bot.fakeslack.slack import Slack

NO_SPOOL = Path(tempfile.gettempdir(), "nothing-was-ever-kept-here")


def environment(slack: Slack, url: str, **other: str) -> dict[str, str]:
    """Socket Mode's settings for that Slack."""
    tokens = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_APP_TOKEN": slack.app_token, "SLACK_API_URL": slack.api_url}
    return {**tokens, "DATABASE_URL": url, "SCRIBE_SPOOL": str(NO_SPOOL), **other}


def visit(settings: dict[str, str], clock: Clock = now, limit_s: float = 20.0) -> list[Diagnosis]:
    """What the doctor says; every fault comes with a way out, and nothing tells a token or a password."""
    told = list(checkup(settings, clock=clock, limit_s=limit_s))
    assert all(bool(each.fix) == (each.level != "ok") for each in told), told
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
        secret = settings.get(name)
        assert not secret or secret not in str(told)
    return told


def about(told: list[Diagnosis], subject: str) -> list[Diagnosis]:
    """The diagnoses of a subject."""
    return [each for each in told if each.about == subject]


def one(told: list[Diagnosis], subject: str) -> Diagnosis:
    """The only diagnosis of a subject."""
    (found,) = about(told, subject)
    return found
