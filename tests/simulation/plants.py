"""Bugs to find: each is a line of the product put wrong while it is imported, in a process of its own.

To plant one of your own: add a `Plant` with the file, the text as it stands there, and the text put wrong; then
`python -m tests.simulation --plant its_name` says how many seeds it lived. A text that no longer stands there is an
error, so a plant cannot rot.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Edit:
    """A text as it stands in a file of the product, exactly once, and the text put in its place."""

    file: str
    right: str
    wrong: str

    @property
    def module(self) -> str:
        """The module that it is in."""
        return self.file.removesuffix(".py").replace("/", ".")


@dataclass(frozen=True)
class Plant:
    """One bug; where two layers protect, both are broken."""

    name: str
    edits: tuple[Edit, ...]

    def sources(self) -> dict[str, tuple[str, str]]:
        """By module: its file, and its text with the bug in it.

        Raises:
            LookupError: a text does not stand there exactly once.
        """
        texts: dict[str, tuple[str, str]] = {}
        for edit in self.edits:
            _, text = texts.get(edit.module) or ("", (ROOT / edit.file).read_text(encoding="utf-8"))
            if text.count(edit.right) != 1:
                message = f"{self.name}: a text stands {text.count(edit.right)} times in {edit.file}"
                raise LookupError(message)
            texts[edit.module] = (edit.file, text.replace(edit.right, edit.wrong))
        return texts


def _one(name: str, file: str, right: str, wrong: str) -> Plant:
    return Plant(name, (Edit(file, right, wrong),))


APPLYING, PAYMENTS = "shared/payments/applying.py", "shared/payments/use_cases.py"
POSTING, GATHER = "shared/ledger/rules/posting.py", "shared/ledger/rules/batches.py"
RUNS, CHUNKS, BARRIER = (f"shared/payroll/use_cases/{name}.py" for name in ("runs", "chunks", "barrier"))

PLANTS: Final = (
    _one("dedupe_dropped", PAYMENTS, "if stored.state is not EventState.RECEIVED:", "if False:"),
    _one(
        "acknowledged_before_the_write",
        PAYMENTS,
        "        return self._desk.perform(call, (), decide, read_event)\n",
        "        try:\n            return self._desk.perform(call, (), decide, read_event)\n"
        "        except Retryable:\n            return Done(stored)\n",
    ),
    _one(
        "one_total_forgotten",
        POSTING,
        "return Plan((write_entry(tenant, entry, None), *totals, *shifted",
        "return Plan((write_entry(tenant, entry, None), *totals[1:], *shifted",
    ),
    Plant(
        "balance_in_a_commit_of_its_own",
        (
            Edit(
                "shared/ledger/use_cases/posting.py",
                "            return _with_plan(call, booking, entry, plan)\n",
                "            apart = tuple(one for one in plan.writes if one.ref.collection == 'totals')\n"
                "            if apart:\n"
                "                made = __import__('shared.ports', fromlist=['Decision']).Decision(None, apart)\n"
                "                self._desk.store.transact((), lambda _: made)\n"
                "            kept = tuple(one for one in plan.writes if one not in apart)\n"
                "            return _with_plan(call, booking, entry, replace(plan, writes=kept))\n",
            ),
        ),
    ),
    _one(
        "created_without_precondition",
        "shared/gcp/firestore_writes.py",
        "            _put_document(target, name, write)\n            target.current_document.exists = False\n",
        "            _put_document(target, name, write)\n",
    ),
    _one(
        "decided_again_without_reading_the_entry",
        "shared/ledger/use_cases/posting.py",
        "known = view[ref] if view.failures or view.has_read(ref) else None",
        "known = None",
    ),
    _one(
        "refusal_not_recorded",
        POSTING,
        "return Plan((write_entry(tenant, entry, refusal), *map(still_absent, opening)), loose, refusal)",
        "return Plan((), loose, refusal)",
    ),
    _one(
        "output_hash_for_idempotency",
        "shared/ledger/use_cases/answered.py",
        "if recorded.entry.request_hash not in {entry.request_hash, *call.earlier_hashes}:",
        "if recorded.entry.content_hash != entry.content_hash:",
    ),
    _one(
        "credit_not_through_the_inflow",
        POSTING,
        "        if received:\n            writes.append(Increment(",
        "        if False:\n            writes.append(Increment(",
    ),
    Plant(
        "guard_moved_blindly",
        (
            Edit(
                "shared/ledger/records.py",
                "        return Update(self.document.ref, fields, self.document.version)\n",
                "        moves = {('spent',): spent, ('held',): held, ('version',): 1}\n"
                "        return Increment(self.document.ref, moves, True)\n",
            ),
            Edit(
                POSTING,
                "frozenset(inflow_ref(tenant, account.code) for account in outflows))",
                "frozenset(ref(tenant, account.code) for account in outflows for ref in (inflow_ref, guard_ref)))",
            ),
            Edit(
                GATHER,
                'or (ref.collection == "guards" and ref not in used)',
                'or ref.collection == "guards"',
            ),
        ),
    ),
    _one(
        "posted_without_must_exist",
        POSTING,
        "totals = _totals(tenant, entry, accounts, must_exist=True)",
        "totals = _totals(tenant, entry, accounts, must_exist=False)",
    ),
    _one(
        "closed_before_it_was_retired",
        "shared/ledger/use_cases/control.py",
        "operation = begun.answer if begun.answer.done else self.finish(call.tenant, begun.answer.id)",
        "operation = begun.answer",
    ),
    _one(
        "retires_no_older_version",
        "shared/ledger/rules/control.py",
        'return operation.control.is_period or cast("int", document["version"]) < operation.version',
        "return operation.control.is_period",
    ),
    _one(
        "second_retirement_replaces_the_first",
        "shared/ledger/rules/control.py",
        "return _added(fields, closed.fields) if closed else fields",
        "return fields",
    ),
    _one(
        "hold_not_counted",
        "shared/ledger/rules/reserving.py",
        "guard_of(tenant, account, view).moved(held=moved(hold.lines, account)[1])  # spent stays",
        "guard_of(tenant, account, view).moved()",
    ),
    Plant(
        "expired_before_its_time",
        (
            Edit(
                "shared/ledger/use_cases/holds.py",
                "return hold.state is HoldState.RESERVED and hold.expires_at <= at",
                "return hold.state is HoldState.RESERVED",
            ),
            Edit(
                "shared/ledger/use_cases/hold_expiry.py",
                'over = Where("due_at", "<=", at)',
                'over = Where("due_at", "<=", at.replace(year=2099))',
            ),
        ),
    ),
    _one(
        "reversal_recomputed",
        "shared/ledger/rules/reversals.py",
        "amounts = list(left) if parts is None else _asked(entry, left, parts)",
        "amounts = [line.money.amount for line in entry.lines] if parts is None else _asked(entry, left, parts)",
    ),
    _one(
        "refund_told_in_all_taken_for_one",
        "shared/payments/rules.py",
        "amount = told.amount - payment.refunded",
        "amount = told.amount",
    ),
    _one("payment_told_twice_received_twice", APPLYING, "return None if document else receive(", "return receive("),
    _one(
        "payment_without_its_invoice_refused",
        APPLYING,
        '        _wait(call, stored, "the invoice is not issued yet")\n        return None\n',
        "        message = 'no such invoice'\n        raise RefundTooLarge(message)\n",
    ),
    _one("late_event_taken_for_none", APPLYING, '        _wait(call, stored, "the payment is not there yet")\n', ""),
    _one(
        "forged_webhook_taken",
        "shared/payments/partners/stripe.py",
        "return any([hmac.compare_digest(expected, signature) for signature in given])",
        "return True or any([hmac.compare_digest(expected, signature) for signature in given])",
    ),
    _one(
        "old_signature_taken",
        "shared/payments/partners/stripe.py",
        "if abs(at.timestamp() - timestamp) > REPLAY_WINDOW_SECONDS:",
        "if False:",
    ),
    _one(
        "only_the_newest_secret",
        PAYMENTS,
        "self._live(call.tenant, raw.partner), call.at)",
        "self._live(call.tenant, raw.partner)[:1], call.at)",
    ),
    _one(
        "number_taken_before_the_commit",
        "shared/invoicing/use_cases.py",
        "            outcome: Outcome[Either] = "
        'Outcome(ref, "invoice.issue", invoice, (issued, counted, number), (told,))\n',
        "            made = __import__('shared.ports', fromlist=['Decision']).Decision(None, (counted,))\n"
        "            self._desk.store.transact((), lambda _: made)\n"
        "            free = frozenset({series_place})\n"
        "            outcome: Outcome[Either] = "
        'Outcome(ref, "invoice.issue", invoice, (issued, number), (told,), free)\n',
    ),
    _one(
        "issued_twice",
        "shared/invoicing/use_cases.py",
        '    require(InvoiceState(known["state"]), Happening.ISSUE)\n',
        "",
    ),
    _one(
        "idempotency_record_ignored",
        "shared/desk.py",
        "if call.once and (view.failures or view.has_read(call.trace)):",
        "if False:",
    ),
    _one(
        "event_sent_before_the_commit",
        "shared/desk.py",
        "            return _decision(call, decide, again, view)\n",
        "            made = _decision(call, decide, again, view)\n"
        "            if isinstance(made.answer, Done):\n"
        "                self.outbox.dispatch(made.answer.messages)\n"
        "            return made\n",
    ),
    _one(
        "outbox_row_not_written",
        "shared/desk.py",
        "audit_record(call, outcome), *(row(message, call.at) for message in outcome.messages)]",
        "audit_record(call, outcome)]",
    ),
    _one(
        "row_removed_unsent",
        "shared/outbox.py",
        "            if self._send(message, silent):\n                sent.append(document.ref)\n",
        "            self._send(message, silent)\n            sent.append(document.ref)\n",
    ),
    _one(
        "unsent_message_taken_for_sent",
        "shared/outbox.py",
        "            silent.add(destination)\n",
        "            silent.add(destination)\n            return True\n",
    ),
    Plant(
        "barrier_counts_twice",
        (
            Edit(BARRIER, 'if finished["count"] == run.chunks else run', 'if finished["count"] >= 1 else run'),
            Edit(
                BARRIER,
                "if seen.state is not run.state or any(result is None for result in stored):",
                "if seen.state is not run.state:",
            ),
            Edit(
                BARRIER,
                "for result in stored]\n            moved",
                "for result in stored if result]\n            moved",
            ),
        ),
    ),
    Plant(
        "barrier_skipped_on_a_duplicate",
        (
            Edit(
                CHUNKS,
                "    desk.perform(call, [run_place, chunk_place, result_place], decide, read_result)\n",
                "    return desk.perform(call, [run_place, chunk_place, result_place], decide, read_result)\n",
            ),
            Edit(
                RUNS,
                "        calculate_chunk(self._desk, call, run_id, chunk)\n        self._barrier",
                "        if not calculate_chunk(self._desk, call, run_id, chunk).replayed:\n            self._barrier",
            ),
            Edit(
                BARRIER, "        run = self.advance(call, run_id)\n", "        run = self.run(call.tenant, run_id)\n"
            ),
        ),
    ),
    _one(
        "payslips_posted_twice",
        CHUNKS,
        "        known = view[posting_place]\n        if known is not None:\n",
        "        known = view[posting_place]\n        if False:\n",
    ),
    _one("aad_missing", "shared/privacy/vault.py", "return place.associated_data(field)", 'return b""'),
    _one(
        "personal_data_not_sealed",
        "shared/privacy/vault.py",
        "return Sealed(self._cipher.encrypt(_encoded(text), self._bound(place, field)))",
        "return Sealed(_encoded(text))",
    ),
    _one(
        "keyset_made_again",
        "shared/privacy/vault.py",
        "        cipher = open_subject_key(tenant, subject, read_subject_keyset(there) if there else made, key)\n",
        "        cipher = open_subject_key(tenant, subject, made, key)\n",
    ),
    _one(
        "sealed_twice",
        "shared/ledger/use_cases/seals.py",
        "waiting += [_leaf(document) for document in documents if document.created_at > after]",
        "waiting += [_leaf(document) for document in documents]",
    ),
    _one(
        "answered_without_posting",
        "shared/ledger/use_cases/posting.py",
        "        return self.perform(replace(call, once=False), (), decide, read_entry)\n",
        "        return Done(fresh)\n",
    ),
    _one(
        "failed_batch_answered_as_posted",
        "shared/ledger/use_cases/together.py",
        "settled = self._apart(order.tenant, missing, self._monotonic() + APART_SECONDS)",
        "settled = tuple(_fresh(posting, None) for posting in missing)",
    ),
    _one("first_look_believed", "shared/ledger/use_cases/balances.py", "LOOKS: Final = 3", "LOOKS: Final = 1"),
    _one("holds_never_swept", "shared/ledger/use_cases/hold_expiry.py", "in self._due(at):", "in ():"),
    _one(
        "seals_never_asked_for",
        "shared/ledger/use_cases/seals.py",
        "        ROUND.ask(self._queue, tenants,",
        "        ROUND.ask(self._queue, (),",
    ),
    _one(
        "balances_never_watched",
        "shared/ledger/use_cases/monitors.py",
        "        ROUND.ask(self._queue, tenants,",
        "        ROUND.ask(self._queue, (),",
    ),
)


class _Planter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports modules with their bug."""

    def __init__(self, plant: Plant) -> None:
        self._sources = plant.sources()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The modules of the bug are ours."""
        del path, target
        return importlib.util.spec_from_loader(name, self) if name in self._sources else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the text with the bug."""
        file, text = self._sources[module.__name__]
        module.__file__ = str(ROOT / file)
        exec(compile(text, file, "exec"), module.__dict__)  # noqa: S102 - our own text


def plant(name: str) -> None:
    """Plant a bug in this process, before anything of the product is imported.

    Raises:
        KeyError: there is none of this name.
        RuntimeError: a module of it is imported already.
    """
    chosen = {one.name: one for one in PLANTS}[name]
    for edit in chosen.edits:
        if edit.module in sys.modules:
            message = f"{edit.module} is imported already"
            raise RuntimeError(message)
    sys.meta_path.insert(0, _Planter(chosen))
