"""Why the ledger says no, top down in the order it looks.

A refusal of a posting is recorded under the posting's own id, so that it and the posting exclude
each other; syntax errors and a reused id write nothing.
"""

from shared.faults import Conflict, Invalid, NotFound


class EntryIdReused(Invalid):
    """The id was used with another request."""

    code = "idempotency_key_reused"


class UnknownAccount(Invalid):
    """The chart has no such account."""

    code = "unknown_account"


class PeriodClosed(Conflict):
    """The month takes no entries of this kind any more."""

    code = "period_closed"


class AccountFrozen(Conflict):
    """The account is frozen."""

    code = "account_frozen"


class InsufficientFunds(Conflict):
    """The account would fall below its floor."""

    code = "insufficient_funds"


class FloorCurrency(Invalid):
    """An account with a floor keeps one currency."""

    code = "floor_currency"


class UnknownEntry(NotFound):
    """No such journal entry."""

    code = "unknown_entry"


class AccountExists(Conflict):
    """The chart has this account already."""

    code = "account_exists"


class WrongState(Conflict):
    """The period or account is not in a state from which this can be done."""

    code = "wrong_state"
