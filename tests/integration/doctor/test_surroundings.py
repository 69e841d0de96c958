"""The doctor's checks of a pooler, of the channels it cannot post to, and of the fonts for pictures."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from bot.clock import now
from bot.fakeslack.slack import Slack
from storage import outbox, receipts
from storage.database import Database
from tests.integration.doctor.diagnosing import about, diagnose, environment, only
from tests.integration.storage.rows import declare, say
from tests.support.paths import ROOT
from tests.support.relays import pgbouncer

FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>{}</dir></fontconfig>"""


def test_a_pooler_is_named(slack: Slack, postgres: Database, url: str) -> None:
    with pgbouncer(postgres.url) as relay:
        found = only(diagnose(environment(slack, f"{relay.url}?prepare_threshold=5")), "pooler")
        assert (found.level, found.message.partition(";")[2]) == (
            "ok", " no statement is prepared, no session's state is relied on",
        )  # fmt: skip
    direct = postgres.url.render_as_string(hide_password=False)
    assert only(diagnose(environment(slack, direct)), "pooler").message == "none; statements are prepared"
    off = postgres.url.update_query_dict({"prepare_threshold": "none"}).render_as_string(hide_password=False)
    assert "not prepared, as DATABASE_URL says" in only(diagnose(environment(slack, off)), "pooler").message
    assert about(diagnose(environment(slack, url)), "pooler") == []


@pytest.mark.parametrize(
    ("query", "more", "fix"),
    [
        ("?options=-ctimezone%3DUTC", "", "takes no `options`"),
        ("", "max_client_conn = 0", "max_client_conn"),
        ("?prepare_threshold=often", "", "DATABASE_URL"),
    ],
)
def test_what_a_pooler_refuses_is_told_with_what_to_change(
    slack: Slack, postgres: Database, query: str, more: str, fix: str
) -> None:
    with pgbouncer(postgres.url, more=more) as relay:
        found = only(diagnose(environment(slack, relay.url + query)), "database")
    assert found.level == "fail"
    assert fix in found.fix


def test_channels_that_scribe_was_not_invited_to_are_named_unless_they_are_private(
    slack: Slack, database: Database
) -> None:
    url = database.url.render_as_string(hide_password=False)
    assert only(diagnose(environment(slack, url)), "channels").level == "ok"
    with database.write() as connection:
        incident = declare(connection)
        receipts.mark_absent(connection, "T1", "C77", at=now())
        for _ in range(2):
            outbox.post(connection, "T1", incident.channel_id, {"text": "the words"}, at=now())
            job = outbox.claim(connection, at=now())
            assert job is not None
            outbox.park(connection, job, problem="not_in_channel")
    first, second = about(diagnose(environment(slack, url)), "channels")
    assert first.message == f"Scribe is not in {incident.channel_id} #{incident.channel_name}; 2 messages wait for that"
    assert second.message == "Scribe is not in C77; no messages wait for that"
    assert "/invite @scribe" in first.fix
    with database.write() as connection:
        for number in range(9):
            receipts.mark_absent(connection, "T1", f"D{number}", at=now())
    assert about(diagnose(environment(slack, url)), "channels")[-1].message == "Scribe is not in 6 more channels"


def font_for(characters: str, folder: Path) -> None:
    """A font that has these characters, each a square."""
    pen = TTGlyphPen(None)
    for point in ((100, 0), (100, 700), (800, 700)):
        (pen.lineTo if point != (100, 0) else pen.moveTo)(point)
    pen.closePath()
    names = [".notdef", *(f"u{ord(each):x}" for each in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(each): f"u{ord(each):x}" for each in characters})
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Squares", "styleName": "Regular", "psName": "Squares-Regular"})
    builder.setupOS2()
    builder.setupPost()
    folder.mkdir()
    builder.save(folder / "squares.ttf")


def doctor(url: str, fonts: Path) -> list[str]:
    """What `scribe doctor` prints of fonts, on a machine that has those in the folder alone."""
    settings = fonts.parent / "fonts.conf"
    settings.write_text(FONTS.format(fonts))
    machine = os.environ | {"FONTCONFIG_FILE": str(settings), "HOME": str(fonts.parent), "DATABASE_URL": url}
    run = subprocess.run(
        [sys.executable, "-m", "bot", "doctor"], cwd=ROOT, env=machine, capture_output=True, text=True, check=False
    )
    lines = run.stdout.splitlines()
    return [line.strip() for at, line in enumerate(lines) if "font: " in line or (at and "font: " in lines[at - 1])]


def test_a_font_that_the_timelines_need_is_named_with_its_package(sqlite: Database, url: str, tmp_path: Path) -> None:
    nothing = tmp_path / "none"
    nothing.mkdir()
    first, *_ = doctor(url, nothing)
    assert first.startswith("ok    font: Arimo, which is part of Scribe; not here, and not needed yet: Chinese")
    assert "emoji (fonts-noto-color-emoji)" in first
    with sqlite.write() as connection:
        incident = declare(connection)
        say(connection, incident, "Grüße, Привет, ✈️ 🔥 🔥")
        say(connection, incident, "障害 and क")
    told = doctor(url, nothing)
    assert told == [
        "warn  font: no font here has 害 障 (Chinese, Japanese and Korean): the timeline's picture shows boxes instead",
        "-> Install one: apt-get install fonts-noto-cjk",
        "warn  font: no font here has ✈ 🔥 (emoji): the timeline's picture shows boxes instead",
        "-> Install one: apt-get install fonts-noto-color-emoji",
        "warn  font: no font here has क (further scripts): the timeline's picture shows boxes instead",
        "-> Install one: apt-get install fonts-noto-core",
    ]
    font_for("障害🔥✈क", tmp_path / "installed")
    assert doctor(url, tmp_path / "installed")[0].startswith("ok    font: Arimo, which is part of Scribe")
