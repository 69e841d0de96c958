"""The receipt: what was written down, and the time as it was understood."""

from zoneinfo import ZoneInfo

from bot.documents.rendering import slack
from bot.domain.time.format import stamp, zone_label
from bot.handlers.request import Button, Reply, Request
from bot.vocabulary import KINDS
from storage.values import Incident, TimelineEntry


def receipt(
    request: Request,
    template: str,
    incident: Incident,
    entry: TimelineEntry,
    *,
    assumed: bool = False,
    seconds: bool = False,
    buttons: tuple[Button, ...] = (),
    **facts: object,
) -> Reply:
    """The channel's receipt for an entry, from `templates/slack/<template>`.

    `assumed` says that the time was read in a zone nobody told; the receipt then names it and offers the
    correction.
    """
    text = slack(
        template,
        incident=incident,
        entry=entry,
        kind=KINDS[entry.kind],
        when=_when(request, entry, seconds=seconds),
        assumed=zone_label(request.zone) if assumed and not request.zone_known else None,
        edit=f"{request.slash('incident')} edit {entry.number}",
        request=request,
        **facts,
    )
    recorded = entry.kind if template == "recorded" else None
    return Reply(text=text, public=True, buttons=buttons, about=incident.name, recorded=recorded)


def _when(request: Request, entry: TimelineEntry, *, seconds: bool) -> str:
    zone: ZoneInfo | None = request.zone if request.zone_known else None
    return stamp(entry.occurred_at, zone, request.received_at.date(), seconds=seconds)
