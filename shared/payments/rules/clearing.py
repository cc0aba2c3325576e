"""What the partner does with the money it holds for us: sets it aside while the payer disputes it, and pays it out."""

from collections.abc import Mapping
from typing import Final

from shared.invoicing.rules.accounts import clearing_account
from shared.ledger.model import AccountCode, Line, credit, debit
from shared.payments.model import PartnerEvent, Stage, Thing, Tracked
from shared.payments.rules.accounts import BANK, CHARGEBACKS, DISPUTED
from shared.payments.rules.settlement import Settlement, fee_lines

_CLEARING: Final = ""
"""Stands for the partner's own clearing account."""

HELD: Final[Mapping[Thing, Mapping[Stage | None, AccountCode]]] = {
    Thing.DISPUTE: {None: _CLEARING, Stage.OPEN: DISPUTED, Stage.WON: _CLEARING, Stage.LOST: CHARGEBACKS},
    Thing.PAYOUT: {None: _CLEARING, Stage.PAID: BANK, Stage.VOID: _CLEARING, Stage.FAILED: _CLEARING},
}
"""On which account its money stands at each stage, None before the first."""


def move(event: PartnerEvent, before: Stage | None, tracked: Tracked) -> Settlement:
    """The dispute or payout as it stands now, and its money with it.

    What a lost dispute settled stays settled: the loss is ours, and whether the customer owes it again is for people.
    """
    held = HELD[tracked.thing]
    to, of = (account or clearing_account(event.partner) for account in (held[tracked.stage], held[before]))
    lines: tuple[Line, ...] = (debit(to, tracked.money), credit(of, tracked.money)) if to != of else ()
    return Settlement(lines=(*lines, *fee_lines(event)), tracked=tracked)
