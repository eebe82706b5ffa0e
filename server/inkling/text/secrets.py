"""What must never reach the index or a prompt: files that hold secrets, and secrets inside of code.

Pure. Invariants: line breaks outside of PEM blocks stay, quotes stay, and redacting twice
gives what redacting once gave. It leans towards leaving code alone: names, paths, hashes in
hexadecimal, lock files and long data stay as they are. Where a name says that a value is secret,
far less is enough than where only its randomness does.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import pairwise

from inkling.text import secret_paths

REDACTED = "REDACTED"

is_secret_path = secret_paths.is_secret_path

Span = tuple[int, int]

_RUN = 16  # characters; a shorter unbroken run of letters and digits is never judged
_SHORTEST, _LONGEST = 20, 120  # of a whole token; what is longer is data, not a key

# Letters and digits to "x", all else to a blank: a run is then found by searching for a constant,
# which is many times as fast as a regular expression.
_CLASSES = bytes(
    ord("x") if chr(code).isalnum() and code < 128 else ord(" ") for code in range(256)
)
_SHAPES = str.maketrans(
    {
        **{chr(code): "l" for code in range(ord("a"), ord("z") + 1)},
        **{chr(code): "U" for code in range(ord("A"), ord("Z") + 1)},
        **{chr(code): "d" for code in range(ord("0"), ord("9") + 1)},
    }
)
_LOWER = str.maketrans({chr(code): chr(code + 32) for code in range(ord("A"), ord("Z") + 1)})

_TOKEN_BEFORE = re.compile(r"[\w+/=-]*\Z", re.ASCII)
_TOKEN_AFTER = re.compile(r"[\w+/=-]*", re.ASCII)
_WORD = re.compile(r"[a-z]{4,}|[A-Z]{5,}")
_SHORT_WORD = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{5,}")
_NOT_HEX = re.compile(r"[g-zG-Z]")
# What keys are made of. A path starts otherwise, and a regular expression has brackets.
_KEY_LIKE = re.compile(r"(?!\.{0,2}/)[^\s\[\](){}\\]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
# A digest of something public, or data that says so.
_PUBLIC = re.compile(
    r"(?:sha-?(?:1|2|224|256|384|512)|md5|blake[23]\w?|h1|base64,|/nix/store|ssh-\w+)[-_:=,/ ]*\Z",
    re.IGNORECASE,
)
_PUBLIC_START = re.compile(r"(?:sha(?:1|224|256|384|512)|md5)[-_]|AAAA[BCE]3NzaC", re.IGNORECASE)

# Shapes that issuers chose so that they can be found. Each with a literal to look for.
_SHAPED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (literal, re.compile(pattern, re.ASCII))
    for literal, pattern in (
        ("gh", r"gh[pousr]_[A-Za-z0-9]{20,255}"),
        ("github_pat_", r"github_pat_\w{22,255}"),
        ("glpat-", r"glpat-[\w.-]{20,}"),
        ("A", r"A(?:KI|SI|RO|ID|NP|NV)A[A-Z0-9]{16}(?![A-Za-z0-9])"),
        ("AIza", r"AIza[\w-]{35}"),
        ("sk", r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}"),
        ("sk-", r"sk-(?:[a-z0-9]{2,10}-)*[A-Za-z0-9_-]{20,}"),
        ("xox", r"xox[a-z]-[A-Za-z0-9-]{10,}"),
        ("xapp-", r"xapp-[A-Za-z0-9-]{10,}"),
        ("eyJ", r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)*"),
        ("npm_", r"npm_[A-Za-z0-9]{36}"),
        ("pypi-AgE", r"pypi-AgE[\w-]{16,}"),
        ("hf_", r"hf_[A-Za-z0-9]{30,}"),
        ("SG.", r"SG\.[\w-]{16,}\.[\w-]{16,}"),
        ("ya29.", r"ya29\.[\w-]{20,}"),
        ("shpat_", r"shpat_[0-9a-fA-F]{32}"),
        ("dop_v1_", r"dop_v1_[0-9a-f]{64}"),
        ("whsec_", r"whsec_[A-Za-z0-9+/]{20,}=*"),
        ("hvs.", r"hvs\.[\w-]{20,}"),
        ("dckr_pat_", r"dckr_pat_[\w-]{20,}"),
        ("AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
        ("hooks.slack.com/", r"hooks\.slack\.com/services/[\w/]{20,}"),
    )
)
# Those whose first letters are too common to look for are found by their long run.
_OF_RUNS = tuple(pattern for literal, pattern in _SHAPED if len(literal) < 3)
_BY_LITERAL = tuple((literal, pattern) for literal, pattern in _SHAPED if len(literal) >= 3)

_ARMOUR = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")
# What is left of a block that was cut off: lines of base64, quoted or commented as code does it.
_ARMOURED = re.compile(
    r"(?:[\s\"'#/*+,;\\nr]*[A-Za-z0-9+/=:-]{20,})+[\s\"'#/*+,;\\nr]*[A-Za-z0-9+/]*=*"
)

_URL = re.compile(r"://([^\s/:@\"'`<>]{0,100}):([^\s/@\"'`<>]{1,200})@")
_HEADER = re.compile(r"(?i:\b(?:bearer|basic)\s+)([\w+/=.~-]{16,})", re.ASCII)

_STRONG = ("password", "passwd", "passphrase", "pwd")
_WEAK = (
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "accesskey",
    "access-key",
    "private_key",
    "privatekey",
    "auth_key",
    "authkey",
    "credential",
    "secret_key",
    "signing_key",
    "encryption_key",
)
# From the secret word to the value: the rest of the name, a closing quote, a type, an operator.
_ASSIGNED = re.compile(
    r"[a-zA-Z]?(?:_?(?:key|value|hash|base|\d)){0,3}[\"'`\])]{0,2}[ \t]*"
    r"(?::[ \t]*[A-Za-z_][\w.&<>\[\]|? ]{0,40}?[ \t]*(?==[^=>]))?"
    r"(?::=|=>|=(?!=)|:(?!:)|(?P<listed>,))[ \t]*"
    r"(?:[bBrRuUfFL@]{0,2}(?P<quote>\"{3}|'{3}|[\"'`])(?P<quoted>[^\r\n]{4,400}?)(?P=quote)"
    r"|(?P<bare>[^\s\"'`,;(){}\[\]<>]{8,400})(?=[ \t]*(?:[\r\n#]|\Z)))",
    re.ASCII,
)
# A reference to the secret, or a place for one, instead of the secret.
_PLACEHOLDER = re.compile(
    r"[$%]?\{|\$\(|\$[A-Za-z_]|%[sd(]|%[A-Z_]+%|<|\.\.\.|\*{3}|x{4}|\bx{3}\b|your[-_ ]|\bexample\b"
    r"|REDACTED|change_?me|placeholder|process\.env|environ|://",
    re.IGNORECASE,
)
_NAMES_ONE = re.compile(r"pass|secret|token|key|credential|auth|login|pwd", re.IGNORECASE)


def redact(text: str) -> str:
    """`text` with each secret replaced by `REDACTED`; the same object where there is none.

    Takes some 30 ms for a megabyte of ordinary code. Never raises.
    """
    spans = sorted(
        (*_random(text), *_shaped(text), *_armoured(text), *_assigned(text), *_in_urls(text))
    )
    if not spans:
        return text
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        if start >= done:
            pieces += text[done:start], REDACTED
        done = max(done, end)
    return "".join((*pieces, text[done:]))


def _random(text: str) -> Iterator[Span]:
    """Tokens around long runs of letters and digits that no person has written."""
    classes = text.encode("latin-1", "replace").translate(_CLASSES)
    wanted = b"x" * _RUN
    start = classes.find(wanted)
    while start >= 0:
        end = classes.find(b" ", start)
        end = len(text) if end < 0 else end
        run = text[start:end]
        if not run.isalpha() and len(run) <= _LONGEST:
            yield from _judged(text, start, end)
        start = classes.find(wanted, end)


def _judged(text: str, start: int, end: int) -> Iterator[Span]:
    before = _TOKEN_BEFORE.search(text, max(start - _LONGEST, 0), start)
    after = _TOKEN_AFTER.match(text, end, end + _LONGEST)
    left = before.start() if before else start
    right = after.end() if after else end
    for pattern in _OF_RUNS:
        if found := pattern.search(text, left, right):
            yield found.span()
            return
    if not _is_random(text[start:end]):
        return
    token = text[left:right]
    if "/" in token and any(_wordy(part) for part in token.split("/")):
        # A path or an address: only this one part of it is random.
        left += token.rfind("/", 0, start - left) + 1
        cut = text.find("/", end, right)
        right = right if cut < 0 else cut
        token = text[left:right]
    if not _SHORTEST <= len(token) <= _LONGEST or _is_public(text, left, token):
        return
    # `name=value` without blanks is one token to the search; the name stays.
    sign = token.rstrip("=").rfind("=", 0, start - left)
    yield left + sign + 1, right


def _is_random(run: str) -> bool:
    """Whether letters and digits are mixed as chance mixes them, and not as names do.

    Hexadecimal does not count: it is nearly always a digest or a constant.
    """
    length = len(run)
    if len(_NOT_HEX.findall(run)) < 0.35 * length or len(set(run)) < 10:
        return False
    shape = run.translate(_SHAPES)
    digits = shape.count("d")
    changes = sum(one != other for one, other in pairwise(shape)) / (length - 1)
    # Chance makes a word now and then; more is allowed where all else speaks for it.
    if digits < 3:
        word, most = _SHORT_WORD, 0.45
    else:
        word, most = _WORD, 0.45 if digits > 3 and changes >= 0.5 else 0.3
    if not digits or sum(map(len, word.findall(run))) > most * length:
        return False
    if "l" in shape and "U" in shape:
        return changes >= 0.4
    # Without capitals, or with nothing else, there are fewer changes, and names come closer.
    return changes >= 0.28 and digits >= 3 and length >= (20 if "l" in shape else 28)


def _wordy(part: str) -> bool:
    return len(part) >= 3 and sum(map(len, _WORD.findall(part))) >= 0.5 * len(part)


def _is_public(text: str, start: int, token: str) -> bool:
    if _PUBLIC_START.match(token) or _PUBLIC.search(text, max(start - 16, 0), start):
        return True
    if len(token) % 4 or not _BASE64.fullmatch(token):
        return False
    try:
        decoded = base64.b64decode(token, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return False
    return decoded.isprintable()


def _shaped(text: str) -> Iterator[Span]:
    for literal, pattern in _BY_LITERAL:
        start = text.find(literal)
        while start >= 0:
            found = pattern.match(text, start)
            if found and not text[start - 1 : start].isalnum():
                yield found.span()
                start = text.find(literal, found.end())
            else:
                start = text.find(literal, start + len(literal))


def _armoured(text: str) -> Iterator[Span]:
    """What stands between the lines that begin and end a PEM block."""
    start = text.find("-----BEGIN ")
    while start >= 0:
        begin = _ARMOUR.match(text, start)
        if begin is None:
            start = text.find("-----BEGIN ", start + 1)
            continue
        end = text.find(f"-----END {begin[1]}-----", begin.end())
        if end < 0:
            rest = _ARMOURED.match(text, begin.end())
            end = rest.end() if rest else begin.end()
        if text[begin.end() : end].strip(" \t\r\n\\nr\"'+") not in ("", REDACTED):
            yield begin.end(), end
        start = text.find("-----BEGIN ", max(end, begin.end()))


def _assigned(text: str) -> Iterator[Span]:
    """Values of names such as `password`, in quotes or alone at the end of a line."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text.translate(_LOWER)
    for words, judge in ((_STRONG, _is_password), (_WEAK, _is_key)):
        for word in words:
            start = lowered.find(word)
            while start >= 0:
                end = start + len(word)
                found = _ASSIGNED.match(text, end)
                if found:
                    group = "quoted" if found["quote"] else "bare"
                    # Of what merely follows in a list only what looks like one is a secret.
                    listed = found["listed"] and not _is_key(found[group], True)
                    if not listed and judge(found[group], group == "quoted"):
                        yield found.span(group)
                start = lowered.find(word, end)
    for literal in ("bearer ", "basic "):
        start = lowered.find(literal)
        while start >= 0:
            found = _HEADER.match(text, start)
            if found and _is_key(found[1], True):
                yield found.span(1)
            start = lowered.find(literal, start + 1)


def _is_password(value: str, quoted: bool) -> bool:
    """Nearly everything is one, save labels, names of fields and places for a password."""
    if _PLACEHOLDER.search(value) or any(character.isspace() for character in value):
        return False
    if not quoted:
        return _is_bare(value)
    if any(character.isdigit() for character in value):
        return True
    return not (_is_name_of_one(value) or value.istitle() or value in ("string", "text", "null"))


def _is_name_of_one(value: str) -> bool:
    """`user_password`, as examples and field names have it."""
    return bool(_NAMES_ONE.search(value)) and not any(character.isdigit() for character in value)


def _is_key(value: str, quoted: bool) -> bool:
    """A key has digits among its letters. `token = "comment.line"` is a word of some grammar."""
    if len(value) < 8 or _PLACEHOLDER.search(value) or not value.isascii():
        return False
    if not _KEY_LIKE.fullmatch(value):
        return False
    digits = sum(character.isdigit() for character in value)
    letters = sum(character.isalpha() for character in value)
    return digits >= 2 and letters >= 2 and (quoted or _is_bare(value))


def _is_bare(value: str) -> bool:
    """Without quotes it may also be a type or a call: only what is no identifier of a kind."""
    return (
        any(character.isdigit() for character in value)
        and not value[0].isupper()
        and not re.fullmatch(r"[\w]+(?:\.[a-zA-Z_]\w*)+|[a-z]+_[a-z0-9_]+", value, re.ASCII)
    )


def _in_urls(text: str) -> Iterator[Span]:
    start = text.find("://")
    while start >= 0:
        found = _URL.match(text, start)
        if found and not _PLACEHOLDER.search(found[2]) and not _is_name_of_one(found[2]):
            yield found.span(2)
        start = text.find("://", start + 3)
