"""Everything has a limit: beyond it a clear error, never a slow surprise."""

from typing import Final

BODY_BYTES: Final = 1_048_576
"""Largest request body of any door (Cloud Tasks allows 1 MiB less 7 bytes a task)."""

WEBHOOK_BYTES: Final = 262_144
"""Largest webhook body; Stripe's events stay far below."""

TASK_BYTES: Final = 65_536
"""Largest task or event body: they carry ids, not documents."""

AMOUNT_MINOR: Final = 10**15
"""Largest magnitude of one amount, minor units: totals of 9,000 such still fit Firestore's int64."""

ENTRY_LINES: Final = 200
"""Lines a journal entry."""

INVOICE_LINES: Final = 100
"""Lines an invoice."""

PAGE_SIZE: Final = 200
"""Largest page of a list."""

DEFAULT_PAGE_SIZE: Final = 50
"""Page of a list when the caller names none."""

READ_ROUNDS: Final = 6
"""Times one decision may ask for more documents before it is a bug."""

COMMIT_ATTEMPTS: Final = 8
"""Times a decision is made again after a failed commit before the answer is `Retryable`."""

TEXT_CHARACTERS: Final = 2_000
"""Longest free text in one field."""

PAYROLL_CHUNK: Final = 25
"""Employees a payroll task: a chunk's commit stays far below the emulator's 4 MiB."""

PAYROLL_RUN_EMPLOYEES: Final = 10_000
"""Employees a payroll run: its 400 chunks and their outbox rows are one commit of about 1 MiB."""

OUTBOX_AGE_SECONDS: Final = 120
"""Age at which the sweep takes an outbox row for forgotten."""

IDEMPOTENCY_DAYS: Final = 30
"""How long an idempotency record answers again; the fact's own id protects it for ever."""

WAIT_FOR_OBJECT_DAYS: Final = 3
"""How long a queued cause waits for the object it names before that is a recorded refusal."""
