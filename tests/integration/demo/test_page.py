"""The page's server without a browser: its token, its headers, its state, its actions and invalid input."""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.demo.actions import ACTIONS
from bot.demo.page import CONTENT_TYPES, FILES, HEADERS, MAX_BODY_BYTES
from bot.fakeslack.delivery import JSON as JSON_TYPE
from bot.fakeslack.delivery import tls
from bot.fakeslack.web_api import METHODS
from tests.support.demo_site import DemoSite

Json = dict[str, Any]
Post = Callable[..., httpx.Response]


@pytest.fixture
def post(site: DemoSite) -> Post:
    def perform(action: str, **body: object) -> httpx.Response:
        content = {"user": site.alice, **body}
        return httpx.post(f"{site.address}actions/{action}", json=content, trust_env=False, verify=tls())

    return perform


def get(site: DemoSite, path: str = "", **headers: str) -> httpx.Response:
    return httpx.get(f"{site.address}{path}", headers=headers, trust_env=False, verify=tls())


def state(site: DemoSite, **parameters: str) -> Json:
    query = {"as": site.alice, "channel": site.channel, **parameters}
    answer: Json = httpx.get(f"{site.address}state", params=query, trust_env=False, verify=tls()).json()
    return answer


def test_only_the_token_opens_the_page_and_only_at_its_own_address(site: DemoSite) -> None:
    server = site.demo.slack.address
    assert site.address.startswith(f"{server}/")
    assert server.startswith("http://127.0.0.1:")
    token = site.address.split("/")[3]
    assert len(token) >= 20
    assert get(site).status_code == 200
    assert httpx.get(f"{server}/", trust_env=False).status_code == 404
    for wrong in ("x", token[:-1], f"{token}x", "%ff"):
        assert httpx.get(f"{server}/{wrong}/setup", trust_env=False).status_code == 404
    port = server.rpartition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", f"localhost:{port}", "127.0.0.1"):
        assert get(site, Host=host).status_code == 421
    assert get(site, Origin="http://evil.example").status_code == 421
    assert get(site, Origin="null").status_code == 421


def test_every_response_has_the_security_headers(site: DemoSite) -> None:
    for path in ("", "page.js", "page.css", "setup", "nothing.js", "picture.svg"):
        headers = get(site, path).headers
        assert {name: headers.get(name) for name in HEADERS} == HEADERS, path
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
    assert "http" not in HEADERS["Content-Security-Policy"]


INVALID: list[Json] = [
    {},
    {"text": 5, "channel": "C1"},
    {"text": "/note x", "channel": "C1"},
    {"text": "hello", "channel": None},
    {"user": "U404", "text": "hello", "channel": "C1"},
    {"text": "hello", "channel": "C1", "colour": "red"},
]


def test_invalid_arguments_of_an_action_are_refused_with_a_reason(site: DemoSite, post: Post) -> None:
    for action in ACTIONS:
        for body in INVALID:
            # Opening the Home tab needs no more than the user.
            if body or action != "home":
                answer = post(action, **body)
                assert answer.status_code == 400, (action, body)
                assert answer.json()["problem"]
    assert site.texts() == []


def test_an_unknown_action_and_a_body_that_is_no_object_or_too_large_are_refused(site: DemoSite, post: Post) -> None:
    assert post("shout").status_code == 404
    for content, status in (("[1]", 400), ("{", 400), (json.dumps({"text": "x" * MAX_BODY_BYTES}), 413)):
        answer = httpx.post(f"{site.address}actions/say", content=content, trust_env=False)
        assert answer.status_code == status


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"text":' * 100_000, '{"values": {"a": ' + "[" * 100_000])
def test_json_nested_too_deep_is_refused_at_every_route_that_takes_a_body(site: DemoSite, deep: str) -> None:
    server = site.demo.slack.address
    routes = [f"{site.address}actions/{name}" for name in ACTIONS]
    routes += [f"{server}/hooks/any", *(f"{server}/api/{method}" for method in METHODS)]
    for route in routes:
        headers = {"Content-Type": JSON_TYPE, "Authorization": f"Bearer {site.demo.slack.bot_token}"}
        answer = httpx.post(route, content=deep, headers=headers, trust_env=False)
        assert answer.status_code == 400, route
        assert answer.json()
    form = {"channel": site.channel, "text": "x", "blocks": deep, "token": site.demo.slack.bot_token}
    assert httpx.post(f"{server}/api/chat.postMessage", data=form, trust_env=False).status_code == 400


def test_json_that_is_read_but_too_deep_for_what_follows_is_refused(site: DemoSite) -> None:
    """Whatever depth the reader itself takes: from there on it is walked by code of Python's own."""
    for depth in (100, 900, 5_000, 20_000):
        nested = '{"user": "%s", "values": {"a": %s1%s}}' % (site.alice, "[" * depth, "]" * depth)  # noqa: UP031
        for name in ("submit", "click", "say"):
            answer = httpx.post(f"{site.address}actions/{name}", content=nested, trust_env=False)
            assert answer.status_code == 400, (name, depth)


def test_bytes_that_are_no_text_are_refused(site: DemoSite) -> None:
    server = site.demo.slack.address
    for route in (f"{site.address}actions/say", f"{server}/api/chat.postMessage", f"{server}/hooks/any"):
        assert httpx.post(route, content=b"\xff\xfe{", trust_env=False).status_code == 400, route


def test_an_unknown_person_channel_or_tab_is_refused(site: DemoSite) -> None:
    for parameters in ({"as": "U404"}, {"channel": "C404"}):
        assert "problem" in state(site, **parameters)
    site.record("/detected disk full")
    assert get(site, f"document?tab=nothing&channel={site.channel}").status_code == 400


def test_a_request_for_the_state_after_a_change_brings_it(site: DemoSite, post: Post) -> None:
    version = str(state(site)["version"])
    post("say", channel=site.channel, text="hello")
    assert [each["text"] for each in state(site, after=version)["messages"]] == ["hello"]


def test_the_state_has_no_channel_that_the_person_is_not_in(site: DemoSite, post: Post) -> None:
    secret = site.demo.slack.add_channel("secret", private=True, members=[site.bob])
    post("say", channel=secret, text="psst", user=site.bob)
    seen_by_alice = state(site, channel=secret)
    assert seen_by_alice["messages"] == []
    assert secret not in [each["id"] for each in seen_by_alice["channels"]]
    assert [each["text"] for each in state(site, channel=secret, **{"as": site.bob})["messages"]] == ["psst"]


def test_the_page_is_plain_files_that_load_nothing_from_elsewhere() -> None:
    files = sorted(FILES.iterdir())
    assert {path.suffix for path in files} == set(CONTENT_TYPES)
    for path in files:
        text = path.read_text(encoding="utf-8")
        # Names below example.com are words of an example, which lead nowhere (RFC 2606).
        named = {each for each in re.findall(r"https?://[\w.]+", text) if not each.endswith(".example.com")}
        assert named <= {"http://www.w3.org", "https://api.slack.com"}, path.name
        assert "innerHTML" not in text
        assert " style=" not in text
        assert len(text.splitlines()) < 250, path.name
