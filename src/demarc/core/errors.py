"""The two kinds of trouble that are not bugs. Knows nothing of who shows or retries them."""


class Refused(Exception):
    """A person asked for something that cannot be done; show them why and what to do.

    `field` names the input at fault, if one is; `code` is a stable word for programs; `holder` is (kind, id)
    of what stands in the way, e.g. ("service", 12) for an address that is already taken, so that a page can
    link to it.
    """

    def __init__(
        self, message: str, *, field: str = "", code: str = "refused", holder: tuple[str, int] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code
        self.holder = holder


class Unreachable(Exception):
    """Something outside did not answer; try again later with back-off."""
