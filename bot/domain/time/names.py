"""The words of a time in English, German and French: months, weekdays, numbers, units, parts of a day."""

import re

MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
"""A regular expression for a month's name, in lower case."""


def _numbered(*names: str) -> dict[str, int]:
    """Each of the names, of which several stand for the same, and its place."""
    return {name: place for place, same in enumerate(names) for name in same.split()}


MONTHS = _numbered(
    "", "january jan januar jänner janvier janv", "february feb februar février fevrier févr fevr fév",
    "march mar märz maerz mär mrz mars", "april apr avril avr", "may mai", "june jun juni juin",
    "july jul juli juillet juil", "august aug août aout", "september sept sep septembre",
    "october oct oktober okt octobre", "november nov novembre", "december dec dezember dez décembre decembre déc",
)  # fmt: skip
WEEKDAYS = _numbered(
    "monday mon montag lundi", "tuesday tues tue dienstag mardi", "wednesday wednes wed mittwoch mercredi",
    "thursday thurs thur thu donnerstag jeudi", "friday fri freitag vendredi",
    "saturday sat samstag sonnabend samedi", "sunday sun sonntag dimanche",
)  # fmt: skip
NUMBERS = {
    name: number
    for number, names in {
        1: "a an one ein eine einer einem einen un une", 2: "two zwei deux", 3: "three drei trois",
        4: "four vier quatre", 5: "five fünf fuenf cinq", 6: "six sechs", 7: "seven sieben sept", 8: "eight acht huit",
        9: "nine neun neuf", 10: "ten zehn dix", 11: "eleven elf onze", 12: "twelve zwölf zwoelf douze",
        15: "fifteen fünfzehn quinze", 20: "twenty zwanzig vingt", 25: "twenty-five",
        30: "thirty dreißig dreissig trente", 40: "forty vierzig quarante", 45: "forty-five",
        50: "fifty fünfzig cinquante",
    }.items()
    for name in names.split()
}  # fmt: skip
VAGUE = {
    "a couple of": 2, "a couple": 2, "couple of": 2, "a few": 3, "few": 3, "some": 3, "several": 5, "ein paar": 3,
    "einigen": 3, "quelques": 3,
}  # fmt: skip
"""What is no number, with the number it is taken for."""
UNITS = {
    name: seconds
    for seconds, names in {
        1: "s sec secs second seconds sek sekunde sekunden seconde secondes",
        60: "m min mins minute minutes minuten mn",
        3600: "h hr hrs hour hours std stunde stunden heure heures",
        86400: "d day days tag tagen tage jour jours",
        604800: "w wk wks week weeks woche wochen semaine semaines",
    }.items()
    for name in names.split()
}
DAYPARTS = {
    "morning": "morning", "afternoon": "afternoon", "evening": "evening", "night": "night", "früh": "morning",
    "frueh": "morning", "morgen": "morning", "vormittag": "morning", "mittag": "afternoon", "nachmittag": "afternoon",
    "abend": "evening", "nacht": "night", "matin": "morning", "après-midi": "afternoon", "apres-midi": "afternoon",
    "soir": "evening", "nuit": "night",
}  # fmt: skip
DAYS_BACK = _numbered(
    "today heute aujourd'hui aujourd\u2019hui", "yesterday gestern hier", "vorgestern avant-hier",
) | {"the day before yesterday": 2, "tomorrow": -1, "morgen": -1, "demain": -1}  # fmt: skip
HOURS = {name: number for name, number in NUMBERS.items() if number in range(2, 13)} | dict.fromkeys(
    ("one", "eins", "une"), 1
)
"""An hour of the clock in words; `a` and `ein` are none."""
SHARES = {
    "three": 0.75, "quarter": 0.25, "eineinhalb": 1.5, "zweieinhalb": 2.5, "andert": 1.5, "half": 0.5, "halb": 0.5,
    "demi": 0.5,
}  # fmt: skip
"""The share of a unit, by a part of its name; the first that is found counts."""


def one_of(names: dict[str, int] | dict[str, str]) -> str:
    """A group that matches one of the names, the longest first."""
    return "(?:" + "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) + ")"


def any_case(*parts: str) -> re.Pattern[str]:
    """The parts as one pattern, in upper and lower case."""
    return re.compile("".join(parts), re.IGNORECASE)
