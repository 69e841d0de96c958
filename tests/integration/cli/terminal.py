"""The command line, run in this process."""

from click.testing import CliRunner, Result

from bot.cli import main


def scribe(*args: str, **environment: str) -> Result:
    """Run `scribe ARGS`. An exception that is no exit is raised; no output has a traceback."""
    result = CliRunner(env={"DATABASE_URL": "sqlite:////nowhere", **environment}).invoke(main, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in {0, 1, 2}, result.output
    assert "Traceback" not in result.output
    return result


def refused(*args: str, **environment: str) -> str:
    """Run `scribe ARGS`, which must exit with 2 and print only an error; returns standard error."""
    result = scribe(*args, **environment)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr
