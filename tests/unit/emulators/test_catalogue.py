from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulators.catalogue import (
    REPOSITORY,
    Catalogue,
    CatalogueMistaken,
    FromQueue,
    FromTopic,
    HttpPath,
    OnSchedule,
    load_catalogue,
    parse_catalogue,
    read_catalogue,
)

Change = Callable[[dict[str, Any]], object]
MistakesAfter = Callable[[Change], str]


def test_each_kind_of_trigger_is_read(right: Catalogue) -> None:
    """A function has one trigger, of one of four kinds."""
    triggers = {function.name: function.trigger for function in right.functions}
    assert triggers == {
        "invoices": HttpPath("/v1/invoices"),
        "post_payslips": FromQueue("payroll"),
        "issue_receipt": FromTopic("payments"),
        "sweep_outbox": OnSchedule(("sweep-outbox",)),
    }


def test_what_a_function_leaves_out_is_the_default(right: Catalogue) -> None:
    """Defaults fill in; what a function says itself stands."""
    assert right.function("invoices").memory == "512Mi"
    assert right.function("post_payslips").memory == "1Gi"


def test_serving_some_doors_keeps_only_what_calls_them(right: Catalogue) -> None:
    """A part of the catalogue has no job or subscription for a door that is not served."""
    part = right.serving(["issue_receipt"])
    assert [one.name for one in part.subscriptions] == ["issue-receipt"]
    assert part.jobs == ()


def _function(name: str, field: str, value: object) -> Change:
    return lambda document: document["functions"][name].update({field: value})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_function("invoices", "colour", "red"), "'colour' was unexpected"),
        (_function("invoices", "trigger", {"http": "/v1/x", "queue": "payroll"}), "too many properties"),
        (_function("invoices", "memory", "512"), "'512' does not match"),
        (_function("invoices", "requirements", ["frame", "tax"]), "requires the group tax, which does not exist"),
        (_function("invoices", "callers", ["tasks"]), "has a http trigger, so its callers are []"),
        (_function("post_payslips", "callers", []), "has a queue trigger, so its callers are ['tasks']"),
        (_function("post_payslips", "trigger", {"queue": "payrol"}), "names payrol, which is not in queues"),
        (_function("issue_receipt", "trigger", {"topic": "receipts"}), "names receipts, which is not in topics"),
        (_function("sweep_outbox", "trigger", {"schedule": ["nightly"]}), "names nightly, which is not in jobs"),
        (lambda d: d["functions"].update(calendar=d["functions"]["invoices"]), "calendar would hide the module"),
        (lambda d: d["functions"].update(shared=d["functions"]["invoices"]), "shared would hide the module"),
        (lambda d: d["functions"].update(bills=d["functions"]["invoices"]), "have the same path /v1/invoices"),
        (lambda d: d["queues"].update(idle=d["queues"]["payroll"]), "queue idle has no function"),
        (lambda d: d["queues"]["payroll"].update(min_backoff_seconds=301), "smallest backoff is larger"),
        (lambda d: d["subscriptions"]["issue-receipt"].update(topic="sales"), "names sales, which is not in topics"),
        (lambda d: d["subscriptions"]["issue-receipt"].update(function="invoices"), "calls invoices, which is no"),
        (lambda d: d["subscriptions"].clear(), "issue_receipt has a topic trigger and no subscription"),
        (lambda d: d["jobs"]["sweep-outbox"].update(function="invoices"), "calls invoices, which is no function"),
        (lambda d: d["jobs"]["sweep-outbox"].update(cron="hourly"), "'hourly' does not match"),
        (lambda d: d["jobs"]["sweep-outbox"].update(zone="Moon/Base"), "no time zone is called Moon/Base"),
        (lambda d: d["jobs"]["sweep-outbox"].update(cron="61 * * * *"), "61 * * * * is no schedule"),
        (lambda d: d["jobs"].clear(), "sweep_outbox names sweep-outbox, which is not in jobs"),
    ],
)
def test_a_mistake_is_refused_and_named(mistakes_after: MistakesAfter, change: Change, said: str) -> None:
    """The loader refuses each kind of mistake and says which it is."""
    assert said in mistakes_after(change)


def test_a_name_written_twice_is_refused(right_text: str) -> None:
    """YAML would keep the last of two functions with one name and say nothing."""
    line = "  invoices: {domain: tax, trigger: {http: /v1/tax}, roles: [store], requirements: [frame]}\n"
    with pytest.raises(CatalogueMistaken, match="invoices is there twice"):
        parse_catalogue(right_text.replace("queues:\n", line + "queues:\n"))


def test_all_mistakes_are_told_at_once(mistakes_after: MistakesAfter) -> None:
    """Two mistakes are two lines."""

    def both(document: dict[str, Any]) -> None:
        document["functions"]["invoices"]["requirements"] = ["tax"]
        document["topics"].clear()

    said = mistakes_after(both)
    assert "group tax" in said
    assert "not in topics" in said


def test_a_door_without_a_file_is_named(right_text: str, tmp_path: Path) -> None:
    """The catalogue and the files agree, or the loader says which file is missing."""
    (tmp_path / "functions" / "invoicing").mkdir(parents=True)
    (tmp_path / "functions" / "catalogue.yaml").write_text(right_text, encoding="utf-8")
    (tmp_path / "functions" / "invoicing" / "invoices.py").touch()
    assert load_catalogue(tmp_path, ["invoices"]).function("invoices").file == "functions/invoicing/invoices.py"
    with pytest.raises(CatalogueMistaken, match=r"no such file: functions/payroll/post_payslips\.py, "):
        load_catalogue(tmp_path)


def test_our_own_catalogue_is_right() -> None:
    """The catalogue that is deployed passes every rule."""
    assert read_catalogue(REPOSITORY).functions
