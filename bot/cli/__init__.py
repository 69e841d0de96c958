"""The `scribe` command.

Each command imports its heavy modules when it runs, so that `scribe --help` answers at once.
"""

import click

from bot.cli import backups, demo, documents, incidents, operations, sources
from bot.cli.base import ScribeGroup

_COMMANDS = (
    operations.run,
    demo.demo,
    demo.replay,
    documents.export,
    documents.import_,
    documents.check,
    documents.report,
    incidents.log,
    incidents.backfill,
    incidents.erase,
    incidents.remind,
    sources.sources,
    sources.change,
    operations.migrate,
    backups.backup,
    backups.restore,
    operations.spool,
    operations.doctor,
    operations.manifest,
)


@click.group(cls=ScribeGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scribe-bot")
def main() -> None:
    """Scribe writes the incident's timeline down, live, and drafts the postmortem from it."""


for _command in _COMMANDS:
    main.add_command(_command)
