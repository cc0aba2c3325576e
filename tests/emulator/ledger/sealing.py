"""A tenant's seals on the real emulator: made over their own line, by a signer of the test's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from shared.gcp import firestore_methods as methods
from shared.gcp.firestore import resource_headers
from shared.gcp.firestore_values import write_value
from shared.gcp.rpc import Rpc
from shared.ledger.use_cases.seals import Sealing, Seals
from shared.ports import Create, Decision, Delete, Document, Query, Ref, Value, View, tenant_ref
from shared.settings import Settings
from tests.builders import ACME, a_call, a_sale
from tests.emulator.ledger.conftest import Bookkeeping
from tests.local_keys import LocalSigner

_numbers = count(1)


@dataclass
class Office:
    """Books that are sealed, and the hand of someone who tampers with them behind their back."""

    kept: Bookkeeping
    settings: Settings
    signer: LocalSigner = field(default_factory=LocalSigner)

    @property
    def seals(self) -> Seals:
        """Sealing, through this very instant."""
        return Seals(self.kept.desk, self.signer, self.kept.sent, settled=timedelta())

    def seal(self, key: str = "") -> Sealing:
        """Seal what there is."""
        return self.seals.seal(a_call(key or f"seal-{next(_numbers)}")).answer

    def sell(self, *names: str, **changes: Any) -> None:
        """Post a sale under each name."""
        for name in names:
            self.kept.books.post(a_call(name), a_sale(name=name, **changes))

    def entries(self) -> tuple[Document, ...]:
        """Every entry."""
        return self.kept.store.query(Query("entries", ACME)).documents

    def sealed(self) -> list[str]:
        """The ids under all seals, seal by seal in the order of their leaves."""
        listing = self.seals.page(ACME, 100, None).items
        return [
            leaf.id
            for seal in reversed(listing)
            for page in range(seal.pages)
            for leaf in self.seals.leaves(ACME, seal.number, page)
        ]

    def put(self, ref: Ref, fields: Mapping[str, Value]) -> None:
        """Create a document behind the books' back."""
        self._commit(Create(ref, fields))

    def remove(self, ref: Ref) -> None:
        """Take a document away."""
        self._commit(Delete(ref))

    def alter(self, ref: Ref, name: str, value: Value) -> None:
        """Change one field of a document in place: its create_time stays."""
        headers = resource_headers(self.settings, self.settings.database)
        rpc = Rpc("", self.settings.firestore_endpoint, metadata=headers)
        database = f"projects/{self.settings.project}/databases/{self.settings.database}"
        request = methods.COMMIT.request(database=database)
        write = request.writes.add()
        write.update.name = f"{database}/documents/{ref.path}"
        write.update_mask.field_paths.append(name)
        write_value(write.update.fields[name], value)
        rpc.ask(methods.COMMIT, request)
        rpc.close()

    def _commit(self, *writes: Any) -> None:
        def decide(_: View) -> Decision[None]:
            return Decision(None, writes)

        self.kept.store.transact((), decide)


def a_stray(office: Office, name: str, recorded_at: datetime) -> Ref:
    """An entry whose commit comes now, long after the instant that it says it was recorded at."""
    like = office.entries()[0]
    ref = tenant_ref(ACME, "entries", name)
    office.put(ref, {**like.fields, "recorded_at": recorded_at})
    return ref


def a_double(settings: Settings, ref: Ref, *path: str) -> None:
    """Make a number in a document a double, with a half more, behind the books' back: its `create_time` stays."""
    rpc = Rpc("", settings.firestore_endpoint, metadata=resource_headers(settings, settings.database))
    database = f"projects/{settings.project}/databases/{settings.database}"
    (read,) = rpc.ask(
        methods.BATCH_GET,
        methods.BATCH_GET.request(database=database, documents=[f"{database}/documents/{ref.path}"]),
    )
    value = read.found.fields[path[0]]
    for name in path[1:]:
        is_list = value.WhichOneof("value_type") == "array_value"
        value = value.array_value.values[int(name)] if is_list else value.map_value.fields[name]
    value.double_value = value.integer_value + 0.5
    commit = methods.COMMIT.request(database=database)
    write = commit.writes.add()
    write.update.name = read.found.name
    write.update.fields[path[0]].CopyFrom(read.found.fields[path[0]])
    write.update_mask.field_paths.append(path[0])
    rpc.ask(methods.COMMIT, commit)
    rpc.close()
