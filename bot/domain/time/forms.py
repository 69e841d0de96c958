"""The forms in which people and programs write a time at the head of words: `at 14:02`, `10 min ago`, a log's stamp.

    HEAD    = [bracket] [ANNOUNCEMENT] (STAMP | [DAY] CLOCK [zone] [DAY] [- CLOCK] | COUNTED) [bracket]

ANNOUNCEMENTS says what may come before a time, FORMS how a day, a clock time, a stamp and a distance from now are
written. What could be something else (`1530`, `15h`) is a time only where it is announced (`at 1530`). How a match
is read is the matter of `typed`, which instant it stands for that of `moment`: here is the table alone.
"""

import re
from dataclasses import dataclass

from bot.domain.time.names import DAYPARTS, DAYS_BACK, HOURS, MONTHS, NUMBERS, UNITS, VAGUE, WEEKDAYS, any_case, one_of

BARE, SAID, TOWARDS, EXACT, OF_A_DAY, NEVER = range(6)
"""How firmly a time is announced: not at all; by `about` or `since`, which may also stand before a number; by `gegen`
or `vers`; by `at` or a bracket; by `yesterday at`. What is so at least NEVER is only offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to write a time or a part of one; `reads` names what makes a value of a match (`typed.READERS`).

    `part` is `stamp`, `day`, `clock` or `counted`. It must be announced at `least` so firmly, and `further` on in the
    words at least so; None there means that it is passed over. `examples` are whole times.
    """

    name: str
    part: str
    pattern: re.Pattern[str]
    reads: str
    examples: tuple[str, ...]
    least: int = BARE
    further: int | None = None


_END = r"(?![\w'\u2019%/])"
SET_OFF = r"(?=\s{0,9}(?:[:,;)\]\u2014](?![0-9])|[-\u2013.](?:\s|$)|$))"
"""What follows says that the time is over: a separator, a bracket or the end."""
_HALF = r"(?P<half>[ap])\.?m(?:\.(?![0-9])|(?![\w'\u2019]))"
_OCLOCK = r"(?:\s?(?:uhr|hrs?|h)(?![\w'\u2019]))?"
_CLOCK_24 = r"(?P<hour>[01]?[0-9]|2[0-4])"
_LENGTH = (
    r"(?!\s?(?:min(?:ute)?s?|minuten|secs?|seconds|hours?\s+(?:of|long|late)"
    r"|second\s(?:delay|outage|gap|lag|pause|timeout|wait|window|downtime|interruption))(?!\w))"
)
"""No length of time follows: `10:32 min`."""
_UNIT = (
    r"(?!\s?(?:%|\u2030|[\u20ac$\u00a3\u00b0]|(?:percent|prozent|pct|ms|[mµn]?s|secs?|seconds?|mins?|minutes?|days?|weeks?|x"
    r"|[kmgtp]i?b(?:it|ps|/s)?|[km]|mill?ion(?:en|s)?|mio|thousand|billion|euros?|eur|usd|dollars?|[rqt]ps|iops"
    r"|bytes|per)(?!\w)))"
)
_QUANTITY = _UNIT + r"(?!\s?(?:re(?:q|quests?)|connections?|conns?|threads?|rows?|messages?|msgs?)(?!\w))"
"""No unit of something else follows: `15.02 GB`, `1500 rps`; nor a noun that is counted: `1500 requests`."""
_AN_EVENT = (
    r"(?=\s(?:(?-i:UTC|GMT|CES?T|MES?Z|[ECMP][SD]?T)(?!\w)|(?:we|i|they|he|she|it|the|our|all|everything|everybody|everyone|nobody|someone|somebody|wir|ich|er|sie"
    r"|nous|je|il)\s|(?!\S{0,40}ed\s\S{0,40}s(?!\w))[a-z-]{1,40}ed(?!\w)|[a-z][a-z_-]{0,40}[0-9][\w.-]{0,40}(?!\S)))"
)
"""What happened follows, and no noun that is counted: `at 9 restarted db1`, `at 12 db1 died`."""
_AFTER_AT = r"(?:(?<=at\s)|(?<=@\s)|(?<=@)|(?<=um\s)|(?<=à\s))"
_WHOLE = r"(?![\w%'\u2019/-]|[.:,][0-9])"
_NO_COUNT = (
    r"(?=\s[^\W\d_])(?!\s\w{0,40}s(?!\w)|\s(?:of|per|out|point|time|or|and|to|x|hour|hr|minute|second|day|week|pod|host"
    r"|node|replica|more|other|different|von)(?!\w))"
)
"""A word follows that is no plural, so that the hour may be a time: `at 9 failover began`."""
_NO_VERSION = r"(?!\s(?:release|upgrade|update|version|build|lts|branch|image|patch|is|was|to)s?(?!\w))"
_NO_DURATION = (
    r"(?!\s(?:of|long|outage|downtime|delay|lag|behind|later?|left|total|window|uptime|after|into|in|for|until|till|to"
    r"|without|ago)(?!\w))"
)
_NO_NAME = (
    r"(?![\w'\u2019/-]|\s(?:cron|job|backup|run|deploy|release|batch|maintenance|window|shift|call|meeting|traffic"
    r"|peak|rush|spike|load|report|sync|build|import|export)s?(?!\w))"
)
"""No noun follows that the word before it describes: `midnight backup failed`."""

_DAY_FOLLOWS = (
    r"(?=\s(?:in\sthe\s(?:morning|afternoon|evening)|at\snight|yesterday|today|this\s(?:morning|afternoon|evening)|tonight"
    rf"|last\snight|heute|gestern|(?:morgen|vormittag|nachmittag|abend|nacht)s|du\s(?:matin|soir)|(?:on|am)\s{one_of(WEEKDAYS)})(?!\w))"
)
YEAR = r"(?P<year>(?:19|20)[0-9]{2})(?![0-9])"
_AFTER_DAY = r"(?![\w'\u2019/])"
_OF_WEEK = rf"(?:{one_of(WEEKDAYS)}\.?,?\s{{1,9}})?"
_ON = r"(?:(?:on|am|le|den)\s{1,9})?(?:the\s{1,9})?" + _OF_WEEK
_PART_OF_DAY = rf"(?:\s{{1,9}}(?:in\s{{1,9}}the\s{{1,9}})?(?P<part>{one_of(DAYPARTS)}))?"
_NUMBER = (
    rf"(?:[0-9]{{1,9}}(?:[.,][0-9]{{1,3}}|\u00bd)?|{one_of(NUMBERS)}(?!\w)|{one_of(dict.fromkeys(VAGUE, 0))}(?!\w))"
)
LENGTH_PART = any_case(
    rf"(?:(?P<share>half\s{{1,9}}an?|(?:an?\s{{1,9}})?half|(?:eine[rnm]?\s{{1,9}})?halbe[nr]?|(?:une?\s{{1,9}})?demie?"
    rf"|anderthalb|eineinhalb|zweieinhalb|(?:a\s{{1,9}})?quarter\s{{1,9}}of\s{{1,9}}an|three\s{{1,9}}quarters\s{{1,9}}of\s{{1,9}}an)"
    rf"[\s-]{{1,9}}|(?P<number>{_NUMBER})"
    rf"(?:\s?(?:-|\u2013|to|or|bis|à)\s?(?P<most>[0-9]{{1,9}}))?(?P<more>\s{{1,9}}and\s{{1,9}}a\s{{1,9}}half)?\s{{0,3}})"
    rf"(?P<unit>{one_of(UNITS)})(?:(?P<last>[0-9]{{2}})(?!\w)|(?![^\W\d_])\.?)"
    r"(?P<plus>\s{1,9}(?:and\s{1,9}a\s{1,9}half|et\s{1,9}demie?)(?!\w))?"
)
_PART_ONCE = re.sub(r"\?P<\w+>", "?:", LENGTH_PART.pattern)
_LENGTHS = rf"{_PART_ONCE}(?:[\s,]{{0,9}}(?:(?:and|und|et)\s{{1,9}})?{_PART_ONCE}){{0,3}}"
_COMPACT_PART = rf"[0-9]+(?:[.,][0-9]{{1,3}})?(?:(?!\s\w(?!\w))\s?{one_of(UNITS)})(?![^\W\d_])"
_COMPACT = rf"{_COMPACT_PART}(?:\s?{_COMPACT_PART}){{0,3}}(?:(?<=h)[0-9]{{2}})?{_END}(?![.,]?[0-9])"

FIRST_HOUR = "The first hour of a range"
"""The name of the form that is a time only where the end of the range follows."""

FORMS: tuple[Form, ...] = (
    Form(
        name="Compact stamps", part="stamp", reads="stamped",
        pattern=any_case(
            r"(?P<year>20[0-9]{2})(?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12][0-9]|3[01])(?:T|[-_\s]?)"
            r"(?P<hour>[0-2][0-9]):?(?P<minute>[0-5][0-9])(?::?(?P<second>[0-5][0-9])(?P<fraction>[.,][0-9]{1,9})?)?"
            r"(?!(?!Z(?!\w))\w|[.:,][0-9])"
        ),
        examples=("20261126T064012Z", "20261126T0640+0100", "20261126-06:40:12"),
    ),
    Form(
        name="Kubernetes' own log", part="stamp", reads="stamped",
        pattern=any_case(
            r"[IWEF](?P<month>0[1-9]|1[0-2])(?P<day>0[1-9]|[12][0-9]|3[01])\s{1,3}"
            r"(?P<hour>[0-2][0-9]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9])(?P<fraction>\.[0-9]{1,9})(?!\w)"
        ),
        examples=("E1126 06:40:12.345678",),
    ),
    Form(
        name="Unix time", part="stamp", reads="unix_time",
        pattern=any_case(
            r"@?(?P<figures>[0-9]{10}(?:[0-9]{3}){0,3})(?:\.(?P<fraction>[0-9]{1,9}))?(?![\w/%-]|[.:,][0-9])",
            _QUANTITY,
        ),
        examples=("1795675212", "1795675212123", "1795675212.123"),
    ),
    Form(
        name="A part of a day", part="day", reads="part_word",
        pattern=any_case(
            r"(?:(?:earlier|early|late)\s{1,9})?(?:tonight|last\s{1,9}night|heute\s{1,9}nacht|cette\s{1,9}nuit|at\snight"
            r"|(?:this|in\sthe)\s{1,9}(?:morning|afternoon|evening)|ce\s{1,9}(?:matin|soir)|cet\s{1,9}apr[eè]s-midi"
            r"|(?:morgen|vormittag|nachmittag|abend|nacht)s|du\s(?:matin|soir))", _AFTER_DAY,
        ),
        examples=("this morning 9:10", "last night 23:40", "12:20 this afternoon", "at 9 in the morning",
                  "ce matin 9h10", "9 Uhr morgens"),
    ),
    Form(
        name="Today and before", part="day", reads="day_word",
        pattern=any_case(
            rf"(?:(?:earlier|early|late)\s{{1,9}})?(?P<word>{one_of(DAYS_BACK)}){_PART_OF_DAY}", _AFTER_DAY,
            r"(?!\s{1,9}(?<=hier\s)(?:um|gegen|seit|ab)\s)",
        ),
        examples=("yesterday 23:50", "today at 9:05", "9:05 yesterday", "gestern um 23:50", "hier à 23h50",
                  "gestern Abend 23:40"),
    ),
    Form(
        name="Days ago", part="day", reads="days_ago",
        pattern=any_case(
            rf"(?:(?P<number>{_NUMBER})\s?(?:d|days?)\s{{1,9}}ago|vor\s{{1,9}}(?P<vor>{_NUMBER})\s{{1,9}}tage?n?"
            rf"|il\s{{1,9}}y\s{{1,9}}a\s{{1,9}}(?P<ilya>{_NUMBER})\s{{1,9}}jours?)", _AFTER_DAY,
        ),
        examples=("2 days ago at 14:00", "vor zwei Tagen um 14:00"),
    ),
    Form(
        name="Dates, the year first", part="day", reads="iso_date",
        pattern=any_case(
            _ON, r"(?P<year>[0-9]{4})(?P<dash>[-/.])(?P<month>[0-9]{1,2})(?P=dash)(?P<day>[0-9]{1,2})(?![0-9'\u2019/])",
        ),
        examples=("2026-11-26 12:30", "2026/11/26 12:30", "2026-11-26T12:30:05.250Z", "2026-11-26 06:40:12,123",
                  "2026-11-26 06:40:12.123 UTC", "2026/11/26 06:40:12", "Thu 2026-11-26 06:40:12 UTC"),
    ),
    Form(
        name="Dates, the day first", part="day", reads="named_date",
        pattern=any_case(
            _ON, r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er)?[.\s/-]{0,3}(?:of\s)?",
            rf"(?P<month>{one_of(MONTHS)})(?![^\W\d_])\.?",
            rf"(?:[,\s/-]{{0,3}}{YEAR})?(?![0-9'\u2019/])",
        ),
        examples=("26 Nov 12:30", "26 November 2026, 12:30", "26. November um 12:30", "26/Nov/2026:06:40:12 +0000",
                  "Thu, 26 Nov 2026 06:40:12 GMT", "le 26 nov. à 12h30"),
    ),
    Form(
        name="Dates, the month first", part="day", reads="named_date",
        pattern=any_case(
            _ON, rf"(?P<month>{one_of(MONTHS)})(?![^\W\d_])\.?\s{{1,3}}(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?",
            rf"(?:,?\s{{1,3}}{YEAR})?(?![0-9'\u2019/:.])",
        ),
        examples=("Nov 26 12:30", "Nov 26, 2026 6:40:12 AM", "Nov 26 06:40:12", "Thu Nov 26 06:40:12 2026"),
    ),
    Form(
        name="Dates in figures", part="day", reads="numeric_date",
        pattern=any_case(
            _ON, r"(?P<first>[0-9]{1,2})(?P<dash>[./-])(?P<second>[0-9]{1,2})"
            r"(?:(?P=dash)(?P<year>[0-9]{4}|[0-9]{2})|\.(?![0-9])|(?<!-[0-9])(?<!-[0-9][0-9])(?![./-][0-9]))(?![0-9'\u2019/:]|\.[0-9])",
        ),
        examples=("26.11.2026 12:30", "26.11. um 12:30", "26/11/2026 12:30", "11/26/2026 12:30"),
    ),
    Form(
        name="Weekdays", part="day", reads="weekday",
        pattern=any_case(
            r"(?:(?:on|am|le)\s{1,9})?(?:(?P<last>last|letzten|letzter|past)\s{1,9})?",
            rf"(?P<weekday>{one_of(WEEKDAYS)})(?:\.(?!\w))?(?P<passed>\s{{1,9}}dernier)?{_PART_OF_DAY}", _AFTER_DAY,
        ),
        examples=("Monday 14:00", "on Mon at 9", "last Friday 14:00", "Montag um 14:00", "lundi à 14h"),
    ),
    Form(
        name="Hours and minutes", part="clock", reads="shown", further=BARE,
        pattern=any_case(
            r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?P<fraction>\.[0-9]+|,[0-9]{3,9})?)?"
            rf"(?![0-9]|::?[0-9]{{2}}|::[0-9]|:[0-9][\w:.]|['\u2019%=]){_LENGTH}(?:\s?{_HALF})?", _OCLOCK,
        ),
        examples=("14:02", "14:02:30", "at 14:02", "3:05 am", "14:02 UTC", "14:02 Uhr", "~13:30", "around 13:30",
                  "(13:30)", "[13:30]", "13:30ish", "since 13:00", "from 13:00", "12:30-12:45",
                  "12:30 \u2013 12:45 UTC", "from 12:30 to 12:45", "between 12:30 and 12:45"),
    ),
    Form(
        name="Hours and minutes, announced", part="clock", reads="shown", least=EXACT, further=EXACT,
        pattern=any_case(
            r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?=\s(?:min(?:ute)?s?|minuten|secs?|seconds?|hours?)(?!\w))"
        ),
        examples=("at 14:02",),
    ),
    Form(
        name="am and pm", part="clock", reads="shown", further=BARE,
        pattern=any_case(rf"(?P<hour>[0-9]{{1,2}})(?:[.h](?P<minute>[0-5][0-9]))?\s?{_HALF}"),
        examples=("3am", "11 a.m.", "3.05am"),
    ),
    Form(
        name="am and pm, without a dot", part="clock", reads="shown", further=BARE,
        pattern=any_case(rf"(?P<hour>0?[1-9]|1[0-2])(?P<minute>[0-5][0-9]){_HALF}"),
        examples=("1130am", "257am"),
    ),
    Form(
        name="am and pm, without a dot, announced", part="clock", reads="shown", least=EXACT, further=EXACT,
        pattern=any_case(rf"(?P<hour>0?[1-9]|1[0-2])(?P<minute>[0-5][0-9])\s{_HALF}"),
        examples=("at 1130 am",),
    ),
    Form(
        name=FIRST_HOUR, part="clock", reads="shown",
        pattern=any_case(
            r"(?P<hour>[0-9]{1,2})(?:\s?h(?:eures?)?)?(?=\s?(?:[-\u2013]|to|and|bis|und|à|et)\s?[0-9]{1,2}(?:[:.][0-9]{2})?"
            r"\s?(?:[ap]\.?m\.?|uhr|h(?:eures?|[0-5][0-9])?)(?!\w))"
        ),
        examples=("9-10am", "12 bis 13 Uhr", "entre 9h et 9h10"),
    ),
    Form(
        name="Four figures and Z", part="clock", reads="shown", further=BARE,
        pattern=any_case(
            r"(?P<hour>[0-2][0-9])(?P<minute>[0-5][0-9])(?P<second>[0-5][0-9])?(?=Z(?!\w)|\s?(?:UTC|GMT|zulu)(?!\w))"
        ),
        examples=("0642Z", "0642 UTC", "0642 zulu"),
    ),
    Form(
        name="With Uhr", part="clock", reads="uhr", further=BARE,
        pattern=any_case(
            rf"{_CLOCK_24}(?:[.](?P<minute>[0-5][0-9]))?\s?uhr(?:\s(?P<minutes>[0-5][0-9])(?![\w%]|[.:,][0-9]))?{_END}"
        ),
        examples=("12 Uhr", "um 12 Uhr 30", "gegen 12.30 Uhr"),
    ),
    Form(
        name="o'clock", part="clock", reads="hour_alone", further=BARE,
        pattern=any_case(rf"(?P<hour>[0-9]{{1,2}})\s?o['\u2019]?clock{_END}"),
        examples=("9 o'clock",),
    ),
    Form(
        name="With an h", part="clock", reads="shown", further=EXACT,
        pattern=any_case(rf"(?P<hour>[01][0-9]|2[0-3]|[6-9])\s?h\s?(?P<minute>[0-5][0-9])(?![\w'\u2019]|[.:,][0-9]){_NO_DURATION}"),
        examples=("13h02", "à 13 h 02", "12h30-12h45"),
    ),
    Form(
        name="With an h, announced", part="clock", reads="shown", least=TOWARDS,
        pattern=any_case(
            rf"{_CLOCK_24}\s?(?:h|hrs|heures?)(?:\s?(?P<minute>[0-5][0-9]))?(?![\w'\u2019]|[.:,][0-9]){_NO_DURATION}"
        ),
        examples=("à 9h", "at 9h05", "vers 13h"),
    ),
    Form(
        name="With a dot", part="clock", reads="shown", further=EXACT,
        pattern=any_case(
            rf"(?P<hour>[01][0-9]|2[0-3])\.(?P<minute>[0-5][0-9])(?![\w%'\u2019/]|[.:,][0-9]){_QUANTITY}{_NO_VERSION}"
        ),
        examples=("13.02", "~13.02"),
    ),
    Form(
        name="Four figures and hrs", part="clock", reads="shown", further=BARE,
        pattern=any_case(rf"(?P<hour>[01][0-9]|2[0-3])(?P<minute>[0-5][0-9])(?:hrs?|(?<=(?<!\d)0\d\d\d)\shrs?)(?!\w){_NO_DURATION}"),
        examples=("0257hrs", "0257 hrs"),
    ),
    Form(
        name="With a dot, announced", part="clock", reads="shown", least=EXACT,
        pattern=any_case(rf"{_CLOCK_24}\.(?P<minute>[0-5][0-9])(?![\w%'\u2019/]|[.:,][0-9]){_QUANTITY}"),
        examples=("at 9.02",),
    ),
    Form(
        name="Four figures after at", part="clock", reads="shown", least=EXACT,
        pattern=any_case(
            rf"(?P<hour>[0-2][0-9])(?P<minute>[0-5][0-9])(?:\s?(?:hrs?|h|hours)(?!\w)|(?![\w%'\u2019/]|[.:,][0-9]|-(?![0-2][0-9]{{3}}(?!\w))\w)){_QUANTITY}"
        ),
        examples=("at 1330", "at 1330h", "[1330]"),
    ),
    Form(
        name="Four figures that begin with 0, after at", part="clock", reads="shown", least=EXACT, further=EXACT,
        pattern=any_case(rf"(?P<hour>0[0-9])(?P<minute>[0-5][0-9])(?![\w%'\u2019/-]|[.:,][0-9]){_UNIT}"),
        examples=("at 0650",),
    ),
    Form(
        name="Four figures before a noun", part="clock", reads="shown", least=NEVER, further=EXACT,
        pattern=any_case(_AFTER_AT, rf"(?P<hour>1[0-9]|2[0-3])(?P<minute>[0-5][0-9]){_WHOLE}{_UNIT}"),
        examples=(),
    ),
    Form(
        name="Three figures before a word", part="clock", reads="shown", least=NEVER, further=EXACT,
        pattern=any_case(_AFTER_AT, rf"(?P<hour>[1-9])(?P<minute>[0-5][0-9]){_WHOLE}{_QUANTITY}{_NO_COUNT}"),
        examples=(),
    ),
    Form(
        name="Noon and midnight, announced", part="clock", reads="named_clock", least=EXACT,
        pattern=any_case(
            r"(?:(?P<noon>(?:12\s)?noon|midday|mittags?|midi)|(?:12\s)?midnight|mitternachts?|minuit)(?![\w'\u2019/-])"
        ),
        examples=("at midnight",),
    ),
    Form(
        name="Noon and midnight", part="clock", reads="named_clock", further=EXACT,
        pattern=any_case(
            r"(?:(?P<noon>(?:12\s)?noon|midday|mittags?|midi)|(?:12\s)?midnight|mitternachts?|minuit)", _NO_NAME,
        ),
        examples=("noon", "midnight", "at noon", "yesterday at noon", "à midi"),
    ),
    Form(
        name="As it is spoken", part="clock", reads="spoken", further=EXACT,
        pattern=any_case(
            r"(?P<share>half|(?:a\s)?quarter|five|ten|twenty(?:-five)?|viertel|fünf|zehn|zwanzig)\s"
            rf"(?P<side>past|nach|(?<=r\s)to|(?<=l\s)vor)\s(?P<hour>[0-9]{{1,2}}|{one_of(NUMBERS)}){_END}"
        ),
        examples=("half past nine", "ten past 9", "quarter to 11"),
    ),
    Form(
        name="halb drei", part="clock", reads="spoken", least=TOWARDS,
        pattern=any_case(rf"(?P<share>halb)\s(?P<hour>[0-9]{{1,2}}|{one_of(NUMBERS)}){_END}"),
        examples=("um halb zehn",),
    ),
    Form(
        name="An hour alone, set off", part="clock", reads="hour_alone", least=EXACT,
        pattern=any_case(rf"(?P<hour>[0-9]{{1,2}})(?:{SET_OFF}|{_DAY_FOLLOWS})"),
        examples=("at 9", "at 13: disk full", "at 9 yesterday"),
    ),
    Form(
        name="An hour alone right after at", part="clock", reads="hour_alone", least=EXACT,
        pattern=any_case(
            _AFTER_AT,
            rf"(?:(?P<hour>[0-9]{{1,2}}|{one_of(HOURS)}(?!\w))(?:{SET_OFF}|{_DAY_FOLLOWS}|{_AN_EVENT}))",
        ),
        examples=("at nine", "at nine: disk full", "um elf"),
    ),
    Form(
        name="An hour alone before a word", part="clock", reads="hour_alone", least=NEVER, further=EXACT,
        pattern=any_case(_AFTER_AT, rf"(?P<hour>[2-9]|1[0-9]|2[0-3]|0[0-9]){_WHOLE}{_QUANTITY}{_NO_COUNT}"),
        examples=(),
    ),
    Form(
        name="An hour alone, of a day", part="clock", reads="hour_alone", least=OF_A_DAY,
        pattern=any_case(rf"(?P<hour>[0-9]{{1,2}}|{one_of(HOURS)})(?![\w%'\u2019/-]|[.:,][0-9]){_QUANTITY}"),
        examples=("yesterday at 5", "gestern Abend um elf"),
    ),
    Form(
        name="Ago", part="counted", reads="counted",
        pattern=any_case(rf"(?P<length>{_LENGTHS})(?P<roughly>\sor\sso)?\s{{0,9}}(?:ago|back)(?![\w'\u2019-])"),
        examples=("10 minutes ago", "5m ago", "an hour ago", "half an hour ago", "an hour and a half ago", "1h30 ago",
                  "2 days ago", "a few minutes ago", "about 20 minutes ago", "10-15 minutes ago"),
    ),
    Form(
        name="vor, il y a", part="counted", reads="counted",
        pattern=any_case(rf"(?:vor|il\s{{1,9}}y\s{{1,9}}a)\s{{1,9}}(?P<roughly>(?:etwa|ca\.?|ungefähr|rund|environ|à\speu\sprès)\s{{1,9}})?(?P<length>{_LENGTHS})(?![\w'\u2019-])"),
        examples=("vor 10 Minuten", "vor einer halben Stunde", "il y a 10 minutes", "il y a une heure et demie"),
    ),
    Form(
        name="A minus", part="counted", reads="counted",
        pattern=any_case(rf"[-\u2212\u2013](?![0-9.,]+(?-i:M)(?!\w))(?P<length>{_COMPACT})"),
        examples=("-10m", "-1h30m", "-1h30", "-2d", "-1.5h", "-10 minutes"),
    ),
    Form(
        name="Now", part="counted", reads="now",
        pattern=any_case(
            r"(?:just\snow|right\snow|(?:a\s)?moments?\sago|jetzt|gerade(?:\seben)?(?=\s?[:,;-])|maintenant|à\sl['\u2019]instant"
            r"|now(?!\s(?:that|and|or|is|was|then)(?!\w)))(?![\w'\u2019/-]|\s*$)"
        ),
        examples=("now: disk full", "just now: disk full", "right now: disk full"),
    ),
)  # fmt: skip
"""Every form of a time. Within a part the first that fits is taken."""

_ROUGH = (
    r"[~\u2248]\s?|(?:around|about|approx(?:\.|imately)?|roughly|circa|ca\.?|c\.|ungefähr|etwa|environ"
    r"|some\s?time\s(?:around|about)|(?:just|shortly)\s(?:after|before)|kurz\s(?:nach|vor)|peu\s(?:après|avant))"
    r"(?:\s{1,9}|(?<=\.)(?=[0-9]))"
)
_AT = r"(?:at|um|à)(?:\s{1,9}(?:exactly\s{1,9})?|(?=[~(\[]|[-\u2212\u2013]?[0-9]))|@\s?(?=[0-9~])|at:\s?"
_SINCE = r"(?:since|seit|depuis|from|von|ab|de|dès|as\sof|between|zwischen|entre|starting(?:\sat)?)\s{1,9}"
ANNOUNCEMENTS: tuple[tuple[re.Pattern[str], int, bool], ...] = (
    (any_case(_AT), EXACT, False),
    (any_case(_ROUGH), SAID, True),
    (any_case(r"(?:gegen|vers)\s{1,9}"), TOWARDS, True),
    (any_case(_SINCE), SAID, False),
)
"""What may come before a time: how firmly it announces one, and whether it says that the time is approximate."""
