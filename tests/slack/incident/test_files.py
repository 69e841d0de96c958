"""Pictures and files of messages that are on a timeline are kept: without metadata, within bounds, and never twice."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import select

from bot.clock import SetClock
from bot.doctor.installation import Installation
from bot.doctor.surroundings import check_files
from bot.documents.export import FORMATS, PRINTED, file_name
from bot.documents.images import MOST_PIXELS, UnfitError, fit
from bot.fakeslack.objects import Message
from bot.handlers.postmortem.audiences import edition_of
from bot.handlers.postmortem.exports import read_by_name
from bot.slack import client
from bot.slack.identity import Facts
from bot.vocabulary import ADD_TO_TIMELINE
from storage import timeline
from storage.database import Database
from storage.models import entry_files
from storage.sources.files import FileStore
from storage.values import EntryFile
from tests.support.ledger import entries, incident, problems, standing
from tests.support.workplace import Workplace, workplace

MINUTE = timedelta(minutes=1)
PLACE = b"51 deg 28 min"
"""Where a photo says that it was taken."""


def picture(form: str = "PNG", size: tuple[int, int] = (40, 30), colour: tuple[int, int, int] = (200, 30, 30)) -> bytes:
    """An image with metadata of every kind that its format has: a place, a comment, a profile."""
    image, written = Image.new("RGB", size, colour), BytesIO()
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()
    how: dict[str, Any] = {"exif": exif.tobytes(), "icc_profile": PLACE * 20} if form != "GIF" else {"comment": PLACE}
    if form == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", PLACE.decode())
        how["pnginfo"] = text
    image.save(written, form, **how)
    return written.getvalue()


def share(office: Workplace, name: str = "p99.png", content: bytes | None = None, text: str = "see p99") -> Message:
    content = picture() if content is None else content
    return office.slack.share(office.bob, office.channel, name, content, text=text)


def kept(office: Workplace) -> list[EntryFile]:
    office.deliver()
    with office.database.read() as connection:
        return timeline.files(connection, incident(office).id)


def states(office: Workplace) -> list[tuple[str, str | None]]:
    office.deliver()
    with office.database.read() as connection:
        rows = connection.execute(select(entry_files.c.state, entry_files.c.problem).order_by(entry_files.c.id))
        return [tuple(row) for row in rows]


def store(office: Workplace) -> FileStore:
    return FileStore(office.bot.context.settings.files_dir)


def grant(office: Workplace, *scopes: str) -> None:
    """Give the token these scopes, and have the bot learn what it has."""
    office.slack.scopes |= set(scopes)
    office.bot.context.identity.facts = Facts()
    office.bot.refresh()


@pytest.fixture
def keeping(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    """A workplace with an incident, where pins are taken and their files kept."""
    place = sqlite.url.render_as_string()
    with workplace(
        sqlite,
        clock=clock,
        DATABASE_URL=place,
        SCRIBE_PINS="on",
        SCRIBE_FILES="images,log",
        SCRIBE_FILES_MB="1",
        SCRIBE_REACTIONS="pushpin",
    ) as office:
        grant(office, "pins:read", "files:read", "reactions:read", "channels:history")
        office.say("/detected disk full")
        yield office


def test_what_is_kept_of_an_image_are_its_pixels(keeping: Workplace) -> None:
    for form, name in (("PNG", "a.png"), ("JPEG", "b.jpg"), ("WEBP", "c.webp"), ("GIF", "d.gif")):
        content = picture(form)
        assert PLACE in content
        keeping.slack.pin(keeping.carol, share(keeping, name, content, text=f"see {form}"))
    found = kept(keeping)
    assert [(each.name, each.kind) for each in found] == [
        ("a.png", "png"), ("b.jpg", "jpeg"), ("c.webp", "png"), ("d.gif", "png"),
    ]  # fmt: skip
    assert [each.entry_number for each in found] == [2, 3, 4, 5]
    for each in found:
        stored = store(keeping).read(each.sha256)
        assert stored is not None
        assert PLACE not in stored
        assert (each.size, (each.permalink or "")[:40]) == (len(stored), "https://playground.slack.com/files/U0000")
        with Image.open(BytesIO(stored)) as image:
            assert image.size == (40, 30)
            assert not image.getexif()
            assert not image.info.keys() & {"exif", "icc_profile", "comment", "Comment"}
            red, green, blue = image.convert("RGB").getpixel((5, 5))  # type: ignore[misc]
            assert (abs(red - 200) < 4, abs(green - 30) < 4, abs(blue - 30) < 4) == (True, True, True)
    folder = store(keeping).folder
    assert folder == Path(f"{keeping.database.url.database}.files")
    assert {each.name for each in folder.iterdir()} == {each.sha256 for each in found}
    assert {each.stat().st_mode & 0o777 for each in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_reaction_and_the_shortcut_keep_files_too_and_the_same_picture_lies_there_once(keeping: Workplace) -> None:
    keeping.slack.react(keeping.carol, share(keeping), "pushpin")
    keeping.deliver()
    keeping.slack.shortcut(keeping.carol, share(keeping, "again.png"), ADD_TO_TIMELINE)
    assert keeping.slack.modal(keeping.carol)
    keeping.slack.submit(keeping.carol, {"words": "see p99 again"})
    assert [(each.entry_number, each.name) for each in kept(keeping)] == [(2, "p99.png"), (3, "again.png")]
    assert len(list(store(keeping).folder.iterdir())) == 1


def test_what_is_too_large_of_another_kind_or_not_what_it_says_is_not_kept_and_the_words_are(
    keeping: Workplace,
) -> None:
    tried = {
        "huge.png": (b"\x89PNG\r\n\x1a\n" + b"x" * 1_100_000, "too_large"),
        "sheet.xlsx": (b"PK", "kind_not_kept"),
        "page.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "kind_not_kept"),
        "page.png": (b"<html><script>alert(1)</script></html>", "no_image"),
        "cut.png": (picture()[:-30], "broken_image"),
        "bomb.png": (bomb(), "too_many_pixels"),
        "core.log": (b"\x7fELF\0\0", "no_text"),
    }
    for name, (content, _) in tried.items():
        keeping.slack.pin(keeping.carol, share(keeping, name, content, text=f"see {name}"))
    assert states(keeping) == [("refused", problem) for _, problem in tried.values()]
    assert len(standing(keeping)) == 1 + len(tried)
    assert kept(keeping) == []
    assert not store(keeping).folder.exists()
    assert problems(keeping) == []


def bomb() -> bytes:
    """A PNG of few bytes that says it has more pixels than are decoded."""
    written, side = BytesIO(), 10
    while side * side <= MOST_PIXELS:
        side *= 2
    Image.new("1", (side, side)).save(written, "PNG", optimize=True)
    assert len(written.getvalue()) < 1_000_000
    return written.getvalue()


def test_a_log_is_kept_as_it_is(keeping: Workplace) -> None:
    keeping.slack.pin(keeping.carol, share(keeping, "app.log", b"14:02 pool exhausted\n"))
    (log,) = kept(keeping)
    assert (log.kind, store(keeping).read(log.sha256)) == ("log", b"14:02 pool exhausted\n")


def test_slack_that_is_away_or_busy_is_asked_again_and_the_words_wait_for_nothing(
    keeping: Workplace, clock: SetClock
) -> None:
    keeping.slack.fail_next("download", retry_after_s=30)
    keeping.slack.fail_next("download", error="internal_error", status=503)
    keeping.slack.pin(keeping.carol, share(keeping))
    assert states(keeping) == [("waiting", None)]
    assert standing(keeping)[-1][1].startswith("see p99")
    for _ in range(8):
        clock.set(clock() + MINUTE)
        if states(keeping) != [("waiting", None)]:
            break
    assert states(keeping) == [("kept", None)]
    assert keeping.slack.faults == []


def test_a_file_that_is_gone_is_set_aside_with_the_reason(keeping: Workplace) -> None:
    gone = share(keeping)
    keeping.slack.pin(keeping.carol, gone)
    keeping.slack.workspace.files.clear()
    assert states(keeping) == [("refused", "file_not_found")]
    assert problems(keeping) == [("keep_file", "file_not_found")]


def test_without_the_scope_nothing_is_tried(keeping: Workplace) -> None:
    keeping.slack.scopes -= {"files:read"}
    grant(keeping)
    keeping.slack.pin(keeping.carol, share(keeping))
    assert states(keeping) == []
    assert standing(keeping)[-1][1].startswith("see p99")


def test_the_doctor_counts_what_is_kept_refused_and_missing(keeping: Workplace) -> None:
    def told() -> str:
        settings = keeping.bot.context.settings
        looked = Installation(settings=settings, clock=keeping.bot.context.clock)
        looked.is_reachable = True
        (found,) = check_files(looked)
        looked.close()
        return f"{found.level} {found.message}"

    folder = store(keeping).folder
    keeping.slack.pin(keeping.carol, share(keeping))
    keeping.slack.pin(keeping.carol, share(keeping, "page.png", b"<html>", text="a page"))
    (image,) = kept(keeping)
    assert told() == f"ok 1 kept in {folder}; not kept: 1 no_image"
    store(keeping).delete(image.sha256)
    assert told() == f"warn 1 of 1 are not in {folder}"


def test_slacks_page_to_sign_in_is_no_file(keeping: Workplace) -> None:
    keeping.slack.fail_next("download", error="x", status=302)
    keeping.slack.pin(keeping.carol, share(keeping))
    assert states(keeping) == [("refused", "http_302")]
    assert problems(keeping) == [("keep_file", "http_302")]


def test_erasing_an_entry_deletes_the_bytes_that_no_other_has(keeping: Workplace) -> None:
    for text, name, colour in (("one", "a.png", (1, 2, 3)), ("two", "b.png", (1, 2, 3)), ("three", "c.png", (9, 9, 9))):
        keeping.slack.pin(keeping.carol, share(keeping, name, picture(colour=colour), text=text))
    first, second, third = kept(keeping)
    assert first.sha256 == second.sha256 != third.sha256
    for number, left in ((2, {first.sha256, third.sha256}), (4, {first.sha256}), (3, set())):
        answer = keeping.ask(f"/incident erase {number} it shows a customer", user=keeping.carol)
        keeping.slack.click(keeping.carol, answer, "erase")
        keeping.deliver()
        assert store(keeping).names() == left
    assert kept(keeping) == []


def test_a_file_erased_before_it_came_is_not_kept(keeping: Workplace, clock: SetClock) -> None:
    keeping.slack.fail_next("download", retry_after_s=30)
    keeping.slack.pin(keeping.carol, share(keeping))
    keeping.deliver()
    answer = keeping.ask("/incident erase 2 it shows a customer", user=keeping.carol)
    keeping.slack.click(keeping.carol, answer, "erase")
    clock.set(clock() + MINUTE)
    assert states(keeping) == [("erased", None)]
    assert not store(keeping).names()


def test_an_entry_that_moves_takes_its_files_along_and_unpinning_hides_them(keeping: Workplace) -> None:
    message = share(keeping)
    keeping.slack.pin(keeping.carol, message)
    assert len(kept(keeping)) == 1
    elsewhere = keeping.slack.add_channel("other")
    keeping.say("/detected mails are late", channel=elsewhere)
    keeping.say("/incident merge INC-1", channel=elsewhere)
    with keeping.database.read() as connection:
        (moved,) = timeline.files(connection, incident(keeping, 2).id)
    assert moved.name == "p99.png"
    assert kept(keeping) == []
    keeping.slack.unpin(keeping.carol, message)
    keeping.deliver()
    assert [entry.retracted for entry in entries(keeping, 2)] == [False, False, True]
    with keeping.database.read() as connection:
        assert timeline.files(connection, incident(keeping, 2).id) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://files.slack.com.evil.example/f",
        "http://files.slack.com/f",
        "https://files.slack.com@evil.example/f",
        "https://evil.example/files.slack.com",
        "https://user:pw@files.slack.com/f",
        "file:///etc/passwd",
        "https://files.slack.com:8443/f",
        "https://other.slack.com/f",
        "https://[::1",
        "",
    ],
)
def test_the_token_goes_to_slacks_hosts_alone(url: str) -> None:
    api, own = "https://slack.com/api/", "https://playground.slack.com/"
    assert not client._is_slacks(url, api, own)
    for good in ("https://files.slack.com/files-pri/T1-F1/download/a.png", "https://playground.slack.com/files/a.png"):
        assert client._is_slacks(good, api, own)
    assert client._is_slacks("https://files.slack-gov.com/f", "https://slack-gov.com/api/", None)


def test_a_kind_that_is_not_allowed_is_refused_whatever_its_bytes_are() -> None:
    with pytest.raises(UnfitError, match="kind_not_kept"):
        fit(picture(), "png", {"jpeg"})
    with pytest.raises(UnfitError, match="no_image"):
        fit(picture("WEBP"), "png", {"png"})


def test_pictures_are_shown_in_every_edition_but_those_for_others_unless_asked_for(keeping: Workplace) -> None:
    keeping.slack.pin(keeping.carol, share(keeping, "alice's p99.png", text="5% of carts fail"))
    keeping.slack.pin(keeping.carol, share(keeping, "app.log", b"14:02 pool exhausted\n", text="the log"))
    (image, log) = kept(keeping)
    keeping.say("/impact 5% of carts fail")
    keeping.say("/resolved freed space")
    keeping.deliver()
    record = replace(read_by_name(keeping.database, "INC-1"), read_file=store(keeping).read)
    page, markdown = FORMATS["html"](record), FORMATS["md"](record)
    assert page.count('<img src="data:image/png;base64,') == 1
    assert '<a href="data:text/plain;charset=utf-8;base64,' in page
    assert "; img-src data:; base-uri" in page
    assert "https://playground.slack.com/files/" in markdown
    assert "![" not in markdown
    storage = PRINTED["confluence"](record)
    assert f'<ri:attachment ri:filename="{file_name(image)}"/></ac:image>' in storage
    assert f'<ac:link><ri:attachment ri:filename="{file_name(log)}"/></ac:link>' in storage
    for audience in ("blameless", "public"):
        without = edition_of(keeping.database, record, audience, keeping.bot.context.settings).record
        assert without.files == ()
        assert "img-src" not in FORMATS["html"](without)
        shown = edition_of(keeping.database, record, audience, keeping.bot.context.settings, pictures=True).record
        told = FORMATS["html"](shown)
        # An image of an entry that is not public is not shown either.
        assert told.count("<img src=") == (audience == "blameless")
        assert "alice" not in told.casefold()
        assert "playground.slack.com" not in told


def test_a_published_folder_has_the_pictures_beside_it_and_an_erased_one_leaves_it_and_gits_index(
    sqlite: Database, clock: SetClock, tmp_path: Path
) -> None:
    published = tmp_path / "published"
    published.mkdir()
    subprocess.run(["git", "init", "-q", str(published)], check=True)  # noqa: S603, S607 - the one on the path
    with workplace(
        sqlite,
        clock=clock,
        SCRIBE_PINS="on",
        SCRIBE_FILES="images",
        SCRIBE_FILES_DIR=str(tmp_path / "files"),
        SCRIBE_PUBLISH_DIR=str(published),
    ) as office:
        grant(office, "pins:read", "files:read")
        office.say("/detected disk full")
        office.slack.pin(office.carol, share(office))
        (image,) = kept(office)
        office.say("/resolved freed space")
        office.deliver()
        office.ask("/postmortem publish anyway")
        office.deliver()
        place = published / "INC-1"
        assert (place / file_name(image)).read_bytes() == store(office).read(image.sha256)
        assert f"![p99.png]({file_name(image)})" in (place / "postmortem.md").read_text()
        assert "data:image/png" in (place / "postmortem.html").read_text()
        answer = office.ask("/incident erase 2 it shows a customer", user=office.carol)
        office.slack.click(office.carol, answer, "erase")
        office.deliver()
        assert not (place / file_name(image)).exists()
        assert "data:image" not in (place / "postmortem.html").read_text()
        listed = ["git", "-C", str(published), "ls-files"]
        tracked = subprocess.run(listed, check=True, capture_output=True, text=True).stdout  # noqa: S603 - as above
        assert file_name(image) not in tracked
        assert "INC-1/postmortem.md" in tracked


def test_a_canvas_shows_the_file_that_slack_has(sqlite: Database, clock: SetClock, tmp_path: Path) -> None:
    with workplace(
        sqlite,
        clock=clock,
        SCRIBE_PINS="on",
        SCRIBE_FILES="images",
        SCRIBE_FILES_DIR=str(tmp_path),
        SCRIBE_CANVAS="on",
    ) as office:
        grant(office, "pins:read", "files:read", "canvases:write")
        office.say("/detected disk full")
        office.slack.pin(office.carol, share(office))
        (image,) = kept(office)
        office.say("/resolved freed space")
        office.deliver()
        office.ask("/postmortem publish anyway")
        office.deliver()
        assert f"![p99.png]({image.permalink})" in office.slack.canvases[0].markdown
