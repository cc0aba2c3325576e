"""The ledger's rooms."""

# ruff: noqa: PLC0415 - a room imports what it is made of when it is first entered

from functools import cached_property
from typing import TYPE_CHECKING

from shared.wiring.foundations import Foundations

if TYPE_CHECKING:
    from shared.ledger.use_cases.accounts import Chart
    from shared.ledger.use_cases.balances import Balances
    from shared.ledger.use_cases.batches import Batches
    from shared.ledger.use_cases.carry import CarryForward
    from shared.ledger.use_cases.control import Controls
    from shared.ledger.use_cases.dry_run import DryRuns
    from shared.ledger.use_cases.export import Journals
    from shared.ledger.use_cases.hold_expiry import HoldExpiry
    from shared.ledger.use_cases.holds import Holds
    from shared.ledger.use_cases.memos import Memos
    from shared.ledger.use_cases.monitors import Monitors
    from shared.ledger.use_cases.opening import OpeningBalances
    from shared.ledger.use_cases.posting import Books
    from shared.ledger.use_cases.proofs import Proofs
    from shared.ledger.use_cases.repairs import Repairs
    from shared.ledger.use_cases.reports import Reports
    from shared.ledger.use_cases.reversals import Reversals
    from shared.ledger.use_cases.seals import Seals
    from shared.ledger.use_cases.statements import Statements
    from shared.ledger.use_cases.year_end import YearEnds


class LedgerRooms(Foundations):
    """Posting, controls, reports, proofs and seals."""

    @cached_property
    def books(self) -> "Books":
        """Posting."""
        from shared.ledger.use_cases.posting import Books

        return Books(self.desk)

    @cached_property
    def memos(self) -> "Memos":
        """Posting with a memo; vault and keys are entered only when there is one."""
        from shared.ledger.use_cases.memos import Memos

        return Memos(self.desk, self.books, lambda: self.vault, lambda: self.disclosures)

    @cached_property
    def reversals(self) -> "Reversals":
        """Undoing what was posted."""
        from shared.ledger.use_cases.reversals import Reversals

        return Reversals(self.desk, self.books)

    @cached_property
    def holds(self) -> "Holds":
        """Money set aside."""
        from shared.ledger.use_cases.holds import Holds

        return Holds(self.desk, self.books)

    @cached_property
    def hold_expiry(self) -> "HoldExpiry":
        """Money set aside for too long."""
        from shared.ledger.use_cases.hold_expiry import HoldExpiry

        return HoldExpiry(self.desk, self.holds)

    @cached_property
    def batches(self) -> "Batches":
        """Posting many at once."""
        from shared.ledger.use_cases.batches import Batches

        return Batches(self.desk, self.books)

    @cached_property
    def dry_runs(self) -> "DryRuns":
        """What a posting would come to."""
        from shared.ledger.use_cases.dry_run import DryRuns

        return DryRuns(self.desk)

    @cached_property
    def chart(self) -> "Chart":
        """Accounts and periods."""
        from shared.ledger.use_cases.accounts import Chart

        return Chart(self.desk)

    @cached_property
    def controls(self) -> "Controls":
        """Closing and freezing."""
        from shared.ledger.use_cases.control import Controls

        return Controls(self.desk)

    @cached_property
    def balances(self) -> "Balances":
        """What stands on an account on a day."""
        from shared.ledger.use_cases.balances import Balances

        return Balances(self.desk)

    @cached_property
    def statements(self) -> "Statements":
        """Accounts' lines in order; cursors are signed by the keys that requests are hashed with."""
        from shared.http.requests import REQUEST_HASH
        from shared.ledger.use_cases.statements import Statements

        return Statements(self.desk, lambda: self.secrets.versions(REQUEST_HASH))

    @cached_property
    def carry_forward(self) -> "CarryForward":
        """Balances of closed months, added up once."""
        from shared.ledger.use_cases.carry import CarryForward

        return CarryForward(self.desk)

    @cached_property
    def year_ends(self) -> "YearEnds":
        """Income moved to equity."""
        from shared.ledger.use_cases.year_end import YearEnds

        return YearEnds(self.desk, self.books, self.controls)

    @cached_property
    def opening_balances(self) -> "OpeningBalances":
        """What a tenant brings along."""
        from shared.ledger.use_cases.opening import OpeningBalances

        return OpeningBalances(self.desk, self.books, self.chart)

    @cached_property
    def reports(self) -> "Reports":
        """What the books say."""
        from shared.ledger.use_cases.reports import Reports

        return Reports(self.desk)

    @cached_property
    def proofs(self) -> "Proofs":
        """That the books agree with their journal."""
        from shared.ledger.use_cases.proofs import Proofs

        return Proofs(self.desk, self.queue)

    @cached_property
    def monitors(self) -> "Monitors":
        """Balances that somebody wants to hear of."""
        from shared.ledger.use_cases.monitors import Monitors

        return Monitors(self.desk, self.queue)

    @cached_property
    def repairs(self) -> "Repairs":
        """Setting right what a proof found wrong."""
        from shared.ledger.use_cases.repairs import Repairs

        return Repairs(self.desk)

    @cached_property
    def seals(self) -> "Seals":
        """The journal under lock and key."""
        from shared.ledger.use_cases.seals import Seals

        return Seals(self.desk, self.signer, self.queue)

    @cached_property
    def journals(self) -> "Journals":
        """The journal, to be taken away."""
        from shared.ledger.use_cases.export import Journals

        return Journals(self.desk, self.seals)
