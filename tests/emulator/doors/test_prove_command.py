"""`daybook prove` at the real doors: a proof is made by its task and shown; the exit code says what it found."""

from typing import Any

import pytest

from emulators.cloud import LocalCloud
from shared.identity import TenantId
from shared.ports import Decision, Increment, Query, View, Where
from shared.wiring import House
from tests.emulator.doors.conftest import Tenant, a_tenant
from tests.emulator.doors.test_journal_commands import Daybook, a_sale, daybook

pytestmark = pytest.mark.emulator

__all__ = ["daybook"]

MONTH = "2026-11"


@pytest.fixture(scope="module")
def shop(cloud: LocalCloud) -> Tenant:
    """A tenant with three sales."""
    tenant = a_tenant(cloud, "prover")
    for number in range(3):
        assert tenant.owner.post("/v1/ledger/entries", a_sale(number, bank="assets:bank")).status_code == 201
    return tenant


def damage(cloud: LocalCloud, tenant: Tenant) -> None:
    """Move the bank's totals without an entry."""
    house = House(cloud.settings())
    where = (Where("account", "==", "assets:bank"), Where("month", "==", MONTH))
    total = house.store.query(Query("totals", TenantId(tenant.name), where)).documents[0]

    def more(_: View) -> Decision[None]:
        return Decision(None, (Increment(total.ref, {("debits",): 1}, must_exist=True),))

    house.store.transact((), more)


def test_sound_books_hold_and_damaged_ones_end_with_exit_code_1(
    cloud: LocalCloud, shop: Tenant, daybook: Daybook
) -> None:
    """A row for each thing proven, the place that differs, and after the repair all is well again."""
    sound = daybook("prove", key=shop.accountant.key)
    assert (sound.returncode, "the books hold as of" in sound.stdout) == (0, True), sound.stdout + sound.stderr
    assert "entries" in sound.stdout
    assert "carried balances unlike the entries" in sound.stdout
    damage(cloud, shop)
    broken = daybook("prove", "--reason", "a doubt", key=shop.accountant.key)
    assert (broken.returncode, "THE BOOKS DO NOT HOLD" in broken.stdout) == (1, True), broken.stdout + broken.stderr
    assert f"differs: assets:bank/GBP/{MONTH}/regular" in broken.stdout
    order: dict[str, Any] = {"account": "assets:bank", "month": MONTH, "reason": "as proven"}
    assert shop.owner.post("/v1/ledger/reports/repairs", order).status_code == 201
    assert daybook("prove", key=shop.accountant.key).returncode == 0


def test_whoever_may_not_ask_is_told_in_one_line(shop: Tenant, daybook: Daybook) -> None:
    """An auditor's key, no key at all: exit code 1, no traceback, and no proof is asked for."""
    before = shop.auditor.get("/v1/ledger/reports/proofs").json()["items"]
    for key in (shop.auditor.key, ""):
        refused = daybook("prove", key=key)
        assert refused.returncode == 1
        assert "Traceback" not in refused.stderr
        assert refused.stderr.startswith("daybook: ")
    assert shop.auditor.get("/v1/ledger/reports/proofs").json()["items"] == before
