"""Token healing by text alone, for servers whose tokenizer we do not have. Pure.

Text that ends inside a word is tokenized unlike anything the model has seen. So its last
piece is taken out of the prompt, and the answer has to begin with it.
"""

import re
from collections.abc import Sequence

_LAST_PIECE = re.compile(
    r"""(?: (?:_|[^\r\n\w])? [^\W\d_]+  # letters, with the one character that tokens join to them
      |    \d+
      |    _+
      | \ ?[^\s\w]+                # punctuation, with its leading blank
      |    [\ \t]+ )\Z""",
    re.VERBOSE,
)
_LONGEST = 64  # characters; each may cost a token to say again


def cut(forced: str) -> tuple[str, str]:
    """What stays in the prompt, and the fragment that the answer has to begin with."""
    found = _LAST_PIECE.search(forced, max(0, len(forced) - _LONGEST))
    start = found.start() if found else len(forced)
    return forced[:start], forced[start:]


def grammar(fragment: str) -> str:
    """A GBNF grammar: the fragment, then anything."""
    quoted = "".join(_QUOTED.get(character, character) for character in fragment)
    return f'root ::= "{quoted}" [^\\x00]*'


_QUOTED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def harmless(stops: Sequence[str], fragment: str) -> tuple[str, ...]:
    """The stop strings that saying the fragment can't set off, not even in part."""
    return tuple(
        stop
        for stop in stops
        if stop not in fragment
        and not any(fragment.endswith(stop[:length]) for length in range(1, len(stop)))
    )
