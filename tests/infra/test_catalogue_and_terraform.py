import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from functions_framework._http.gunicorn import GunicornApplication

from shared.http.requests import REQUEST_HASH
from shared.settings import read_settings
from tests.infra.configuration import MODULES, ROOT, TERRAFORM, blocks, fields_of, literals

CATALOGUE: dict[str, Any] = yaml.safe_load((ROOT / "functions" / "catalogue.yaml").read_text(encoding="utf-8"))
HOUSE = MODULES / "house"
LOCALS = blocks(HOUSE)["locals"]
CALLS = blocks(HOUSE)["module"]
DRIVEN = {
    "function": "local.functions",
    "account": "local.functions",
    "caller": "local.catalogue.callers",
    "queue": "local.catalogue.queues",
    "topic": "local.catalogue.topics",
    "subscription": "local.catalogue.subscriptions",
    "job": "local.catalogue.jobs",
    "alert": "local.catalogue.alerts",
}


def test_terraform_reads_the_very_catalogue() -> None:
    """One source of truth for what is deployed, and it is this file."""
    found = re.fullmatch(r'yamldecode\(file\("\$\{path\.module\}/(.*)"\)\)', LOCALS["catalogue"])
    assert found
    assert (HOUSE / found[1]).resolve() == ROOT / "functions" / "catalogue.yaml"
    assert "for name, function in local.catalogue.functions : name => merge(" in LOCALS["functions"]


@pytest.mark.parametrize(("module", "source"), DRIVEN.items())
def test_each_kind_of_thing_is_made_from_the_catalogue(module: str, source: str) -> None:
    """Whatever the catalogue names is created, under its own name, and a line removed there is removed here."""
    call = CALLS[module]
    assert call["for_each"] == source
    assert call["name"] in {"each.key", "each.value", 'fn-${replace(each.key, "_", "-")}'}


def test_every_collection_of_the_catalogue_is_used() -> None:
    """A new kind of thing in the catalogue is no decoration: Terraform knows it or this fails."""
    used = {re.sub(r"^local\.(catalogue\.)?", "", source) for source in DRIVEN.values()}
    read_elsewhere = {"defaults"}  # merged into each function
    not_deployed = {"version", "requirement_groups"}  # for the tools that make bundles
    assert set(CATALOGUE) - used - read_elsewhere - not_deployed == set()


def test_every_error_that_the_product_logs_is_an_alert() -> None:
    """Nothing is wrong in silence, and no alert waits for a line that nobody writes."""
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "shared").rglob("*.py"))
    logged = set(re.findall(r'_log\.error\(\s*"([a-z_]+)"', text))
    assert set(CATALOGUE["alerts"]) == logged | {"request"}


def test_no_name_of_the_catalogue_is_written_in_terraform() -> None:
    """No function, queue, topic, listener, job or secret is known to Terraform but through the catalogue."""
    kinds = ("functions", "queues", "subscriptions", "jobs")
    names = {name for kind in kinds for name in CATALOGUE[kind]} | set(CATALOGUE["callers"].values())
    names |= {secret for function in CATALOGUE["functions"].values() for secret in function.get("secrets", [])}
    names |= {
        function["trigger"]["http"] for function in CATALOGUE["functions"].values() if "http" in function["trigger"]
    }
    assert [(file, text) for file, text in literals(TERRAFORM) if text in names | set(CATALOGUE["topics"])] == []


def test_every_role_of_the_catalogue_is_granted_and_no_other() -> None:
    """A role that nobody grants would fail in production only."""
    used = {role for function in CATALOGUE["functions"].values() for role in function["roles"]}
    assert used <= set(LOCALS["roles"])
    granted = {
        "store": CALLS["books"]["users"],
        "tasks": CALLS["queue"]["senders"],
        "events": CALLS["topic"]["publishers"],
        "keys": CALLS["key"]["users"],
        "signing": CALLS["signing_key"]["signers"],
    }
    assert granted == {role: f'local.holders["{role}"]' for role in granted}
    assert CALLS["keysets"]["users"] == 'local.holders["keys"]'
    assert set(LOCALS["roles"]) == {*granted, "secrets"}


def test_the_role_secrets_goes_with_the_names_of_secrets() -> None:
    """Secrets are granted one by one, so a function says which."""
    for name, function in CATALOGUE["functions"].items():
        assert ("secrets" in function["roles"]) == bool(function.get("secrets")), name


@pytest.mark.parametrize(
    ("module", "kind", "elsewhere"),
    [("queue", "queues", set[str]()), ("subscription", "subscriptions", {"topic", "function"})],
)
def test_every_figure_of_the_catalogue_reaches_its_resource(module: str, kind: str, elsewhere: set[str]) -> None:
    """A rate or a retry that is written down is in force."""
    written = {field for entry in CATALOGUE[kind].values() for field in entry}
    assert fields_of(module, "settings") == written - elsewhere
    text = (MODULES / module / f"{module}.tf").read_text(encoding="utf-8")
    body = text[text.index('resource "google_') :]
    assert set(re.findall(r"var\.settings\.(\w+)", body)) == written - elsewhere


def test_every_figure_of_a_function_reaches_it() -> None:
    """Memory, processors, concurrency, timeout and instances are the catalogue's."""
    meaning = {"domain", "trigger", "callers", "roles", "secrets", "requirements"}
    written = {field for entry in CATALOGUE["functions"].values() for field in entry} | set(CATALOGUE["defaults"])
    assert fields_of("function", "settings") == written - meaning
    text = (MODULES / "function" / "function.tf").read_text(encoding="utf-8")
    assert set(re.findall(r"var\.settings\.(\w+)", text)) == written - meaning


def test_a_function_serves_as_many_requests_at_once_as_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """functions-framework starts four threads a processor unless this variable says otherwise."""
    text = (MODULES / "function" / "function.tf").read_text(encoding="utf-8")
    told = re.search(r"merge\(var\.environment, { (\w+) = tostring\(var\.settings\.concurrency\) }\)", text)
    assert told
    monkeypatch.setenv(told[1], "32")
    framework: Any = GunicornApplication
    server = framework(lambda *_: [], "127.0.0.1", 0, debug=False)
    assert server.cfg.threads == CATALOGUE["functions"]["entries"]["concurrency"] == 32


def test_jobs_fire_by_the_catalogues_cron_and_zone() -> None:
    """And call the function that the catalogue names, with its own address as audience."""
    call = CALLS["job"]
    assert (call["cron"], call["zone"]) == ("each.value.cron", "each.value.zone")
    assert call["endpoint"] == "${local.doors_url}/${each.value.function}"


def test_the_runtime_is_the_one_that_requirements_are_pinned_for() -> None:
    """Python 3.13, which the pins admit."""
    assert LOCALS["runtime"] == "python313"
    assert CALLS["function"]["runtime"] == "local.runtime"


def test_a_deployed_function_finds_every_setting() -> None:
    """What Terraform sets is what settings.py reads: no variable is missing, none is unknown."""
    given = set(CALLS["function"]["environment"])
    settings = read_settings(dict.fromkeys(given, "x"))
    assert settings.firestore_endpoint == ""
    read = set(re.findall(r'"(DAYBOOK_\w+)"', (ROOT / "shared" / "settings.py").read_text(encoding="utf-8")))
    assert given <= read


def test_names_that_code_and_terraform_share_are_the_same() -> None:
    """The databases, and the secret that keys every request's hash."""
    settings = read_settings(minimal())
    assert (LOCALS["database"], LOCALS["keysets_database"]) == (settings.database, settings.keysets_database)
    assert LOCALS["request_hash"] == REQUEST_HASH


def test_every_query_over_all_tenants_has_its_index() -> None:
    """Firestore makes no index over a collection group by itself: the sweep would fail in production only."""
    indexed = {field.split(".")[0] for field, kept in CALLS["books"]["fields"].items() if "group_orders" in kept}
    assert set(grouped_collections()) == indexed


def grouped_collections() -> Iterator[str]:
    """Collections that the product queries over all tenants."""
    for path in sorted((ROOT / "shared").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and "group" in {keyword.arg for keyword in node.keywords}:
                yield ast.literal_eval(node.args[0])


def minimal() -> dict[str, str]:
    """The variables without a default."""
    return {f"DAYBOOK_{name}": "x" for name in ("PROJECT", "REGION", "KMS_KEY", "DOORS_URL")}
