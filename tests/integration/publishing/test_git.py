"""Only our own files are committed, by the repository's own rules, and what Git says against it is told."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.publishing import git
from bot.publishing.target import NotYetError
from tests.support.together import Turns, together

MESSAGE = "INC-1: postmortem, version 1"
NAMES = ["postmortem.md", "timeline.svg"]


def run(folder: Path, *words: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own words
        ["git", *words],  # noqa: S607 - the one on the path
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def _nobodys_git(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("git") is None:
        pytest.skip("no git on the path")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setattr(git, "LOCK_WAIT_S", 0.01)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a commit of somebody's, and INC-1 written in a folder below."""
    run(tmp_path, "init", "--quiet", "--initial-branch=main")
    run(tmp_path, "config", "user.name", "Ops")
    run(tmp_path, "config", "user.email", "ops@example.org")
    (tmp_path / "README").write_text("ours\n")
    run(tmp_path, "add", "README")
    run(tmp_path, "commit", "--quiet", "-m", "begin")
    written(tmp_path)
    return tmp_path


def written(root: Path, words: str = "x") -> Path:
    folder = root / "postmortems" / "INC-1"
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        (folder / name).write_text(words)
    return folder


def commit(root: Path) -> str | None:
    return git.commit(root / "postmortems" / "INC-1", NAMES, message=MESSAGE)


def hook(root: Path, words: str) -> None:
    path = root / ".git" / "hooks" / "pre-commit"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)


def test_what_others_have_staged_or_changed_stays_as_it_is(repository: Path) -> None:
    (repository / "README").write_text("changed\n")
    (repository / "staged").write_text("staged\n")
    (repository / "postmortems" / "INC-1" / "notes.txt").write_text("somebody's own\n")
    run(repository, "add", "staged")
    made = commit(repository)
    assert run(repository, "show", "--format=%h %an %s", "--name-only").splitlines() == [
        f"{made} Ops {MESSAGE}", "", *(f"postmortems/INC-1/{name}" for name in NAMES),
    ]  # fmt: skip
    assert run(repository, "status", "--porcelain").splitlines() == [
        "M README", "A  staged", "?? postmortems/INC-1/notes.txt",
    ]  # fmt: skip


def test_the_same_bytes_make_no_commit(repository: Path) -> None:
    assert commit(repository)
    assert commit(repository) is None
    written(repository, "y")
    assert commit(repository)
    assert run(repository, "rev-list", "--count", "HEAD") == "3"


def test_commits_of_one_process_take_turns(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns, run_process = Turns(), subprocess.Popen

    def run_in_turn(command: list[str], **how: Any) -> Any:
        if "commit" in command:
            turns()
        return run_process(command, **how)

    (repository / "postmortems" / "INC-2").mkdir()
    for name in NAMES:
        (repository / "postmortems" / "INC-2" / name).write_text("y")
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", run_in_turn)
        made = together(
            lambda number: git.commit(
                repository / "postmortems" / f"INC-{number + 1}", NAMES, message=f"INC-{number + 1}"
            ),
            threads=2,
        )
    assert turns.most == 1
    assert sorted(run(repository, "log", "--format=%h %s", "-2").splitlines()) == sorted(
        f"{made[number]} INC-{number + 1}" for number in range(2)
    )


def test_a_detached_head_and_a_linked_worktree_are_committed_to(repository: Path, tmp_path: Path) -> None:
    run(repository, "checkout", "--quiet", "--detach")
    assert commit(repository)
    linked = tmp_path / "linked"
    run(repository, "worktree", "add", "--quiet", "-b", "other", str(linked), "main")
    written(linked)
    assert commit(linked) == run(linked, "rev-parse", "--short", "other")


def test_where_nobody_is_configured_scribe_is_who_commits(tmp_path: Path) -> None:
    run(tmp_path, "init", "--quiet")
    written(tmp_path)
    assert commit(tmp_path)
    assert run(tmp_path, "log", "--format=%an <%ae>") == "Scribe <scribe@localhost>"


def test_a_folder_without_a_repository_or_ignored_by_it_is_left_alone(repository: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    written(outside)
    assert commit(outside) is None
    (repository / ".gitignore").write_text("/postmortems/\n")
    assert commit(repository) is None
    bare = tmp_path / "bare.git"
    run(tmp_path, "init", "--quiet", "--bare", str(bare))
    written(bare)
    assert commit(bare) is None


def test_a_lock_left_behind_is_told_by_its_name(repository: Path) -> None:
    (repository / ".git" / "index.lock").touch()
    with pytest.raises(NotYetError, match=r"git did not commit them: .*index\.lock': File exists"):
        commit(repository)
    (repository / ".git" / "index.lock").unlink()
    assert commit(repository)


def test_a_merge_under_way_is_not_finished_for_others(repository: Path) -> None:
    run(repository, "checkout", "--quiet", "-b", "side")
    run(repository, "commit", "--quiet", "--allow-empty", "-m", "side")
    run(repository, "checkout", "--quiet", "main")
    run(repository, "merge", "--quiet", "--no-commit", "--no-ff", "side")
    with pytest.raises(NotYetError, match="cannot do a partial commit during a merge"):
        commit(repository)
    assert (repository / ".git" / "MERGE_HEAD").exists()


def test_a_repository_of_somebody_else_is_told(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(NotYetError, match="detected dubious ownership"):
        commit(repository)


def test_a_hook_sees_no_secrets_and_has_no_terminal_to_ask_on(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLACK_BOT_TOKEN", "DATABASE_URL", "SCRIBE_PREFIX", "PGPASSWORD"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    hook(repository, "env > seen; test ! -t 0 && ! read answer")
    assert commit(repository)
    seen = (repository / "seen").read_text()
    assert "hunter2" not in seen
    assert "GIT_TERMINAL_PROMPT=0" in seen


def test_a_hook_that_never_ends_is_ended_with_its_children(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "LIMIT_S", 0.5)
    hook(repository, "sleep 600 & echo $! > child; wait")
    with pytest.raises(NotYetError, match="git did not finish within"):
        commit(repository)
    child = int((repository / "child").read_text())
    while _runs(child):
        pass


def _runs(process: int) -> bool:
    """Whether it runs: the kernel may still be about its end, and nobody has to collect it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_without_git_a_repository_is_told_of_and_a_plain_folder_is_not(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(NotYetError, match="git is not installed, so nothing is committed"):
        commit(repository)
    outside = tmp_path.parent / f"{tmp_path.name}-plain"
    written(outside)
    assert commit(outside) is None
