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

MOVES: Final[Mapping[tuple[Thing, Stage | None, Stage], tuple[AccountCode, AccountCode]]] = {
    (Thing.DISPUTE, None, Stage.OPEN): (DISPUTED, _CLEARING),
    (Thing.DISPUTE, Stage.OPEN, Stage.WON): (_CLEARING, DISPUTED),
    (Thing.DISPUTE, Stage.OPEN, Stage.LOST): (CHARGEBACKS, DISPUTED),
    (Thing.DISPUTE, Stage.WON, Stage.LOST): (CHARGEBACKS, _CLEARING),
    (Thing.PAYOUT, None, Stage.PAID): (BANK, _CLEARING),
    (Thing.PAYOUT, Stage.PAID, Stage.FAILED): (_CLEARING, BANK),
}
"""To which account its money goes from one stage to the next, and from which."""


def move(event: PartnerEvent, before: Stage | None, tracked: Tracked) -> Settlement:
    """The dispute or payout as it stands now, and its money with it.

    What a lost dispute settled stays settled: the loss is ours, and whether the customer owes it again is for people.
    """
    accounts = MOVES[tracked.thing, before, tracked.stage]
    to, of = (account or clearing_account(event.partner) for account in accounts)
    lines: tuple[Line, ...] = (debit(to, tracked.money), credit(of, tracked.money))
    return Settlement(lines=(*lines, *fee_lines(event)), tracked=tracked)
