"""How the simulated platform misbehaves, each by its probability 0..1."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """Attributes:
    error: a request is answered 500 and not looked at.
    hang: it is not answered for `hang_s`.
    lost: the case is taken, and answered 500.
    forget: a case is gone after it was taken.
    duplicate: a call-back is made twice.
    reorder: a call-back waits until a later one of the same case was made.
    forge: somebody who does not know the secret calls back as well.
    """

    error: float = 0.0
    hang: float = 0.0
    hang_s: float = 1.0
    lost: float = 0.0
    forget: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    forge: float = 0.0


CALM = Faults()
TROUBLED = Faults(error=0.15, hang=0.03, lost=0.15, forget=0.03, duplicate=0.3, reorder=0.3, forge=0.2)
