"""Commands that run Scribe against the stand-in Slack: no token, no account."""

import os
from pathlib import Path

import click

from bot.cli.base import migrated_database
from bot.cli.documents import EDITIONS, check_edition


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port on 127.0.0.1; any free one otherwise.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--http", is_flag=True, help="Reach the bot by HTTP instead of Socket Mode.")
@click.option("--database", "url", help="Keep what is recorded in this database; otherwise it is gone with the demo.")
@click.option("--replay", "file", type=click.Path(path_type=Path), help="Play this case file as a drill.")
@click.option("--speed", type=click.FloatRange(0, 100_000, min_open=True), help="How many times as fast as it was.")
def demo(*, port: int, no_browser: bool, http: bool, url: str | None, file: Path | None, speed: float | None) -> None:
    """Try Scribe in the browser: a small Slack with the real bot behind it; no token, no account."""
    from bot.demo.casefile import read_case
    from bot.demo.replay import SAMPLE
    from bot.demo.serve import serve

    given = read_case(file) if file else None
    cases = {case.id: case for case in (given, read_case(SAMPLE)) if case}
    drill = given.id if given else next(iter(cases)) if speed else None
    store = migrated_database(url) if url else None
    serve(store, cases, echo=click.echo, port=port, http=http, browser=not no_browser, drill=drill, speed=speed)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for ID.md, .json, .html, .svg, .png."
)
@click.option("--template", metavar="NAME", help="Draft it in this template.")
@click.option(
    "--edition", type=click.Choice(EDITIONS), help="With roles for names, or as the world may read it; without JSON."
)
def replay(files: tuple[Path, ...], out: Path | None, template: str | None, edition: str | None) -> None:
    """Play incidents back through the real bot: case FILES, or the sample that ships with Scribe."""
    from bot.demo.replay import SAMPLE, replay_file
    from bot.documents.picture.png import png

    check_edition(template, edition)
    for file in files or (SAMPLE,):
        result = replay_file(file, template, edition, templates=os.environ.get("SCRIBE_TEMPLATES", ""))
        if out is None:
            click.echo(result.documents["md"], nl=False)
            continue
        out.mkdir(parents=True, exist_ok=True)
        for suffix, content in result.documents.items():
            (out / f"{result.id}.{suffix}").write_text(content, encoding="utf-8")
        (out / f"{result.id}.png").write_bytes(png(result.documents["svg"]))
        written = ", ".join(f"{result.id}.{suffix}" for suffix in (*result.documents, "png"))
        click.echo(f"{result.id}: {written} in {out}")
