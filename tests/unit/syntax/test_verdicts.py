"""Judgements that hold for later keys: the same text is not parsed twice, another one is."""

import time

import pytest

from inkling.syntax.gate import judge
from inkling.syntax.judgement import Judgement, unchecked
from inkling.syntax.verdicts import KEPT, Verdicts
from inkling.text.document import Document

from .parses import errors, parsed
from .test_gate import MANY, SINGLE

CASES = [(*case[:3], False) for case in SINGLE] + [(*case[:3], True) for case in MANY]
GOOD = Judgement(4, "", False, 0, 0, True)
KIND = {"multiline": False, "finished": True}


def document(text: str, uri: str = "file:///a.py", language_id: str = "python") -> Document:
    return Document(uri, language_id, 1, text.encode())


@pytest.mark.parametrize(("language", "marked", "inserted", "multiline"), CASES)
def test_what_is_found_without_asking_parses(language, marked, inserted, multiline):
    before, after = marked.split("|")
    kind = {"multiline": multiline, "finished": True}
    deadline = time.monotonic() + 30
    base = parsed(language, (before + after).encode())
    offset = len(before.encode())
    asked = judge(base, offset, inserted, **kind, deadline=deadline)
    known = Verdicts()
    known.note(document(before + after), offset, inserted.encode(), asked, **kind)
    holds = asked.keep > 0 and not asked.errors_after
    for typed in range(len(inserted) + 1):
        at = offset + len(inserted[:typed].encode())
        now = document(before + inserted[:typed] + after)
        rest = inserted[typed:]
        found = known.find(now, at, rest.encode(), **kind)
        if not holds or at >= offset + asked.keep:
            assert found is None
            continue
        assert found is not None and at + found.keep == offset + asked.keep
        shown = rest.encode()[: found.keep] + found.closers.encode()
        whole = now.data[:at] + shown + now.data[at:]
        assert errors(language, whole) == 0


@pytest.mark.parametrize(
    ("text", "offset", "inserted", "kind", "other"),
    [
        ("ab", 1, b"1234b", KIND, {}),  # more than was parsed
        ("ab", 1, b"1235", KIND, {}),  # something else
        ("aa", 1, b"1234", KIND, {}),  # in another text
        ("ab", 1, b"1234", KIND | {"multiline": True}, {}),
        ("ab", 1, b"1234", KIND, {"uri": "file:///b.py"}),
        ("ab", 1, b"1234", KIND, {"language_id": "rust"}),
    ],
)
def test_another_question_is_not_answered(text, offset, inserted, kind, other):
    known = Verdicts()
    known.note(document("ab"), 1, b"1234", GOOD, **KIND)
    assert known.find(document("ab"), 1, b"1234", **KIND) == GOOD
    assert known.find(document(text, **other), offset, inserted, **kind) is None


@pytest.mark.parametrize(
    "judgement",
    [
        unchecked("took too long"),
        Judgement(0, "", False, 0, 0, True),
        Judgement(4, "", False, 1, 1, True),  # the next key's document may have fewer errors
    ],
)
def test_only_a_clean_judgement_is_kept(judgement):
    known = Verdicts()
    known.note(document("ab"), 1, b"1234", judgement, **KIND)
    assert known.find(document("ab"), 1, b"1234", **KIND) is None


def test_the_same_text_with_another_hole_in_it_is_asked_about_anew():
    known = Verdicts()
    # `x = foo(` + `[1, 2], 3` needs a closer; typed, and `1, 2` taken out, it reads the same.
    known.note(
        document("x = foo(\n"), 8, b"[1, 2], 3", Judgement(9, ")", False, 1, 0, True), **KIND
    )
    assert known.find(document("x = foo([, 2], 3\n"), 9, b"1", **KIND) is None


def test_it_forgets():
    known = Verdicts()
    known.note(document("ab"), 1, b"1234", GOOD, **KIND)
    known.forget("file:///a.py")
    assert known.find(document("ab"), 1, b"1234", **KIND) is None
    for number in range(KEPT + 1):
        known.note(document(f"{number:02}"), 1, b"1234", GOOD, **KIND)
    assert known.find(document("00"), 1, b"1234", **KIND) is None
    assert known.find(document("01"), 1, b"1234", **KIND) == GOOD
