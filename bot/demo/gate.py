"""Who may see the page: whoever has its token, in a browser that really speaks with this machine."""

import secrets
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Gate:
    """Lets requests to `app` that name the right token, host and origin; everything gets the strict headers.

    The host is looked at because a stranger's page may have its own name resolve to 127.0.0.1. `address` is the
    server's, `http://127.0.0.1:PORT`.
    """

    def __init__(self, app: ASGIApp, *, token: str, address: Callable[[], str], is_open: Callable[[], bool]) -> None:
        self._app = app
        self._token = token.encode()
        self._address = address
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand the request on."""

        async def send_strictly(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_strictly)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers, address = Headers(scope=scope), self._address()
        if not secrets.compare_digest(str(scope["path_params"].get("token", "")).encode(), self._token):
            return PlainTextResponse("Open the address that scribe demo printed last.\n", status_code=404)
        if headers.get("host") != address.removeprefix("http://") or headers.get("origin", address) != address:
            return PlainTextResponse(f"This page is only there at {address}\n", status_code=421)
        if not self._is_open():
            return PlainTextResponse("The demo is not there yet.\n", status_code=503)
        return None
