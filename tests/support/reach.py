"""A pytest plugin that writes down which tests reach which lines and templates: `pytest -p tests.support.reach`.

Each worker writes one file of JSON into the folder that the variable SCRIBE_REACH names: `tests` with their seconds
and the number of lines they reach, `lines` (file, line, tests) and `templates` (name, tests).
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import coverage
import jinja2
import pytest

from tests.support.paths import ROOT

FOLDER = "SCRIBE_REACH"
MOST = 200
"""Tests that are kept for one line: those that reach the fewest lines, since they say most about each."""
_load_template = jinja2.Environment._load_template


class Reach:
    """What the tests of this worker have reached so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.coverage = coverage.Coverage(data_file=None, source=[str(ROOT / "bot"), str(ROOT / "storage")])
        self.test = ""
        self.seconds: dict[str, float] = {}
        self.templates: dict[str, set[str]] = defaultdict(set)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Let what is reached from here on count for this test."""
        self.test = item.nodeid
        self.coverage.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the seconds of a test's set-up, call or end."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration

    def pytest_sessionfinish(self) -> None:
        """Write what was reached."""
        self.coverage.stop()
        data = self.coverage.get_data()
        reached = {
            str(Path(file).relative_to(ROOT)): data.contexts_by_lineno(file) for file in sorted(data.measured_files())
        }
        sizes = Counter(test for lines in reached.values() for tests in lines.values() for test in tests)

        def narrowest(tests: Iterable[str]) -> list[str]:
            return sorted(filter(None, tests), key=lambda test: (sizes[test], test))[:MOST]

        found = {
            "tests": {test: (self.seconds.get(test, 0), sizes[test]) for test in sizes if test},
            "lines": {
                file: {line: narrowest(tests) for line, tests in lines.items()} for file, lines in reached.items()
            },
            "templates": {name: narrowest(tests) for name, tests in self.templates.items()},
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}.json").write_text(json.dumps(found))


def pytest_configure(config: pytest.Config) -> None:
    """Begin to watch, in a worker or where there are none."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    reach = Reach(Path(os.environ[FOLDER]))

    def load(self: jinja2.Environment, name: str, globals: object) -> jinja2.Template:  # noqa: A002 - Jinja's name
        reach.templates[name].add(reach.test)
        return _load_template(self, name, globals)  # type: ignore[arg-type]

    jinja2.Environment._load_template = load  # type: ignore[method-assign]
    config.pluginmanager.register(reach)
    reach.coverage.start()
