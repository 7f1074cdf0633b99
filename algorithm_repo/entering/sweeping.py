"""What was kept for a version that never came: whoever kept it was killed before the ledger had its line."""

from __future__ import annotations

import logging

from sqlalchemy import Connection

from algorithm_repo.registry import ledger, service
from store.objects import ObjectStore

_log = logging.getLogger(__name__)

ROOMS = ("networks", "reports", "evaluations", "cards")
_HASH = 64


def sweep(connection: Connection, objects: ObjectStore) -> list[str]:
    """Deletes networks, reports, evaluations and cards that neither a version nor a line of the ledger names.

    Whoever keeps one holds the ledger's lock until its line is written; this takes the same lock, and leaves it to the
    transaction.

    Returns:
        Keys of what is gone.

    Raises:
        ObjectsUnavailable: the object store is away.
    """
    ledger.lock(connection)
    versions = service.listed(connection)
    named = {model.sha256 for version in versions for model in version.models}
    for line in ledger.of_versions(connection, [version.id for version in versions]):
        grounds = line.grounds
        named |= {sha256 for sha256 in (grounds.report, grounds.evaluation, grounds.card) if sha256 is not None}
    gone = [key for room in ROOMS for key in objects.keys(room) if key.rpartition("/")[2][:_HASH] not in named]
    for key in gone:
        objects.delete(key)
    if gone:
        _log.warning("%d files of versions that never came are gone: %s", len(gone), ", ".join(gone[:4]))
    return gone
