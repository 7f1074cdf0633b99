"""What one camera's senses remember of its scene from look to look: learnt backgrounds, references, numbers.

It is learnt again where it is lost, so it is kept apart from the state that is spooled with every transition.
"""

from __future__ import annotations


class SceneMemory:
    """Of one camera. Mutable; belongs to the compute thread."""
