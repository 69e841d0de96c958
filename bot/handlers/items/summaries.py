"""The weekly summary: what became of the workspace's action items in seven days."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.items.cadence import Cadence
from storage.summaries import figures

_WEEK = timedelta(days=7)


def summary(connection: Connection, workspace_id: str, *, at: datetime, cadence: Cadence, prefix: str) -> str:
    """The summary up to `at` as Slack text, days counted in the cadence's zone."""
    today = at.astimezone(cadence.zone).date()
    counted = figures(connection, workspace_id, since_at=at - _WEEK, until_at=at, first_on=today - _WEEK, today=today)
    return slack("summary", figures=counted, today=today, slash=f"/{prefix}actionitem")
