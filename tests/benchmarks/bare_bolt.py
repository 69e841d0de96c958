"""Bolt with a command that does nothing, served as Scribe is. `python -m tests.benchmarks.bare_bolt PORT SECRET`."""

import sys

import uvicorn
from slack_bolt import Ack, App, BoltRequest
from slack_bolt.adapter.starlette.handler import to_starlette_response
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def bolt(secret: str) -> App:
    """An app that answers `/detected` with a fixed word; it checks signatures itself and calls nobody."""

    def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token="xoxb-none")  # noqa: S106 - no token

    app = App(signing_secret=secret, authorize=authorize, process_before_response=True)

    @app.command("/detected")
    def _detected(ack: Ack) -> None:
        ack("Detected", response_type="in_channel")

    return app


def served(app: App) -> Starlette:
    """The app behind Starlette, dispatched in its thread pool."""

    async def events(request: Request) -> Response:
        body = (await request.body()).decode()
        asked = BoltRequest(body=body, headers=dict(request.headers))
        return to_starlette_response(await run_in_threadpool(app.dispatch, asked))

    return Starlette(routes=[Route("/slack/events", events, methods=["POST"])])


def main(port: str, secret: str) -> None:
    """Serve until ended."""
    uvicorn.run(served(bolt(secret)), host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
