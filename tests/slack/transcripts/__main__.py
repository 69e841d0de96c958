"""Write the conversations again: `python -m tests.slack.transcripts --write`."""

import shutil
import sys
import tempfile

from bot.clock import SetClock
from storage import schema
from storage.database import Database
from tests.conftest import NOON
from tests.slack.transcripts import NAMES, path, spoken
from tests.support.workplace import workplace

if sys.argv[1:] != ["--write"]:
    sys.exit(__doc__)
for name in NAMES:
    folder = tempfile.mkdtemp()
    database, clock = Database(f"sqlite:///{folder}/scribe.db"), SetClock(NOON)
    schema.migrate(database)
    with workplace(database, clock=clock) as office:
        path(name).write_text(spoken(office, clock, path(name).read_text(encoding="utf-8")), encoding="utf-8")
    database.close()
    shutil.rmtree(folder)
    sys.stdout.write(f"{path(name)}\n")
