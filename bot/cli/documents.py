"""Commands that write an incident's documents and reports, and import edited ones."""

import sys
from pathlib import Path

import click

from bot.cli.base import RawArgsCommand, migrated_database, settings
from bot.errors import UsageError

REPORT_FORMATS = ("text", "md", "json", "svg", "png")
FORMATS = ("md", "html", "json", "svg", "png", "phone-svg", "phone-png", "confluence")
EDITIONS = ("blameless", "public")


@click.command()
@click.argument("incident", metavar="INC")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="md", show_default=True)
@click.option("--template", metavar="NAME", help="Drafted in this template, and not kept: classic, short, google, …")
@click.option(
    "--edition",
    "--as",
    "edition",
    type=click.Choice(EDITIONS),
    help="With roles for names, or as the world may read it.",
)
@click.option("--money", is_flag=True, help="With --edition public: sums of money too.")
@click.option(
    "--pictures", is_flag=True, help="With --edition: pictures and files of messages too; look at them first."
)
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def export(
    incident: str,
    format_: str,
    template: str | None,
    edition: str | None,
    workspace: str | None,
    *,
    money: bool,
    pictures: bool,
) -> None:
    """Print an incident's postmortem, or its JSON or picture, from the store."""
    from dataclasses import replace

    from bot.documents.export import BINARY, PRINTED, editable
    from bot.handlers.postmortem.audiences import edition_of
    from bot.handlers.postmortem.drafts import in_template
    from bot.handlers.postmortem.exports import read_by_name
    from storage.sources.files import FileStore

    if edition and format_ == "json":
        raise UsageError(f"json is the whole record, names and all; --edition {edition} goes with the other formats.")
    if money and edition != "public":
        raise UsageError("--money goes with --edition public; the other editions have sums of money anyway.")
    if pictures and not edition:
        raise UsageError("--pictures goes with --edition; without one they are shown anyway.")
    check_edition(template, edition)
    if format_ in BINARY and sys.stdout.isatty():
        file = f"{incident}.{format_.removeprefix('phone-')}"
        raise UsageError(f"{format_} is no text; send it to a file: scribe export … --format {format_} > {file}")
    chosen = settings()
    store = migrated_database(chosen.database_url)
    record = read_by_name(store, incident, workspace_id=workspace)
    record = replace(record, read_file=FileStore(chosen.files_dir).read)
    if template:
        record = in_template(store, record, template, chosen)
    if edition:
        version = edition_of(store, record, edition, chosen, money=money, pictures=pictures)
        record, drafted = version.record, version.drafted
        if drafted.problem:
            click.echo(f"{drafted.problem} Written with the template {drafted.instead} instead.", err=True)
    # What is read back is merged with the version that it was made from, which is in its own template.
    write = editable if format_ == "md" and not edition and not template else (PRINTED | BINARY)[format_]
    click.echo(write(record), nl=False)


def check_edition(template: str | None, edition: str | None) -> None:
    """Raises UsageError for a template with the public edition, which has one of its own."""
    if template and edition == "public":
        raise UsageError("The public edition has a template of its own; --template goes with the others.")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--as", "author", default=None, help="Markdown: whose edit it is; your login name otherwise.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows none or several.")
@click.option("--channel", help="JSON: the id of the channel the incident belongs to, C0123ABC.")
@click.option("--public", is_flag=True, help="JSON: let the whole workspace see it, not its channel alone.")
def import_(file: Path, author: str | None, workspace: str | None, channel: str | None, *, public: bool) -> None:
    """Take back what "scribe export" wrote: Markdown with what was edited in it ("-" reads standard input), or the JSON
    of an incident that this store does not have."""
    if file.suffix.lower() == ".json":
        if author:
            raise UsageError("--as says whose edit a Markdown file is; JSON names its people itself.")
        click.echo(_import_incident(file, workspace, channel, public=public))
        return
    if channel or public:
        raise UsageError("--channel and --public go with a file that ends in .json: an incident this store lacks.")
    from bot.handlers.postmortem.file_import import import_and_describe

    with click.open_file(str(file), "rb") as stream:
        content = stream.read()
    chosen = settings()
    store = migrated_database(chosen.database_url)
    click.echo(import_and_describe(store, chosen, content, str(file), author=author, workspace_id=workspace))


def _import_incident(file: Path, workspace: str | None, channel: str | None, *, public: bool) -> str:
    """Add the incident in the JSON file to the store; returns the line to print."""
    from bot.clock import now
    from bot.handlers.postmortem.json_import import ImportTarget, import_json

    chosen = settings()
    target = ImportTarget(workspace_id=workspace, timezone=chosen.timezone.key, channel_id=channel, public=public)
    database = migrated_database(chosen.database_url)
    incident = import_json(database, file, target, at=now(), cadence=chosen.cadence)
    visible_to = "the workspace" if public else f"the channel {channel}" if channel else "`scribe export` alone"
    return f"{incident.name} is in the store, to be seen by {visible_to}: {incident.title}"


@click.command()
@click.argument("incident", metavar="INC")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
@click.pass_context
def check(context: click.Context, incident: str, workspace: str | None) -> None:
    """Advise on an incident's postmortem as a reviewer would; exit 0 when there is nothing to say, else 1."""
    from bot.handlers.postmortem.checks import describe_check

    chosen = settings()
    text, clean = describe_check(migrated_database(chosen.database_url), chosen, incident, workspace_id=workspace)
    click.echo(text)
    context.exit(0 if clean else 1)


@click.command(cls=RawArgsCommand)
@click.argument("words", nargs=-1, metavar="[30d]")
@click.option("--format", "format_", type=click.Choice(REPORT_FORMATS), default="text", show_default=True)
@click.option("--private", is_flag=True, help="Count private channels' incidents too.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def report(words: tuple[str, ...], format_: str, workspace: str | None, *, private: bool) -> None:
    """Print the numbers of a period: 30d, 12w, 1y or 2026-10-01..2026-10-31."""
    from bot.clock import now
    from bot.handlers.report import reports

    if format_ == "png" and sys.stdout.isatty():
        raise UsageError("A picture is no text: scribe report --format png > report.png")
    chosen, at = settings(), now()
    store = migrated_database(chosen.database_url)
    numbers = reports.report_for_terminal(
        store, " ".join(words), now=at, zone=chosen.timezone, workspace_id=workspace, private=private
    )
    if format_ == "png":
        from bot.documents.picture.png import png

        click.echo(png(reports.FORMATS["svg"](numbers)), nl=False)
    else:
        click.echo(reports.FORMATS[format_](numbers), nl=False)
