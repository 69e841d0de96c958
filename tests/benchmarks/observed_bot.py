"""`python -m tests.benchmarks.observed_bot PORT counted|plain`: the bot by HTTP, with counts and log or without."""

import logging
import os
import sys
from pathlib import Path

import uvicorn

from bot.config import Settings
from bot.slack.bot import build
from bot.slack.inbound import http
from bot.telemetry.context import NO_METRICS
from bot.telemetry.logs import JSON, configure
from bot.telemetry.metrics import PrometheusMetrics
from storage import schema
from storage.database import Database


def main(port: int, how: str) -> None:
    """Serve until ended."""
    settings = Settings.from_env(os.environ)
    database = Database(settings.database_url)
    schema.ensure(database)
    metrics = PrometheusMetrics() if how == "counted" else NO_METRICS
    if how == "counted":
        # To where it costs nothing more.
        configure("INFO", JSON, stream=Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the end
    else:
        logging.basicConfig(level="WARNING")
        vars(http)["measured_dispatch"] = lambda _metrics, dispatch: lambda *given: (dispatch(*given), int)
    bot = build(settings, database, metrics=metrics)
    bot.start()
    face = http.application(bot, settings)
    uvicorn.run(face, port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
