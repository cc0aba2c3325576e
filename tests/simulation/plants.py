"""Bugs to find: each is a line of the product put wrong while it is imported.

To plant one of your own: add a line with the file, the text as it stands there, and the text put wrong; then
`python -m tests.simulation --plant its_name` says how many seeds it lived. A text that no longer stands there is an
error, so a plant cannot rot.
"""

from typing import Final

from tests.simulation.planting import Edit, Plant, one
from tests.simulation.plants_of_allocations import ALLOCATION_PLANTS
from tests.simulation.plants_of_payments import PAYMENT_PLANTS
from tests.simulation.plants_of_refunds import REFUND_PLANTS
from tests.simulation.plants_of_webhooks import WEBHOOK_PLANTS

POSTING, GATHER = "shared/ledger/rules/posting.py", "shared/ledger/rules/batches.py"
TOGETHER = "shared/ledger/use_cases/together.py"
SETTLING = "shared/ledger/rules/settling.py"
RUNS, CHUNKS, BARRIER = (f"shared/payroll/use_cases/{name}.py" for name in ("runs", "chunks", "barrier"))

PLANTS: Final = (
    *PAYMENT_PLANTS,
    *ALLOCATION_PLANTS,
    *WEBHOOK_PLANTS,
    *REFUND_PLANTS,
    one(
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
    one(
        "created_without_precondition",
        "shared/gcp/firestore_writes.py",
        "            _put_document(target, name, write)\n            target.current_document.exists = False\n",
        "            _put_document(target, name, write)\n",
    ),
    one(
        "decided_again_without_reading_the_entry",
        "shared/ledger/use_cases/planning.py",
        "    known = view[ref]\n",
        "    known = None\n",
    ),
    one(
        "refusal_not_recorded",
        POSTING,
        "return Plan((write_entry(tenant, entry, refusal), *map(still_absent, opening)), loose, refusal)",
        "return Plan((), loose, refusal)",
    ),
    one(
        "output_hash_for_idempotency",
        "shared/ledger/use_cases/answered.py",
        "if recorded.entry.request_hash not in {entry.request_hash, *call.earlier_hashes}:",
        "if recorded.entry.content_hash != entry.content_hash:",
    ),
    one(
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
    one(
        "posted_without_must_exist",
        POSTING,
        "totals = _totals(tenant, entry, accounts, must_exist=True)",
        "totals = _totals(tenant, entry, accounts, must_exist=False)",
    ),
    one(
        "closed_before_it_was_retired",
        "shared/ledger/use_cases/control.py",
        "operation = begun.answer if begun.answer.done else self.finish(call.tenant, begun.answer.id)",
        "operation = begun.answer",
    ),
    one(
        "retires_no_older_version",
        "shared/ledger/rules/control.py",
        'return operation.control.is_period or cast("int", document["version"]) < operation.version',
        "return operation.control.is_period",
    ),
    one(
        "second_retirement_replaces_the_first",
        "shared/ledger/rules/control.py",
        "return _added(fields, closed.fields) if closed else fields",
        "return fields",
    ),
    one(
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
    one(
        "reversal_recomputed",
        "shared/ledger/rules/reversals.py",
        "amounts = list(left) if parts is None else _asked(entry, left, parts)",
        "amounts = [line.money.amount for line in entry.lines] if parts is None else _asked(entry, left, parts)",
    ),
    one(
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
    one(
        "issued_twice",
        "shared/invoicing/use_cases.py",
        '    require(InvoiceState(known["state"]), Happening.ISSUE)\n',
        "",
    ),
    one(
        "idempotency_record_ignored",
        "shared/desk.py",
        "if call.once and (view.failures or view.has_read(call.trace)):",
        "if False:",
    ),
    one(
        "event_sent_before_the_commit",
        "shared/desk.py",
        "            return _decision(call, decide, again, view)\n",
        "            made = _decision(call, decide, again, view)\n"
        "            if isinstance(made.answer, Done):\n"
        "                self.outbox.dispatch(made.answer.messages)\n"
        "            return made\n",
    ),
    one(
        "outbox_row_not_written",
        "shared/desk.py",
        "audit_record(call, outcome), *(row(message, call.at) for message in outcome.messages)]",
        "audit_record(call, outcome)]",
    ),
    one(
        "row_removed_unsent",
        "shared/outbox.py",
        "            if self._send(message, silent):\n                sent.append(document.ref)\n",
        "            self._send(message, silent)\n            sent.append(document.ref)\n",
    ),
    one(
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
    one(
        "payslips_posted_twice",
        CHUNKS,
        "        known = view[posting_place]\n        if known is not None:\n",
        "        known = view[posting_place]\n        if False:\n",
    ),
    one("aad_missing", "shared/privacy/vault.py", "return place.associated_data(field)", 'return b""'),
    one(
        "personal_data_not_sealed",
        "shared/privacy/vault.py",
        "return Sealed(self._cipher.encrypt(_encoded(text), self._bound(place, field)))",
        "return Sealed(_encoded(text))",
    ),
    one(
        "keyset_made_again",
        "shared/privacy/vault.py",
        "read_subject_keyset(there[ref]) if ref in there else made[subject] for",
        "made[subject] for",
    ),
    one(
        "sealed_twice",
        "shared/ledger/use_cases/seals.py",
        "waiting += [_leaf(document) for document in documents if document.created_at > after]",
        "waiting += [_leaf(document) for document in documents]",
    ),
    one(
        "answered_without_posting",
        TOGETHER,
        "            result = self._store.transact(first, decide)\n",
        "            result = _fresh(posting, None)\n",
    ),
    one(
        "failed_batch_answered_as_posted",
        TOGETHER,
        "for result in self._apart(order.tenant, missing, ends_at)}",
        "for result in (_fresh(posting, None) for posting in missing)}",
    ),
    one("first_look_believed", "shared/ledger/use_cases/balances.py", "LOOKS: Final = 3", "LOOKS: Final = 1"),
    one("holds_never_swept", "shared/ledger/use_cases/hold_expiry.py", "in self._due(at):", "in ():"),
    one(
        "seals_never_asked_for",
        "shared/ledger/use_cases/seals.py",
        "        ROUND.ask(self._queue, tenants,",
        "        ROUND.ask(self._queue, (),",
    ),
    one(
        "balances_never_watched",
        "shared/ledger/use_cases/monitors.py",
        "        ROUND.ask(self._queue, tenants,",
        "        ROUND.ask(self._queue, (),",
    ),
    one(
        "account_closed_with_its_totals_live",
        "shared/ledger/use_cases/control.py",
        "            if below(operation, document):\n",
        "            if below(operation, document) and operation.control is not Control.CLOSE_ACCOUNT:\n",
    ),
    one(
        "account_closed_with_a_balance",
        SETTLING,
        "        refusal = _not_closable(account, standing)\n",
        "        refusal = None\n",
    ),
    one("floor_added_under_a_balance", SETTLING, "    if available < 0:\n", "    if False:\n"),
    one(
        "limit_lowered_under_a_balance",
        "shared/ledger/use_cases/control.py",
        "refusal = _below(account) if floor.limit < guard.limit and left < 0 else None",
        "refusal = None",
    ),
    one(
        "currency_dropped_with_its_totals_live",
        "shared/ledger/rules/control.py",
        "        return self not in {Control.UNFREEZE,",
        "        return self not in {Control.SET_CURRENCIES, Control.UNFREEZE,",
    ),
    one(
        "opening_balances_turned_round",
        "shared/ledger/rules/opening.py",
        "net = -row.money.amount if row.side is Side.DEBIT else row.money.amount",
        "net = row.money.amount if row.side is Side.DEBIT else -row.money.amount",
    ),
    one(
        "trial_balance_of_one_shard",
        "shared/ledger/rules/balances.py",
        "        fold[key] = fold.get(key, Sums()) + _through(document, on)\n",
        "        fold[key] = _through(document, on)\n",
    ),
    one(
        "statement_page_starts_from_nothing",
        "shared/ledger/use_cases/statements.py",
        "after = replace(position, balances=balances, after=page.cursor)",
        "after = replace(position, after=page.cursor)",
    ),
    one(
        "memo_bound_to_no_entry",
        "shared/ledger/use_cases/memos.py",
        '    return Place(tenant, "entries", entry_id)\n',
        '    return Place(tenant, "entries", "any")\n',
    ),
    one(
        "employee_bound_to_nobody",
        "shared/payroll/use_cases/employees.py",
        "        place = Place(call.tenant, EMPLOYEES, employee.id)\n",
        '        place = Place(call.tenant, EMPLOYEES, "any")\n',
    ),
    one(
        "secret_remembered_for_ever",
        "shared/gcp/secrets.py",
        "FRESH_SECONDS: Final = 60\n",
        "FRESH_SECONDS: Final = 10**9\n",
    ),
)
