"""The table of the kinds of sources: first those of alerts, then those of changes."""

from collections.abc import Mapping

from bot.sources import (
    alertmanager,
    argocd,
    cloudwatch,
    datadog,
    generic,
    github,
    gitlab,
    grafana,
    opsgenie,
    pagerduty,
    sentry,
    uptime_kuma,
)
from bot.sources.source import Source

SOURCES: Mapping[str, Source] = {
    source.name: source
    for source in (
        alertmanager.SOURCE,
        grafana.SOURCE,
        pagerduty.SOURCE,
        opsgenie.SOURCE,
        datadog.SOURCE,
        sentry.SOURCE,
        cloudwatch.SOURCE,
        uptime_kuma.SOURCE,
        generic.STANDARD,
        generic.SOURCE,
        github.SOURCE,
        gitlab.SOURCE,
        argocd.SOURCE,
        generic.CHANGES,
    )
}
"""Every kind of source, by its name in addresses."""


def label_of(name: str) -> str:
    """What people read for the source of that name; the name of one that is gone from the table."""
    return SOURCES[name].label if name in SOURCES else name
