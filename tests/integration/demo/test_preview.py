"""The preview of the postmortem beside the conversation."""

import json

from bot.handlers.postmortem.exports import read_by_name
from tests.support.demo_site import DemoSite


def test_the_preview_has_what_a_draft_would_say_and_stores_none(site: DemoSite) -> None:
    preview = site.demo.preview
    site.record("/detected by monitoring: disk full")
    first = preview.render(site.channel, "postmortem")
    assert "disk full" in json.dumps(first)
    assert (first["incident"]["name"], first["incident"]["version"]) == ("INC-1", None)
    assert read_by_name(site.database, "INC-1").postmortem is None
    site.record("/note more")
    assert preview.render(site.channel, "postmortem")["incident"]["state"] != first["incident"]["state"]


def test_a_channel_without_an_incident_shows_the_newest(site: DemoSite) -> None:
    site.record("/detected disk full")
    elsewhere = site.demo.preview.render(site.demo.ids.channels["general"], "postmortem")
    assert (elsewhere["incident"]["name"], elsewhere["incident"]["here"]) == ("INC-1", False)
