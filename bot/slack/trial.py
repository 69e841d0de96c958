"""What the operator tries of Slack: one call, or all that Scribe does, done once in a channel and taken away again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import URLError

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.clock import Clock
from bot.documents import rendering
from bot.slack.client import PROBE_S, StrictClient
from bot.slack.refusals import SERVER_ERROR, ForeignAnswerError, reason

_HALF_A_SECOND = timedelta(seconds=0.5)
_NO_CLICK = "0.0.0"
"""A trigger that nobody's click has made: Slack looks at token and form, then refuses it by one of TRIGGER_REFUSED."""
TRIGGER_REFUSED = frozenset({"invalid_trigger_id", "invalid_trigger", "expired_trigger_id", "trigger_expired"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """Slack's answer. `error` is its error code; without `reached` it is the network's failure.

    `scopes` are the token's, None where Slack did not list them. `ahead_s` is how far this machine's clock is ahead of
    Slack's, in seconds, accurate to about one second; None where Slack gave no time.
    """

    reached: bool
    error: str | None
    facts: Mapping[str, Any]
    scopes: frozenset[str] | None = None
    ahead_s: float | None = None


def probe(method: str, *, token: str, api_url: str, clock: Clock) -> ProbeAnswer:
    """Call a method that needs only the token. Never raises, and waits at most PROBE_S."""
    client = StrictClient(token=token, base_url=api_url, timeout=PROBE_S)
    before = clock()
    try:
        response: Any = client.api_call(method)
        error = None
    except SlackApiError as refused:
        response, error = refused.response, reason(refused)
    except ForeignAnswerError as failure:
        return ProbeAnswer(reached=failure.status >= SERVER_ERROR, error=reason(failure), facts={})
    except URLError as failure:
        return ProbeAnswer(reached=False, error=" ".join(str(failure.reason).split()), facts={})
    except (SlackClientError, OSError, ValueError) as failure:
        return ProbeAnswer(reached=False, error=reason(failure), facts={})
    headers = {str(name).lower(): value for name, value in response.headers.items()}
    scopes = headers.get("x-oauth-scopes")
    return ProbeAnswer(
        reached=True,
        error=error,
        facts=response.data if isinstance(response.data, dict) else {},
        scopes=None if scopes is None else frozenset(each.strip() for each in scopes.split(",") if each.strip()),
        ahead_s=_ahead_s(headers.get("date"), before + (clock() - before) / 2),
    )


def _ahead_s(date: str | None, here: datetime) -> float | None:
    """The clock's lead over a `Date` header, whose fraction of a second is cut off: on average that is half of one."""
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return (here - there.replace(tzinfo=there.tzinfo or UTC) - _HALF_A_SECOND).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOutcome:
    """What came of one step: the words for what was done, or Slack's `refusal`, or why it was `unreached`.

    `needed` are the scopes that Slack asked for with its refusal.
    """

    done: str = ""
    refusal: str = ""
    needed: str = ""
    unreached: str = ""


def on_trial(*, token: str, api_url: str, channel: str, user: str) -> "Trial":
    """A trial in the channel. Its calls are not repeated: the first refusal is the diagnosis."""
    client = StrictClient(token=token, base_url=api_url, timeout=PROBE_S)
    return Trial(client=client, channel=channel, user=user)


def outcome(step: Callable[["Trial"], str], trial: "Trial") -> TrialOutcome:
    """Do one step. Never raises for what Slack or the network does."""
    try:
        return TrialOutcome(done=step(trial))
    except SlackApiError as error:
        needed = error.response.get("needed") if isinstance(error.response.data, dict) else None
        return TrialOutcome(refusal=reason(error), needed=str(needed or ""))
    except (SlackClientError, OSError) as error:
        return TrialOutcome(unreached=reason(error))


@dataclass(kw_only=True)
class Trial:
    """What is tried in a `channel`, for the eyes of `user` where it is one person's; empty for nobody.

    `done` holds what has to be taken away again.
    """

    client: StrictClient
    channel: str
    user: str
    done: dict[str, str] = field(default_factory=dict)

    def post(self) -> str:
        """Post a message; where there is none the others that need it are not tried."""
        answer = self.client.chat_postMessage(channel=self.channel, text=rendering.slack("trial"), unfurl_links=False)
        self.done["message"] = str(answer["ts"])
        return "a message is posted"

    def whisper(self) -> str:
        """Post a message that one person sees; nobody can delete it, it goes when they reload."""
        self.client.chat_postEphemeral(channel=self.channel, user=self.user, text=rendering.slack("trial"))
        return f"{self.user} alone sees an answer, until Slack is reloaded"

    def upload(self) -> str:
        """Upload a file of one line, as a draft is."""
        answer = self.client.files_upload_v2(
            channel=self.channel,
            content=rendering.slack("trial"),
            filename="scribe-trial.md",
            title="scribe doctor --try",
        )
        self.done["file"] = str((answer["files"] or [{}])[0].get("id"))
        return "a file is uploaded"

    def open(self) -> str:
        """Open a form with a trigger that no click has made: Slack must refuse that alone."""
        view = {
            "type": "modal",
            "title": {"type": "plain_text", "text": "Scribe"},
            "blocks": [_section("trial")],
        }
        try:
            self.client.views_open(trigger_id=_NO_CLICK, view=view)
        except SlackApiError as error:
            if reason(error) not in TRIGGER_REFUSED:
                raise
        return "a form opens only by somebody's click, which is all that Slack missed here: /actionitem opens one"

    def home(self) -> str:
        """Publish one person's Home tab, which Scribe publishes anew when they open it."""
        self.client.views_publish(user_id=self.user, view={"type": "home", "blocks": [_section("trial_home")]})
        return f"{self.user}'s Home tab is published"

    def delete_message(self) -> str:
        """Delete the message."""
        self.client.chat_delete(channel=self.channel, ts=self.done["message"])
        return "the message is deleted"

    def delete_file(self) -> str:
        """Delete the file."""
        self.client.files_delete(file=self.done["file"])
        return "the file is deleted"


def _section(template: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": rendering.slack(template)}}
