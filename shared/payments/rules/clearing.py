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

MOVES: Final[Mapping[tuple[Thing, Stage], tuple[AccountCode, AccountCode]]] = {
    (Thing.DISPUTE, Stage.OPEN): (DISPUTED, _CLEARING),
    (Thing.DISPUTE, Stage.WON): (_CLEARING, DISPUTED),
    (Thing.DISPUTE, Stage.LOST): (CHARGEBACKS, DISPUTED),
    (Thing.PAYOUT, Stage.PAID): (BANK, _CLEARING),
    (Thing.PAYOUT, Stage.FAILED): (_CLEARING, BANK),
}
"""To which account its money goes at each stage, and from which."""


def move(event: PartnerEvent, tracked: Tracked) -> Settlement:
    """The dispute or payout as it stands now, and its money with it.

    What a lost dispute settled stays settled: the loss is ours, and whether the customer owes it again is for people.
    """
    to, of = (account or clearing_account(event.partner) for account in MOVES[tracked.thing, tracked.stage])
    lines: tuple[Line, ...] = (debit(to, tracked.money), credit(of, tracked.money))
    return Settlement(lines=(*lines, *fee_lines(event)), tracked=tracked)
