"""Write the golden files again: `python -m tests.unit.documents.golden --write`."""

import sys

from bot.documents.templates import TemplateCatalog
from tests.unit.documents.golden import OTHERS_PATH, STATES_PATH, drafted, others, path, states

if sys.argv[1:] != ["--write"]:
    sys.exit(__doc__)
for template in TemplateCatalog().names():
    path(template).write_text(drafted(template), encoding="utf-8")
    sys.stdout.write(f"{path(template)}\n")
STATES_PATH.write_text(states(), encoding="utf-8")
OTHERS_PATH.write_text(others(), encoding="utf-8")
