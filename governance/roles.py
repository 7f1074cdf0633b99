"""What each role may do. One table; who may see which object is asked elsewhere (`governance.access`)."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What somebody's account is for."""

    ADMIN = "admin"
    OPERATOR = "department_operator"  # subscribes for a department, handles its cases, decides on its cameras
    DISPATCHER = "dispatcher"  # the dispatch centre (指挥中心)
    INVESTIGATOR = "investigator"
    ENGINEER = "algorithm_engineer"
    AUDITOR = "auditor"  # what was done, and in numbers; no footage


class Right(StrEnum):
    """What can be allowed to a role, whatever it is done to."""

    SEE = "see"  # cameras, events, evidence, live pictures: of one's own department and as granted
    COUNT = "count"  # numbers of everything, without any of it
    ZONES = "zones"  # draw the zones of one's own cameras
    SUBSCRIBE = "subscribe"  # what one's department is told, and its silences
    HANDLE = "handle"  # cases, as the department that has them
    DISPATCH = "dispatch"  # cases, as the centre
    ASK = "ask"  # for access to another department's cameras
    DECIDE = "decide"  # on what others ask of one's own department
    UNMASK = "unmask"  # see faces and plates of bystanders, for a purpose, and take evidence out
    HOLD = "hold"  # keep evidence from being deleted, and let it go again
    JUDGE = "judge"  # say of events whether they are real, and what was missed
    LABEL = "label"  # pictures: what was said of events as candidates, and what others labelled
    PROMOTE = "promote"  # let a version of an algorithm onto cameras, and take it back
    PEOPLE = "people"  # accounts
    AUDIT = "audit"  # the audit log
    OPERATE = "operate"  # how the system itself is doing


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.ADMIN: frozenset(Right),
    Role.OPERATOR: frozenset(
        {
            Right.SEE,
            Right.ZONES,
            Right.SUBSCRIBE,
            Right.HANDLE,
            Right.ASK,
            Right.DECIDE,
            Right.UNMASK,
            Right.JUDGE,
            Right.OPERATE,
        }
    ),
    Role.DISPATCHER: frozenset(
        {Right.SEE, Right.SUBSCRIBE, Right.DISPATCH, Right.ASK, Right.HOLD, Right.JUDGE, Right.OPERATE}
    ),
    Role.INVESTIGATOR: frozenset({Right.SEE, Right.ASK, Right.UNMASK, Right.HOLD, Right.JUDGE}),
    # Nobody judges what they have made: engineers take the verdicts of others as labels.
    Role.ENGINEER: frozenset({Right.SEE, Right.ZONES, Right.ASK, Right.LABEL, Right.OPERATE}),
    Role.AUDITOR: frozenset({Right.COUNT, Right.AUDIT}),
}

NEEDS_DEPARTMENT = frozenset({Role.OPERATOR, Role.DISPATCHER, Role.INVESTIGATOR, Role.ENGINEER})
"""Roles that act as a department: what they see follows from it."""
