"""Everything has a limit: beyond it a clear error, never a slow surprise."""

from typing import Final

BODY_BYTES: Final = 1_048_576
"""Largest request body of any door (Cloud Tasks allows 1 MiB less 7 bytes a task)."""

WEBHOOK_BYTES: Final = 1_048_576
"""Largest webhook body: 250 events with all their metadata, of about 4 KB each; sealed, a commit of less than 4 MiB."""

WEBHOOK_PIECE_BYTES: Final = 262_144
"""Largest event of a webhook: sealed it fits a document. Partners' events stay far below."""

TASK_BYTES: Final = 65_536
"""Largest task or event body: they carry ids, not documents."""

AMOUNT_MINOR: Final = 10**15
"""Largest magnitude of one amount, minor units: totals of 9,000 such still fit Firestore's int64."""

ENTRY_LINES: Final = 200
"""Lines a journal entry."""

ENTRY_METADATA: Final = 20
"""Metadata keys a journal entry."""

ENTRY_RATES: Final = 20
"""Exchange rates a journal entry."""

MEMO_CHARACTERS: Final = 1_000
"""Longest memo of a journal entry."""

BATCH_ENTRIES: Final = 500
"""Entries a batch: with BATCH_LINES its request stays below 3 MiB (the emulator takes 4). Firestore's 10 MiB a commit
count its index entries, too, so what no query asks for has none (store.tf): by calculation a batch that is back-dated
on a thousand new accounts comes to 5 MiB, with codes of 60 characters 7, with the longest codes and references 10."""

BATCH_LINES: Final = 1_000
"""Lines of all entries of a batch together: at most so many totals and accounts are read and written at once."""

WRITER_ENTRIES: Final = 100
"""Entries that the batching writer puts into one commit: some milliseconds of work, far below its 250 ms."""

SHARED_LINES: Final = 2_000
"""Lines that independent batches put into one commit together: two of the largest, ten of a hundred entries. Should
the store not take that much at once (long texts, many new accounts), each goes by itself."""

MONITORS: Final = 500
"""Balance monitors a tenant has watched: one look reads each one's account and writes each one."""

INVOICE_LINES: Final = 100
"""Lines an invoice."""

PAGE_SIZE: Final = 200
"""Largest page of a list."""

DEFAULT_PAGE_SIZE: Final = 50
"""Page of a list when the caller names none."""

DOCUMENTS_PAGE: Final = 500
"""Documents a query where all of them are read."""

JOURNAL_PAGE: Final = 500
"""Entries a page of the journal: with 200 lines each still below what a function may answer."""

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

ASK_PARTNER_DAYS: Final = 6
"""How long a partner is asked about an event before its silence is a recorded refusal: shorter than the task lives."""

WAIT_FOR_LINES_SECONDS: Final = 7_200
"""How long a payout's lines wait for the events of what they are about: far shorter than their delivery is retried."""

PAYOUT_PAGE_ITEMS: Final = 100
"""Lines a page of a payout's statement: its commit writes the payment of each."""

PAYOUT_PAGES: Final = 1_000
"""Pages of a payout's statement: 100,000 payments."""

HOLD_DAYS: Final = 400
"""Longest life of a hold: a year's reservation and the time to settle it."""

WEBHOOK_ENDPOINTS: Final = 20
"""Enabled webhook endpoints a tenant: one commit writes a delivery for each."""

WEBHOOK_FILTERS: Final = 20
"""Event filters a webhook endpoint."""

WEBHOOK_URL_CHARACTERS: Final = 2_000
"""Longest address of a webhook endpoint."""

WEBHOOK_SECRETS: Final = 4
"""Live secrets a webhook endpoint: every attempt carries a signature of each."""

WEBHOOK_PAYLOAD_BYTES: Final = 20_480
"""Largest webhook that is sent: Standard Webhooks recommends less than 20 kB."""

WEBHOOK_ATTEMPTS: Final = 10
"""Attempts a round of a webhook's delivery: as many as the schedule has delays."""

WEBHOOK_ATTEMPTS_IN_ALL: Final = 100
"""Attempts of one delivery, resends included: its log is read in one go."""

WEBHOOK_RETRY_AFTER_SECONDS: Final = 86_400
"""Longest wait that a receiver can ask for: the schedule's longest."""

WEBHOOK_RESEND_PAGE: Final = 25
"""Deliveries that one task sends again: its commit writes two documents for each."""

WEBHOOK_RESENDS: Final = 10_000
"""Deliveries of a range that are sent again at once."""

WEBHOOK_RESENDABLE_DAYS: Final = 60
"""How long after it was made a delivery can be sent again."""

WEBHOOK_KEPT_DAYS: Final = 90
"""How long a webhook, its deliveries and their log are kept: longer than the longest round, begun as late as can be."""

ALLOCATION_INVOICES: Final = 50
"""Invoices that one order allocates a payment to."""

PAYMENT_SHARES: Final = 100
"""Parts that a payment is allocated in: a refund of all of it writes as many invoices in its commit."""

MATCHED_NUMBERS: Final = 20
"""Numbers of our invoices that one payment's reference may name."""
