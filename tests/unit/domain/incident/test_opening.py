import pytest
from hypothesis import given, settings

from bot.domain.incident.opening import Opening, parse_opening, parse_severity
from bot.errors import UsageError
from bot.vocabulary import SEVERITIES, SEVERITY_NAMES
from tests.unit.domain.texts import QUICK, TEXTS, outcome


@pytest.mark.parametrize(
    ("words", "severity", "title"),
    [
        ("checkout fails", None, "checkout fails"),
        ("[SEV1] checkout fails", "SEV1", "checkout fails"),
        ("sev1: checkout fails", "SEV1", "checkout fails"),
        ("sev-2 checkout fails", "SEV2", "checkout fails"),
        ("SEV 3 - checkout fails", "SEV3", "checkout fails"),
        ("\u200eSEV4\u00a0checkout\nfails ", "SEV4", "checkout fails"),
        ("severity 1 checkout fails", "SEV1", "checkout fails"),
        ("S3 is down", None, "S3 is down"),
        ("P1 checkout fails", "SEV1", "checkout fails"),
        ("[p4] checkout fails", "SEV4", "checkout fails"),
        ("p99 is over 5 s", None, "p99 is over 5 s"),
        ("[Critical] checkout fails", "SEV1", "checkout fails"),
        ("minor: checkout slow", "SEV3", "checkout slow"),
        ("minor checkout trouble", None, "minor checkout trouble"),
        ("1 host down", None, "1 host down"),
        ("sev1x odd", None, "sev1x odd"),
        ("several hosts down", None, "several hosts down"),
        ("x" * 200, None, "x" * 200),
    ],
)
def test_an_incident_is_opened_with_or_without_its_severity(words: str, severity: str | None, title: str) -> None:
    assert parse_opening(words) == Opening(severity=severity, title=title)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("", "needs a title. Try: SEV1 checkout fails"),
        ("SEV2", "needs a title. Try: SEV2 checkout fails"),
        ("SEV9 checkout fails", "There is no SEV9. Type one of SEV1, SEV2, SEV3, SEV4"),
        ("SEV0 x", "There is no SEV0"),
        ("P5 x", "There is no SEV5"),
        ("SEV" + "9" * 5000 + " x", "There is no SEV9"),
        ("x" * 201, "201 characters, and 200 fit"),
        ("a\0b", "NUL"),
    ],
)
def test_an_incident_that_cannot_be_opened_says_why(words: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        parse_opening(words)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("form", ["SEV{}", "sev{}", "SEV-{}", "[sev {}]", "S{}", "P{}", "p-{}", "{}", " severity {} "])
def test_a_severity_is_known_in_every_spelling(form: str) -> None:
    assert [parse_severity(form.format(grade)) for grade in "1234"] == list(SEVERITIES)


@pytest.mark.parametrize(("name", "severity"), SEVERITY_NAMES.items())
def test_a_severity_is_known_by_the_name_that_others_give_it(name: str, severity: str) -> None:
    assert parse_severity(f" {name.upper()} ") == parse_severity(f"[{name}]") == severity


@pytest.mark.parametrize("words", ["", "x", "0", "5", "SEV9", "SEV1 and more", "\u00b2", "9" * 5000])
def test_what_is_no_severity_is_refused_with_a_list_of_severities(words: str) -> None:
    with pytest.raises(UsageError, match="SEV1, SEV2, SEV3, SEV4"):
        parse_severity(words)


@settings(QUICK, max_examples=300)
@given(words=TEXTS)
def test_no_text_raises_anything_but_a_usage_error(words: str) -> None:
    outcome(lambda: parse_opening(words))
    outcome(lambda: parse_severity(words))
