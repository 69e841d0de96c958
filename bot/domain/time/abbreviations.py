"""Time zone abbreviations people type, as tables."""

from datetime import timedelta

_HOURS: dict[str, float] = {
    "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MET": 1, "MEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "TRT": 3,
    "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8,
    "HST": -10, "NST": -3.5, "NDT": -2.5, "ADT": -3, "BRT": -3, "ART": -3, "WAT": 1, "CAT": 2, "SAST": 2,
    "EAT": 3, "IDT": 3, "PKT": 5, "NPT": 5.75, "ICT": 7, "WIB": 7, "WITA": 8, "WIT": 9, "SGT": 8, "HKT": 8,
    "PHT": 8, "JST": 9, "KST": 9, "AWST": 8, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12,
    "NZDT": 13,
}  # fmt: skip

FIXED: dict[str, timedelta] = {name: timedelta(hours=hours) for name, hours in _HOURS.items()}
"""Taken literally: `EST` typed in July is five hours behind UTC, whatever New York's clocks show then."""

GENERIC: dict[str, str] = {
    "ET": "America/New_York",
    "CT": "America/Chicago",
    "MT": "America/Denver",
    "PT": "America/Los_Angeles",
}
"""Names for a zone's wall clocks all year round."""

SHARED: dict[str, tuple[tuple[str, str], ...]] = {
    "CST": (("UTC-6", "America/Chicago"), ("UTC+8", "Asia/Shanghai"), ("UTC-5", "America/Havana")),
    "IST": (("UTC+5:30", "Asia/Kolkata"), ("UTC+1", "Europe/Dublin"), ("UTC+2", "Asia/Jerusalem")),
    "BST": (("UTC+1", "Europe/London"), ("UTC+6", "Asia/Dhaka")),
    "AST": (("UTC-4", "America/Halifax"), ("UTC+3", "Asia/Riyadh")),
    "GST": (("UTC+4", "Asia/Dubai"), ("UTC-2", "Atlantic/South_Georgia")),
}
"""Used by several zones, so never guessed: what each would have to be typed as, and where it is used."""

UPPER_ONLY = frozenset({
    "WET", "WEST", "MET", "EST", "MST", "NST", "ADT", "ART", "BRT", "WAT", "CAT", "EAT", "WIT", "ICT", "TRT",
    "HST", "SGT", "PHT", "IST", "AST", "GST",
})  # fmt: skip
"""Words of their own in lower case (`14:02 est. 500 users`), so a zone only in capitals."""
