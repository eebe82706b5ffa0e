"""What can go wrong in the engine process, as exceptions with one sentence each."""


class ModelError(Exception):
    """This model cannot do it; the message is one sentence for people."""


class NoRoom(Exception):
    """The context has no free cells for what was to be decoded."""
