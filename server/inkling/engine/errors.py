"""What can go wrong in the engine process, as exceptions with one sentence each."""


class ModelError(Exception):
    """This model cannot do it; the message is one sentence for people."""


class TooLong(ModelError):
    """The prompt exceeds what the context has room for by `by` tokens."""

    def __init__(self, message: str, by: int) -> None:
        super().__init__(message)
        self.by = by


class DecodeFailed(ModelError):
    """llama.cpp failed in the middle of computing: what its context holds now is unknown."""


class NoRoom(Exception):
    """The context has no free cells for what was to be decoded."""
