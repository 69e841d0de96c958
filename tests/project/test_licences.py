"""The licences of the locked packages: Scribe is MIT, so each has to be permissive or weak copyleft."""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import pytest

from tests.support.paths import ROOT

LOCKED = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE)
RULES: dict[str, Any] = tomllib.loads((ROOT / "deploy" / "licences.toml").read_text(encoding="utf-8"))
LISTED = {*RULES["permissive"], *RULES["weak_copyleft"]}
EXCEPTIONS = {each["package"]: each for each in RULES["exception"]}

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the lock is the same everywhere, and Windows lacks several of its packages"
)


def licence_of(package: str) -> str | None:
    """What the metadata of a package says, as an SPDX expression; None if the package is not installed.

    Of several classifiers all count. Source: https://packaging.python.org/en/latest/specifications/core-metadata/
    """
    try:
        said = distribution(package).metadata
    except PackageNotFoundError:
        return None
    classifiers = [each for each in said.get_all("Classifier") or [] if each.startswith("License ::")]
    names = (
        said.get_all("License-Expression")
        or said.get_all("License")
        or [each.rpartition(" :: ")[2] for each in classifiers]
    )
    return " AND ".join(RULES["spellings"].get(name, name) for name in names)


def permitted(expression: str) -> bool:
    """Whether one of the alternatives has listed licences only. AND binds before OR; a bracket is never permitted."""
    if "(" in expression:
        return False
    return any(LISTED.issuperset(choice.split(" AND ")) for choice in expression.split(" OR "))


def licence_files(package: str) -> str:
    """The licence files that came with an installed package, each run of white space as one blank."""
    files = [file for file in distribution(package).files or [] if file.name.upper().startswith("LICEN")]
    return " ".join(" ".join(file.read_text(encoding="utf-8").split()) for file in files)


def test_every_locked_package_has_a_listed_licence() -> None:
    assert len(LOCKED) > 50
    refused = {}
    for package in LOCKED:
        expression = EXCEPTIONS[package]["licence"] if package in EXCEPTIONS else licence_of(package)
        if expression is None:
            refused[package] = "not installed, so its licence belongs into deploy/licences.toml"
        elif not permitted(expression):
            refused[package] = expression or "no licence in its metadata"
    assert refused == {}


def test_an_exception_is_for_a_locked_package_whose_metadata_does_not_say_it_and_has_a_reason() -> None:
    for package, exception in EXCEPTIONS.items():
        assert package in LOCKED
        assert not permitted(licence_of(package) or ""), f"{package} needs no exception"
        assert set(exception) == {"package", "licence", "says", "reason"}
        assert all(exception.values())


def test_an_exceptions_licence_is_what_the_packages_own_licence_file_says() -> None:
    installed = [package for package in EXCEPTIONS if licence_of(package) is not None]
    assert installed
    for package in installed:
        assert EXCEPTIONS[package]["says"] in licence_files(package)


@pytest.mark.parametrize("expression", ["MIT", "MIT AND PSF-2.0", "GPL-2.0-only OR MIT", "GPL-2.0-only AND MIT OR MIT"])
def test_an_expression_is_permitted_where_one_alternative_has_listed_licences_only(expression: str) -> None:
    assert permitted(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "GPL-2.0-or-later",
        "MIT AND GPL-3.0-only",
        "AGPL-3.0-only OR GPL-3.0-only AND MIT",
        "(GPL-3.0-only OR MIT OR BSD-3-Clause) AND GPL-2.0-only",
    ],
)
def test_any_other_expression_is_refused(expression: str) -> None:
    assert not permitted(expression)
