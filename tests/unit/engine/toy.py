"""A toy vocabulary and tokenizer: every byte is a token, and so are some words."""

from inkling.engine.vocabulary import Vocabulary, vocabulary

WORDS = (
    *(
        b"self",
        b" self",
        b".",
        b".fo",
        b".foo",
        b"foo",
        b"_bar",
        b"(x",
        b")",
        b" ",
        b"  ",
        b"print",
    ),
    *(
        b"pri",
        b"nt",
        b"return",
        b" return",
        b"re",
        b"turn",
        b"x",
        b" x",
        b"\n",
        "é".encode(),
        b"==",
    ),
)
PIECES = (*(bytes((value,)) for value in range(256)), *WORDS, b"", b"<|mark|>")
EMPTY = len(PIECES) - 2
MARK = len(PIECES) - 1


def toy() -> Vocabulary:
    """Bytes and words are text; the empty token and the mark are not."""
    return vocabulary(PIECES, range(EMPTY))


def token(piece: bytes) -> int:
    """The id of a word, or of a single byte that is no word."""
    return toy().ids[piece]


def tokenize(text: bytes) -> list[int]:
    """Longest match first."""
    known = toy()
    tokens = []
    while text:
        size = max(n for n in range(1, known.longest + 1) if text[:n] in known.ids)
        tokens.append(known.ids[text[:size]])
        text = text[size:]
    return tokens


def joined(tokens: list[int]) -> bytes:
    return b"".join(PIECES[token] for token in tokens)
