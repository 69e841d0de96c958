"""Checks of what is around Scribe: a pooler before the database, the channels it posts to, the fonts for pictures."""

import os
import unicodedata
from dataclasses import dataclass

from bot.doctor.installation import Diagnosis, Installation, fail, ok, warn
from bot.documents.picture.png import undrawable
from bot.documents.picture.text_width import has_all, simple
from bot.slack.outbound.presence import KEPT_FOR, waiting_by_channel
from storage import incidents, receipts, schema, timeline
from storage.sources import files
from storage.sources.files import FileStore
from storage.spool import nearest_folder

POOLER = "pooler"


def check_pooler(installation: Installation) -> list[Diagnosis]:
    """Whether a pooler stands before the server, and whether statements are prepared. Nothing for SQLite."""
    if not installation.is_reachable or installation.database.is_sqlite:
        return []
    preparing = installation.database.preparing
    if preparing.is_pooled:
        return [ok(POOLER, "one is before the server; no statement is prepared, no session's state is relied on")]
    return [
        ok(POOLER, f"none; statements are {'prepared' if preparing.is_on else 'not prepared, as DATABASE_URL says'}")
    ]


CHANNELS = "channels"
LISTED = 5
_INVITE = "Have somebody type there: /invite @scribe. Messages of the last 30 days are posted then."


def check_channels(installation: Installation) -> list[Diagnosis]:
    """The channels that the bot is not in although it has something to post there. Needs the newest schema."""
    if not _is_current(installation):
        return []
    with installation.database.read() as connection:
        waiting = waiting_by_channel(connection, since_at=installation.clock() - KEPT_FOR)
        places = sorted({*waiting, *receipts.absent_channels(connection)})
        about = {place: incidents.in_channel(connection, *place) for place in places[:LISTED]}
    found = []
    for place, incident in about.items():
        named = f" #{incident.channel_name}" if incident and not incident.private else ""
        count = waiting.get(place, 0)
        messages = f"{count or 'no'} {'message waits' if count == 1 else 'messages wait'}"
        found.append(warn(CHANNELS, f"Scribe is not in {place[1]}{named}; {messages} for that", fix=_INVITE))
    if len(places) > LISTED:
        found.append(warn(CHANNELS, f"Scribe is not in {len(places) - LISTED} more channels", fix=_INVITE))
    return found or [ok(CHANNELS, "Scribe is missing from none that it has to post to")]


FILES = "files"
_OWN_FOLDER = "Make the folder writable for the user that runs Scribe, or set SCRIBE_FILES_DIR to another one."
_FROM_A_COPY = "Put them back from a copy's folder: the name of each file is its SHA-256. deploy/BACKUP.md tells more."


def check_files(installation: Installation) -> list[Diagnosis]:
    """Whether files of messages can be kept, and those that are kept are there. Nothing where that is off."""
    if not installation.settings.files:
        return []
    store = FileStore(installation.settings.files_dir)
    folder = nearest_folder(store.folder)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return [fail(FILES, f"nothing can be written in {folder}", fix=_OWN_FOLDER)]
    if not _is_current(installation):
        return []
    with installation.database.read() as connection:
        named, refused = files.referenced(connection), files.refused_by_problem(connection)
    missing = len(named - store.names())
    if missing:
        return [warn(FILES, f"{missing} of {len(named)} are not in {store.folder}", fix=_FROM_A_COPY)]
    reasons = ", ".join(f"{count} {problem}" for problem, count in sorted(refused.items()))
    return [ok(FILES, f"{len(named)} kept in {store.folder}{f'; not kept: {reasons}' if reasons else ''}")]


FONT = "font"
EXAMPLES = 5
"""Characters of each script that are tried and named."""
_MARKS = frozenset({"Mn", "Me", "Mc"})
"""Marks that are drawn on the letter before them, with its font."""
_PACKAGES_MISSING = (
    "Install Scribe's packages anew: pip install -r requirements.lock (fontpkg-arimo and resvg-py draw)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Characters that Scribe's own font lacks, `sample` some of them; `package` is Debian's with a font for them."""

    name: str
    sample: str
    package: str


EAST_ASIAN = Script(name="Chinese, Japanese and Korean", sample="日あ한", package="fonts-noto-cjk")
EMOJI = Script(name="emoji", sample="🔥", package="fonts-noto-color-emoji")
OTHER = Script(name="further scripts", sample="कกع", package="fonts-noto-core")


def check_font(installation: Installation) -> list[Diagnosis]:
    """Whether the picture can be drawn, and whether fonts for all characters of the timelines are there."""
    try:
        if undrawable("A"):
            return [fail(FONT, "Scribe's own font, Arimo, is not there: pictures have no words", fix=_PACKAGES_MISSING)]
    except Exception as error:  # noqa: BLE001 - whatever keeps a picture from being drawn is the diagnosis
        return [fail(FONT, f"no picture can be drawn: {type(error).__name__}", fix=_PACKAGES_MISSING)]
    found, absent = [], []
    for script, written in _by_script(_written(installation)).items():
        missing = undrawable(written[:EXAMPLES])
        if missing:
            problem = (
                f"no font here has {' '.join(missing)} ({script.name}): the timeline's picture shows boxes instead"
            )
            found.append(warn(FONT, problem, fix=f"Install one: apt-get install {script.package}"))
        elif undrawable(script.sample):
            absent.append(f"{script.name} ({script.package})")
    unneeded = f"; not here, and not needed yet: {', '.join(absent)}" if absent else ""
    return found or [ok(FONT, f"Arimo, which is part of Scribe{unneeded}")]


def _written(installation: Installation) -> str:
    """Every character of the newest entries and titles."""
    if not _is_current(installation):
        return ""
    with installation.database.read() as connection:
        return timeline.characters(connection)


def _by_script(characters: str) -> dict[Script, str]:
    """The characters that Scribe's own font lacks, by script."""
    found = dict.fromkeys((EAST_ASIAN, EMOJI, OTHER), "")
    for character in characters:
        drawn = simple(character)
        if drawn.isprintable() and not has_all(drawn) and unicodedata.category(drawn[-1]) not in _MARKS:
            found[_script(drawn)] += drawn
    return found


def _script(character: str) -> Script:
    if unicodedata.category(character) in {"So", "Sk"}:
        return EMOJI
    return EAST_ASIAN if unicodedata.east_asian_width(character) in {"W", "F"} else OTHER


def _is_current(installation: Installation) -> bool:
    return installation.is_reachable and schema.current(installation.database) == schema.newest()
