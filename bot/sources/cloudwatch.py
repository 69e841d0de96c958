"""Amazon CloudWatch alarms, through a topic of Amazon SNS.

Source of the shapes: docs.aws.amazon.com, SNS "HTTP/HTTPS notification JSON format", CloudWatch "Alarm events".
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from bot.sources.source import Headers, Payload, Source, UnreadablePayloadError, instant, shaped, signal
from storage.values import Signal

_HOST = re.compile(r"sns\.[a-z]{2,5}(?:-[a-z]{1,20}){1,3}-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?")
"""SNS in a region. `sns.s3.amazonaws.com` would be a bucket, which is anybody's."""
_CONFIRMATION = "SubscriptionConfirmation"


class SnsEnvelope(Payload):
    """What SNS posts: a notification, or the question whether the topic may post here."""

    type: Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"] = Field(alias="Type")
    message: str = Field(alias="Message")
    topic: str = Field(alias="TopicArn")
    subscribe_url: str = Field(default="", alias="SubscribeURL")


class AlarmDimension(Payload):
    """What a metric is measured of."""

    name: str
    value: str


class AlarmTrigger(Payload):
    """The metric of an alarm."""

    metric: str = Field(default="", alias="MetricName")
    dimensions: Sequence[AlarmDimension] = Field(default=(), alias="Dimensions")


class CloudWatchAlarm(Payload):
    """A change of an alarm's state."""

    name: str = Field(alias="AlarmName")
    arn: str = Field(default="", alias="AlarmArn")
    description: str | None = Field(default=None, alias="AlarmDescription")
    state: Literal["ALARM", "OK", "INSUFFICIENT_DATA"] = Field(alias="NewStateValue")
    reason: str = Field(default="", alias="NewStateReason")
    changed_at: str = Field(alias="StateChangeTime")
    region: str = Field(default="", alias="Region")
    trigger: AlarmTrigger = Field(default_factory=AlarmTrigger, alias="Trigger")


def confirmation_url(payload: Any) -> str | None:
    """The address that confirms a subscription; None where the payload asks for none.

    Raises UnreadablePayloadError for an address that is not of AWS itself: nobody else is asked for anything.
    """
    told = shaped(SnsEnvelope, payload)
    if told.type != _CONFIRMATION:
        return None
    try:
        parts = urlsplit(told.subscribe_url)
        is_aws = parts.scheme == "https" and _HOST.fullmatch(parts.netloc) is not None
    except ValueError:
        is_aws = False
    if not is_aws:
        raise UnreadablePayloadError("SubscribeURL: no address of SNS at AWS, so it is not asked for anything")
    return told.subscribe_url


def read(payload: Any, _headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The alarm of a notification. Raises UnreadablePayloadError for a message that is no alarm."""
    told = shaped(SnsEnvelope, payload)
    if told.type != "Notification":
        return ()
    try:
        message = json.loads(told.message)
    except (ValueError, RecursionError):
        raise UnreadablePayloadError("Message: no JSON; Scribe reads the alarms of CloudWatch") from None
    alarm = shaped(CloudWatchAlarm, message)
    if alarm.state == "INSUFFICIENT_DATA":
        return ()
    over, at = alarm.state == "OK", instant(alarm.changed_at, "Message.StateChangeTime")
    dimensions = {each.name: each.value for each in alarm.trigger.dimensions}
    return (
        signal(
            "cloudwatch",
            fingerprint=alarm.arn or f"{told.topic} {alarm.name}",
            title=alarm.name,
            at=at,
            now=now,
            ended_at=at if over else None,
            fired=not over,
            text=alarm.description or alarm.reason,
            labels={"region": alarm.region, "metric": alarm.trigger.metric, **dimensions},
        ),
    )


SOURCE = Source(
    name="cloudwatch",
    label="CloudWatch",
    read=read,
    version="CloudWatch's alarms through SNS",
    confirmation=confirmation_url,
)
