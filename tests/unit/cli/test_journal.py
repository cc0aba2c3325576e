"""What the journal's commands say and leave behind."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emulators.cli import app
from shared.cli.importing import surveyed
from shared.cli.journal import show_verdict
from shared.ledger.rules.verifying import Finding, Verdict

ENTRY = {"kind": "entry", "id": "a", "fields": {"outcome": "refused"}}
END = {"kind": "end", "entries": 1}


def test_what_a_file_says_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """An entry's id erased the screen and wrote its own verdict."""
    name = "\x1b[2A\x1b[0J\nsound: 5 entries of acme\x1b[8m\ud800"
    show_verdict(Verdict(name, 1, 0, 0, None, (Finding(1, 1, "added", name, "why"),), 1))
    told = capsys.readouterr().err
    assert "\x1b" not in told
    assert [line.split()[0] for line in told.splitlines()] == ["seal", "NOT"]
    assert "\\x1b[2A" in told


@pytest.mark.parametrize("output", ["no/such/folder/journal", "."])
def test_an_export_that_cannot_be_written_is_not_begun(tmp_path: Path, output: str) -> None:
    """Neither a traceback at the start nor after all of it was read."""
    done = CliRunner().invoke(
        app, ["export", "-o", str(tmp_path / output), "--key", "k", "--url", "http://127.0.0.1:1"]
    )
    assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Not even the draft, and what was there before is there still."""
    output = tmp_path / "journal"
    output.write_text("before", encoding="utf-8")
    done = CliRunner().invoke(app, ["export", "-o", str(output), "--key", "k", "--url", "http://127.0.0.1:1"])
    assert (done.exit_code, [one.name for one in tmp_path.iterdir()]) == (1, ["journal"])
    assert output.read_text(encoding="utf-8") == "before"


def test_a_pipe_is_not_imported(tmp_path: Path) -> None:
    """It could be read once only: the months would be closed over entries that never came."""
    os.mkfifo(tmp_path / "pipe")
    done = CliRunner().invoke(app, ["import", str(tmp_path / "pipe"), "--key", "k", "--url", "http://127.0.0.1:1"])
    assert done.exit_code == 2


@pytest.mark.parametrize("known", ["9" * 5_000 + ":x", "x:x", "1"])
def test_a_noted_seal_is_a_number_and_a_hash(tmp_path: Path, known: str) -> None:
    """Whatever else it is, it is said in a line."""
    (tmp_path / "file").write_text("-----BEGIN PUBLIC KEY-----", encoding="utf-8")
    done = CliRunner().invoke(app, ["verify", str(tmp_path / "file"), "--public-key", __file__, "--known", known])
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("records", "faults"),
    [
        ([ENTRY, END], 0),
        ([ENTRY, ENTRY, END], 0),
        ([ENTRY], 1),
        ([END], 1),
        ([ENTRY, {**ENTRY, "id": "b"}, END], 1),
        ([ENTRY, {"kind": "end"}], 1),
        ([ENTRY, {"kind": "end", "entries": True}], 1),
        ([{"kind": "journal", "schema": 7}, ENTRY, END], 1),
        ([{"kind": "journal", "schema": 1}, ENTRY, END], 0),
    ],
)
def test_a_file_is_whole_when_it_has_as_many_entries_as_its_end_says(
    records: list[dict[str, object]], faults: int
) -> None:
    """One that is there twice counts once; a file without an end is cut off."""
    survey = surveyed(enumerate(records, 1))
    assert len(survey.faults) == faults
    assert survey.foreign == (records[0].get("schema") == 7)
