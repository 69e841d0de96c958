"""`/note graph QUERY`: figures of Prometheus are fetched after the answer, kept, drawn, exported, and taken back."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import select

from bot.clock import SetClock, now
from bot.documents.export import FORMATS
from bot.errors import UsageError
from bot.handlers.postmortem.audiences import edition_of
from bot.handlers.postmortem.exports import read_by_name
from bot.handlers.postmortem.json_import import ImportTarget, import_json
from bot.handlers.terminal import record_entry
from storage.database import Database
from storage.models import entry_graphs
from storage.values import EntryGraph
from tests.slack.sources.test_prometheus import free_port, program, running
from tests.support.ledger import incident, problems
from tests.support.workplace import Workplace, workplace

MINUTE = timedelta(minutes=1)


def graphs(office: Workplace) -> tuple[EntryGraph, ...]:
    office.deliver()
    return read_by_name(office.database, incident(office).name).graphs


def refusals(office: Workplace) -> list[str]:
    """What Alice alone was told of graphs."""
    told = [each.text for each in office.messages(user=office.alice) if each.ephemeral_for == office.alice]
    return [text for text in told if "without a graph" in text]


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[tuple[str, list[str]]]:
    """A server in place of Prometheus that always answers that; its address, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def matrix(*lines: tuple[dict[str, str], list[tuple[float, str]]]) -> bytes:
    result = [{"metric": labels, "values": [list(pair) for pair in values]} for labels, values in lines]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()


def test_the_real_one_is_asked_and_drawn(sqlite: Database, tmp_path: Path) -> None:
    """Two instances over three hours, one with a gap, as blocks of Prometheus' own."""
    server, tool = program("prometheus"), program("promtool")
    end_s = int(time.time())
    lines = ["# TYPE http_errors counter"]
    for name, gap in (("a", range(40, 60)), ("b", range(0))):
        lines += [
            f'http_errors_total{{instance="{name}"}} {minute * 120} {end_s - 10_800 + minute * 60}'
            for minute in range(180)
            if minute not in gap
        ]
    (tmp_path / "history.om").write_text("\n".join([*lines, "# EOF", ""]))
    blocks, port = tmp_path / "tsdb", free_port()
    subprocess.run(  # noqa: S603 - ours
        [tool, "tsdb", "create-blocks-from", "openmetrics", tmp_path / "history.om", blocks],
        check=True,
        capture_output=True,
    )  # fmt: skip
    (tmp_path / "prometheus.yml").write_text("global: {scrape_interval: 1m}\n")
    arguments = [server, f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={blocks}",
                 f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    with running(arguments, f"{base}/-/ready"), workplace(sqlite, clock=now, SCRIBE_PROMETHEUS=base) as office:
        office.say("/detected -2h checkout is slow")
        office.say("/mitigated -1h rolled back")
        office.say("/note -80m graph rate(http_errors_total[2m])")
        office.say("/note graph sum(")
        office.say("/note graph nothing_there_total")
        office.say("/resolved -50m")
        found = graphs(office)
        told = refusals(office)
    assert [each.query for each in found] == ["rate(http_errors_total[2m])"]
    (graph,) = found
    assert {each.labels["instance"] for each in graph.series} == {"a", "b"}
    gapped = next(each for each in graph.series if each.labels["instance"] == "a")
    assert None in gapped.values[20:-20]
    assert max(each for each in gapped.values if each is not None) == pytest.approx(2, rel=0.01)
    assert len(told) == 2
    assert "parse error" in told[0]
    assert "no number" in told[1]


def _line(
    start_s: float, *values: str, step_s: int = 10, **labels: str
) -> tuple[dict[str, str], list[tuple[float, str]]]:
    return labels, [(start_s + place * step_s, value) for place, value in enumerate(values)]


def test_a_graph_is_kept_drawn_exported_imported_and_goes_with_its_note(
    sqlite: Database, clock: SetClock, tmp_path: Path
) -> None:
    start_s = int((clock() - 40 * MINUTE).timestamp()) // 30 * 30
    shards = [
        _line(start_s, *["5"] * 75, *["NaN"] * 6, *[str(100 * number)] * 79, step_s=15, shard=str(number), job="db")
        for number in range(8)
    ]
    with answering(200, matrix(*shards)) as (base, asked):
        with workplace(sqlite, clock=clock, SCRIBE_PROMETHEUS=base) as office:
            office.say("/detected -30m checkout is slow")
            office.say("/note -20m graph sum by (shard) (rate(x{job=\u201cdb\u201d}[5m]))")
            assert asked == []
            (graph,) = graphs(office)
            assert "%7Bjob%3D%22db%22%7D" in asked[0]
            assert [each.labels["shard"] for each in graph.series] == ["2", "3", "4", "5", "6", "7"]
            assert graph.left_out == 2
            clock.set(clock() + 5 * MINUTE)
            office.say("/resolved fixed")
            office.deliver()
            assert len(asked) == 2
            clock.set(clock() + 40 * MINUTE)
            office.deliver()
            assert len(asked) == 3, "once more when the time after the end is over"
        record = read_by_name(office.database, "INC-1")
        svg = FORMATS["svg"](record)
        assert svg.count('role="img"') == 2
        assert "shard=7: 5 to 700" in svg
        assert "2 more not drawn" in svg
        # A gap is no zero and no line across: each line begins twice.
        lines = re.findall(r'<path d="(M[^"]*h0[^"]*)" fill="none" stroke-width="1.6"', svg)
        assert [line.count("M") for line in lines] == [2] * 6
        document = json.loads(FORMATS["json"](record))
        assert document["graphs"][0]["query"] == 'sum by (shard) (rate(x{job="db"}[5m]))'
        assert document["entries"][document["graphs"][0]["entry"] - 1]["text"].startswith("graph sum by")
        for audience in ("blameless", "public"):
            settings = office.bot.context.settings
            assert edition_of(office.database, record, audience, settings).record.graphs == ()
            assert edition_of(office.database, record, audience, settings, pictures=True).record.graphs
    document["incident"]["id"] = "INC-9"
    (tmp_path / "out.json").write_text(json.dumps(document))
    imported = import_json(sqlite, tmp_path / "out.json", ImportTarget(workspace_id=None, timezone="UTC"), at=clock())
    assert json.loads(FORMATS["json"](read_by_name(sqlite, imported.name))) == document
    document["incident"]["id"] = "INC-10"
    for wrong in (99, 1):
        document["graphs"][0]["entry"] = wrong
        (tmp_path / "wrong.json").write_text(json.dumps(document))
        with pytest.raises(UsageError, match=f"entry {wrong} is no note that asks"):
            import_json(sqlite, tmp_path / "wrong.json", ImportTarget(workspace_id=None, timezone="UTC"), at=clock())


def test_a_graph_moves_with_its_note_and_is_erased_with_it(sqlite: Database, clock: SetClock) -> None:
    line = _line(int(clock().timestamp()) // 10 * 10 - 600, *["1"] * 30)
    with (
        answering(200, matrix(line)) as (base, asked),
        workplace(sqlite, clock=clock, SCRIBE_PROMETHEUS=base) as office,
    ):
        office.say("/incident open checkout is slow")
        other = office.slack.add_channel("other")
        office.say("/incident open payments fail", channel=other)
        office.say("/note graph secret_total", channel=other)
        office.deliver()
        office.ask("/incident merge INC-2 into INC-1")
        moved = graphs(office)
        assert [each.query for each in moved] == ["secret_total"]
        assert len(asked) == 2
        answer = office.ask(f"/incident erase {moved[0].entry_number} a name")
        assert office.slack.click(office.alice, answer, "erase").ok
        assert graphs(office) == ()
        with sqlite.read() as connection:
            assert connection.execute(select(entry_graphs.c.query)).all() == []


def test_what_the_note_says_now_is_drawn(database: Database, clock: SetClock) -> None:
    line = _line(int(clock().timestamp()) // 10 * 10 - 600, *["1"] * 30)
    with (
        answering(200, matrix(line)) as (base, asked),
        workplace(database, clock=clock, SCRIBE_PROMETHEUS=base) as office,
    ):
        office.say("/detected checkout is slow")
        office.say("/note graph up")
        assert [each.query for each in graphs(office)] == ["up"]
        office.say("/incident edit 2 graph down")
        assert read_by_name(office.database, "INC-1").graphs == ()
        assert [each.query for each in graphs(office)] == ["down"]
        office.say("/incident edit 2 the graph is gone")
        assert graphs(office) == ()
        office.say("/incident edit 2 graph down")
        assert len(graphs(office)) == 1
        office.say("/incident undo 2")
        assert graphs(office) == ()
        asked.clear()
        office.say("/note graphs look odd")
        office.say("/did graph up")
        guest = office.slack.add_user("guest", restricted=True)
        office.ask("/note graph secret_total", user=guest)
        assert graphs(office) == ()
        assert asked == []


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (
            400,
            b'{"status": "error", "errorType": "bad_data", "error": "parse error: <eof>"}',
            {},
            "parse error: &lt;eof&gt;",
        ),
        (200, matrix(), {}, "no number"),
        (302, b"", {"Location": "http://127.0.0.1:1/"}, "http_302"),
        (200, b"<html>sign in</html>", {}, "http_200"),
        (200, b"[" * 100_000, {}, "http_200"),
        (200, b" " * 4_200_000, {}, "answer_too_large"),
        (503, b'{"status": "error", "errorType": "unavailable", "error": "starting"}', {}, "http_503"),
    ],
    ids=["refused", "nothing", "redirect", "another page", "deep", "large", "starting"],
)
def test_where_there_is_no_graph_the_author_is_told_why_once(
    status: int, body: bytes, headers: dict[str, str], words: str, sqlite: Database, clock: SetClock
) -> None:
    with (
        answering(status, body, **headers) as (base, asked),
        workplace(sqlite, clock=clock, SCRIBE_PROMETHEUS=base) as office,
    ):
        office.say("/detected checkout is slow")
        office.say("/note graph up")
        for _ in range(8):
            office.deliver()
            clock.set(clock() + 2 * MINUTE)
        (told,) = refusals(office)
        assert words in told
        away = words.startswith(("http_", "answer_"))
        assert len(asked) == (6 if away else 1)
        assert problems(office) == ([("fetch_graph", f"prometheus_{words}")] if away else [])
        assert graphs(office) == ()


def test_one_that_is_not_there_holds_nothing_up(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_PROMETHEUS=f"http://127.0.0.1:{free_port()}") as office:
        office.say("/detected checkout is slow")
        office.say("/note graph up")
        settings = office.bot.context.settings
        record_entry(sqlite, settings, "INC-1", "note graph down", at=clock(), author="ops", workspace_id=None)
        office.say("/resolved fixed")
        office.deliver()
        assert office.drafts
        for _ in range(8):
            clock.set(clock() + 2 * MINUTE)
            assert graphs(office) == ()
        # Who typed at the terminal is nobody in Slack, and told there of nothing.
        assert len(refusals(office)) == 1
        assert {action for action, _ in problems(office)} == {"fetch_graph"}
