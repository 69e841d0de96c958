"""The receipt of a timeline entry: what was recorded, with the time as Scribe read it."""

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
    """The public receipt of an entry, rendered from `templates/slack/<template>.j2` with `facts`.

    `assumed` means that the words named no zone; unless the user's zone is known, the receipt names the default zone
    that was used and shows how to correct the time. `seconds` shows the seconds of the entry's time.
    """
    zone = request.zone if request.zone_known else None
    text = slack(
        template,
        incident=incident,
        entry=entry,
        kind=KINDS[entry.kind],
        when=stamp(entry.occurred_at, zone, request.received_at.date(), seconds=seconds),
        assumed=zone_label(request.zone) if assumed and not request.zone_known else None,
        edit=f"{request.slash('incident')} edit {entry.number}",
        request=request,
        **facts,
    )
    recorded = entry.kind if template == "recorded" else None
    return Reply(text=text, public=True, buttons=buttons, about=incident.name, recorded=recorded)
