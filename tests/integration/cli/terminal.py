"""The command line, asked in this process."""

from click.testing import CliRunner, Result

from bot.cli import main


def scribe(*args: str, **environment: str) -> Result:
    """What `scribe ARGS` says; whatever it says, it never traces."""
    result = CliRunner(env={"DATABASE_URL": "sqlite:////nowhere", **environment}).invoke(main, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in {0, 2}, result.output
    assert "Traceback" not in result.output
    return result


def refused(*args: str, **environment: str) -> str:
    """The words of a refusal, on standard error alone."""
    result = scribe(*args, **environment)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr
