"""Everything a local cloud keeps or carried, as raw bytes, and the search for a text in any of its forms."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.cloud.firestore_v1.types import Document

from emulators.addresses import fetch
from emulators.cloud import LocalCloud
from emulators.provision import channel


@dataclass(frozen=True, slots=True)
class Exposure:
    """Raw bytes by where they were: `firestore (default)`, `tasks, jobs and pushes`, `log doors.log` ..."""

    places: Mapping[str, bytes]

    def where(self, text: str) -> dict[str, list[str]]:
        """The places that hold a text, with the forms in which they do."""
        found = {
            place: [form for form, pattern in forms(text).items() if pattern in raw]
            for place, raw in self.places.items()
        }
        return {place: names for place, names in found.items() if names}


def forms(text: str) -> dict[str, bytes]:
    """A text as it may lie in a file: as it is, escaped, in UTF-16, in hex and in base64 wherever it begins."""
    raw = text.encode()
    wide = {"utf-16-le": text.encode("utf-16-le"), "utf-16-be": text.encode("utf-16-be")}
    plain = {"utf-8": raw, "escaped": json.dumps(text)[1:-1].encode(), "unspaced": raw.replace(b" ", b""), **wide}
    return {
        **plain,
        **{f"hex of {name}": each.hex().encode() for name, each in plain.items()},
        **{f"HEX of {name}": each.hex().upper().encode() for name, each in plain.items()},
        **{form: part for name, each in plain.items() for form, part in _base64(name, each)},
    }


def _base64(name: str, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """The characters that are certain, whatever stands before and after, at each of the three places in a group."""
    for before in range(3):
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        padded = bytes(before) + raw
        yield f"base64 of {name} after {before}", base64.b64encode(padded)[first:last]
        yield f"base64url of {name} after {before}", base64.urlsafe_b64encode(padded)[first:last]


def everything_kept(cloud: LocalCloud) -> Exposure:
    """All documents of both databases, all that went to the doors by task, job and push, and every log."""
    settings = cloud.settings()
    databases = {name: _documents(cloud, name) for name in (settings.database, settings.keysets_database)}
    logs = sorted(cloud.home.log("doors").parent.iterdir())
    return Exposure(
        {
            **{f"firestore {name}": raw for name, raw in databases.items()},
            "tasks, jobs and pushes": b"\n".join(_carried(cloud)),
            **{f"log {path.name}": path.read_bytes() for path in logs},
        }
    )


def _documents(cloud: LocalCloud, database: str) -> bytes:
    """Every document of a database as the wire carries it: names, strings and bytes lie in it as they are."""
    settings = cloud.settings()
    root = f"projects/{settings.project}/databases/{database}"
    everything = {"from": [{"all_descendants": True}]}
    metadata = [("authorization", "Bearer owner"), ("google-cloud-resource-prefix", root)]
    transport = FirestoreGrpcTransport(channel=channel(settings.firestore_endpoint))
    with FirestoreClient(transport=transport) as client:
        answers = client.run_query(
            request={"parent": f"{root}/documents", "structured_query": everything}, metadata=metadata, timeout=60
        )
        found = [Document.serialize(answer.document) for answer in answers if answer.document.name]
    assert found, f"the database {database} is empty"
    return b"\n".join(found)


def _carried(cloud: LocalCloud) -> Iterator[bytes]:
    calls: list[dict[str, Any]] = json.loads(fetch(f"{cloud.services_url}/admin/bodies") or b"{}")["calls"]
    for call in calls:
        body = base64.b64decode(call["body"])
        yield from (json.dumps([call["url"], call["headers"]]).encode(), body)
        if "/issue_receipt" in call["url"]:
            yield base64.b64decode(json.loads(body)["message"]["data"])
