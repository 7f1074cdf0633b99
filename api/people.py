"""Accounts: who there is, what for, and whether they may come in. For administrators."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, status

from api.access_schemas import DepartmentOut, NewPersonOut
from api.deps import ConnectionDep, PeopleDep, ViewerDep
from api.problems import NotFound, Problem
from governance import access, people, service
from governance.people import Account, NewPerson, Person

router = APIRouter(prefix="/api", tags=["people"])

Name = Annotated[str, Path(max_length=64)]
_REFUSED: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (403, 404, 422)}


@router.get("/people", responses={403: {"model": Problem}})
def list_people(connection: ConnectionDep, _viewer: PeopleDep) -> list[Person]:
    """Every account."""
    return people.people(connection)


@router.post("/people", status_code=status.HTTP_201_CREATED, responses=_REFUSED)
def create_person(body: NewPerson, connection: ConnectionDep, viewer: PeopleDep) -> NewPersonOut:
    """A new account. Its first password is shown in this answer and never again."""
    made, password = people.create(connection, body, viewer.name)
    return NewPersonOut(person=made, password=password)


@router.put("/people/{name}", responses=_REFUSED)
def change_person(name: Name, body: Account, connection: ConnectionDep, viewer: PeopleDep) -> Person:
    """Another role, department or display name, or whether it may come in. Its logins end, unless it is the display
    name alone that changes."""
    changed = people.change(connection, name, body, viewer.name)
    if changed is None:
        raise NotFound(f"no account {name}")
    return changed


@router.post("/people/{name}/password", responses=_REFUSED)
def reset_password(name: Name, connection: ConnectionDep, viewer: PeopleDep) -> NewPersonOut:
    """A new first password, shown in this answer; its logins end."""
    if people.person(connection, name) is None:
        raise NotFound(f"no account {name}")
    password = service.reset_password(connection, name, viewer.name)
    person = people.person(connection, name)
    assert person is not None
    return NewPersonOut(person=person, password=password)


@router.get("/departments")
def list_departments(connection: ConnectionDep, viewer: ViewerDep) -> list[DepartmentOut]:
    """The departments of the pool, as a tree by their paths."""
    mine = set(access.departments(connection, viewer))
    return [
        DepartmentOut(id=one.id, name=one.name, path=list(one.path), mine=one.id in mine)
        for one in access.tree(connection)
    ]
