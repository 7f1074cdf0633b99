"""Who reads a page about one thing: a line of the audit chain, once in a while for each session and thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import BackgroundTasks, Depends
from sqlalchemy import Connection

from api.deps import DoorsDep, UserDep
from api.readings import Readings
from governance import audit
from governance.types import User


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever asks, and what of theirs was noted of late."""

    user: User
    readings: Readings
    after: BackgroundTasks

    def reads(self, connection: Connection, action: str, what: dict[str, str | int]) -> None:
        """Notes it in the transaction that reads, where the same session did not read the same in the last minutes; a
        page that is refreshed by itself is one reading."""
        told = f"{action} {sorted(what.items())}"
        if self.readings.due(self.user, told):
            audit.record(connection, self.user.name, action, what)
            self.after.add_task(self.readings.noted, self.user, told)  # once the line is committed


def get_reader(doors: DoorsDep, user: UserDep, after: BackgroundTasks) -> Reader:
    """The one who calls this door."""
    return Reader(user, doors.readings, after)


ReaderDep = Annotated[Reader, Depends(get_reader)]
