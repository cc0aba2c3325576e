"""Why the ledger says no, top down in the order it looks.

A refusal of a posting is recorded under the posting's own id, so that it and the posting exclude
each other; syntax errors and a reused id write nothing.
"""

from shared.faults import Conflict, Invalid, Malformed, NotFound, TooLarge


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


class AccountClosed(Conflict):
    """The account is closed for good."""

    code = "account_closed"


class CurrencyNotKept(Invalid):
    """The account keeps other currencies."""

    code = "currency_not_kept"


class InsufficientFunds(Conflict):
    """The account would fall below its floor."""

    code = "insufficient_funds"


class FloorCurrency(Invalid):
    """An account with a floor keeps one currency."""

    code = "floor_currency"


class UnknownHold(NotFound):
    """No such hold."""

    code = "unknown_hold"


class HoldEnded(Conflict):
    """The hold was posted to its end, voided, expired or refused before; `detail` says which."""

    code = "hold_ended"


class HoldExpired(Conflict):
    """The hold's time is over, whether or not the sweep has released it yet."""

    code = "hold_expired"


class ExpiryPassed(Invalid):
    """A hold that would be over before it began."""

    code = "expiry_passed"


class ExceedsHold(Conflict):
    """A line is not among what the hold still reserves, or is larger than it."""

    code = "exceeds_hold"


class UnknownEntry(NotFound):
    """No such journal entry."""

    code = "unknown_entry"


class EntryNotPosted(Conflict):
    """The entry was refused: there is nothing of it to reverse."""

    code = "entry_not_posted"


class ClosingEntryStands(Conflict):
    """The entry closed a year: the year is reopened, adjusted and closed again, its closing is not reversed."""

    code = "closing_entry"


class NothingLeftToReverse(Conflict):
    """Earlier reversals undid the whole entry."""

    code = "nothing_left_to_reverse"


class UnknownLine(Invalid):
    """The entry has no such line in this currency."""

    code = "unknown_line"


class MoreThanLeftToReverse(Conflict):
    """Less of the line is left than was asked for."""

    code = "more_than_left_to_reverse"


class UnbalancedReversal(Invalid):
    """The parts to reverse do not balance in a currency."""

    code = "unbalanced_reversal"


class NoMemo(Invalid):
    """The entry has no memo, so there is nothing to open."""

    code = "no_memo"


class ForeignCursor(Malformed):
    """The cursor is not one that was given out for this account and these days under this tenant."""

    code = "foreign_cursor"


class StaleCursor(Conflict):
    """The instant that the cursor reads at cannot be read any more: begin the statement again."""

    code = "stale_cursor"


class MonthsOpen(Conflict):
    """A year is closed when its months are soft closed, and no closed one before it is reopened; `detail` names one."""

    code = "months_open"


class AccountExists(Conflict):
    """The chart has this account already."""

    code = "account_exists"


class AccountNotFound(NotFound):
    """The chart has no account under this code."""

    code = "unknown_account"


class BalanceNotZero(Conflict):
    """An account is closed at a balance of zero in every currency."""

    code = "balance_not_zero"


class HoldsOpen(Conflict):
    """An account is closed when no hold on it is open."""

    code = "holds_open"


class BelowFloor(Conflict):
    """The account's balance less what is held stands below the floor that is asked for."""

    code = "below_floor"


class UnknownProof(NotFound):
    """No such proof of the books."""

    code = "unknown_proof"


class UnknownMonitor(NotFound):
    """No such monitor."""

    code = "unknown_monitor"


class MonitorEnded(Conflict):
    """The monitor has ended before."""

    code = "monitor_ended"


class TooManyMonitors(Conflict):
    """As many monitors are watched as one look can take."""

    code = "too_many_monitors"


class JournalAltered(Conflict):
    """An entry contradicts its own content hash, or its seal: no totals follow it, and no proof vouches for it."""

    code = "journal_altered"


class WrongState(Conflict):
    """The period or account is not in a state from which this can be done."""

    code = "wrong_state"


class BatchTooLarge(TooLarge):
    """More entries or lines than one commit of a batch takes; nothing of it was looked at."""

    code = "batch_too_large"


class RepeatedEntry(Invalid):
    """The batch names one entry twice."""

    code = "repeated_entry"


class EntryExists(Conflict):
    """An entry of a linked batch is in the journal already, by itself or through another batch."""

    code = "entry_exists"


class UnknownSeal(NotFound):
    """There is no seal of this number, or no such page of its leaves."""

    code = "unknown_seal"


class NotSealedYet(Conflict):
    """The entry is under no seal: it is younger than the last one, or it was not there when it should have been."""

    code = "not_sealed_yet"
