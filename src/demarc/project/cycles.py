"""How often a process that works on thousands looks for objects that only refer to one another. Knows no work."""

import gc

EACH = 50_000
"""New objects between two looks: about what a chunk of accounts is made of, which is free of cycles."""


def look_seldom() -> None:
    """Once, when the process has imported what it needs: what is there now stays, and is not looked at again.

    Without it a fifth of a run's time goes to looking at Django's own objects and at rows that hold no cycle.
    """
    gc.freeze()
    gc.set_threshold(EACH, 20, 20)
