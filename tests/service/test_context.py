"""What prompts show of other files: never at a key's cost; with the scripted engine."""

import asyncio
from itertools import pairwise

import pytest

from inkling.config import Settings
from inkling.engine.script import FIM, MODEL, Rule, Script
from inkling.index.snippet import Snippet
from inkling.service.budget import BLOCKS_SHARE, wide_budget
from inkling.service.records import CompletionRequest
from inkling.text.store import Change
from service.editor import URI, let_run, long_file, until

SAYS_ONE = Script((Rule(ends_with="x = ", answer="1\n"),), otherwise="nothing")
OTHER = "file:///project/other.py"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr("inkling.service.ahead.IDLE_S", 0.02)


@pytest.fixture
def patience(monkeypatch):
    """Questions are not given up."""
    monkeypatch.setattr("inkling.service.backdrops.ABANDON_S", 3_600.0)


def snippet(path: str, name: str = "", score: float = 1.0) -> Snippet:
    name = name or path
    text = "".join(f"{name[0]}_{number} = helper_{name[0]}({number})\n" for number in range(5))
    return Snippet(path, 0, len(text), text, f"defines {name[0]}_0", score)


class Source:
    """Gives what it is told to; with a gate, once that is open."""

    def __init__(self, *found: Snippet) -> None:
        self.found: object = found
        self.asked: list[tuple[str, int]] = []
        self.edits: list[str] = []
        self.gate: asyncio.Event | None = None
        self.error: BaseException | None = None
        self.budget = 0

    async def snippets(self, document, offset, *, budget_bytes, deadline_s):
        self.asked.append((document.uri, offset))
        self.budget = budget_bytes
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.found

    def whereabouts(self, uri):
        return "shop", uri.removeprefix("file:///project/")

    def edited(self, document, edits):
        self.edits.append(document.uri)
        if self.error is not None:
            raise self.error


def blocks_in(request) -> list[str]:
    """The paths of the blocks that a prompt shows."""
    head = request.head
    if FIM.repository not in head:
        return []
    files = [text for marker, text in pairwise(head) if marker == FIM.file_separator]
    return [file.partition("\n")[0] for file in files[:-1]]


def is_wide(editor) -> bool:
    return editor.completer._generator._anchors.wide


async def widely(editor) -> None:
    """Ask, and wait until the wide window is there."""
    await editor.ask()
    await until(lambda: is_wide(editor) and not editor.completer.working)


async def test_no_key_waits_for_blocks(open_editor):
    source = Source(snippet("a.py"))
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    assert await editor.texts() == ["1"]
    assert source.asked == [] and blocks_in(editor.engine.requests[0]) == []


async def test_the_wide_prompt_shows_them_as_files_of_the_repository(open_editor):
    source = Source(snippet("a.py", score=2), snippet("lib/b.py"))
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    await widely(editor)
    quick, wide = editor.engine.requests
    first, second = (f"{each.path}\n{each.text}" for each in reversed(source.found))
    assert wide.background and wide.head[:8] == (4, "shop\n", 5, first, 5, second, 5, "module.py\n")
    assert (wide.head[8], *wide.head[10:]) == (1, 2, quick.head[3], 3)
    editor.type("c")
    await editor.ask()
    assert editor.engine.requests[-1].head == wide.head


async def test_a_small_file_is_shown_with_them_too(open_editor):
    editor = open_editor(SAYS_ONE, "x = |\n", source=Source(snippet("a.py")))
    await editor.ask()
    await until(lambda: len(editor.engine.requests) == 2)
    assert [blocks_in(request) for request in editor.engine.requests] == [[], ["a.py"]]


async def test_with_nothing_to_show_no_prompt_is_made_for_it(open_editor):
    source = Source()
    editor = open_editor(SAYS_ONE, "x = |\n", source=source)
    await widely(editor)
    await widely(editor)
    assert len(source.asked) == 1 and len(editor.engine.requests) == 1


async def test_blocks_and_window_share_one_budget(open_editor):
    lines = "".join(f"line_{number} = other_{number}\n" for number in range(400))
    big = Snippet("big.py", 0, len(lines), lines, "similar code", 1.0)
    heads = []
    for source in (None, Source(), Source(snippet("a.py")), Source(big)):
        editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
        await widely(editor)
        heads.append(editor.engine.requests[-1].head)
    total = wide_budget(MODEL).size
    assert source is not None and source.budget == int(total * BLOCKS_SHARE)
    assert heads[0] == heads[1]
    texts = ["".join(piece for piece in head if isinstance(piece, str)) for head in heads]
    assert all(len(text) <= total for text in texts)
    prefixes = [len(head[head.index(FIM.prefix) + 1]) for head in heads]
    assert prefixes[0] > prefixes[2] > prefixes[3]


async def test_typed_lines_leave_the_prompts_beginning_as_it_is(open_editor):
    source = Source(snippet("a.py", score=2), snippet("b.py"))
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    await widely(editor)
    wide = editor.engine.requests[-1]
    source.found = (snippet("z.py"),)
    for number in range(8):
        editor.type(f"{number}\nx = ")
        await widely(editor)
    at = wide.head.index(FIM.prefix) + 1
    later = [request for request in editor.engine.requests if blocks_in(request)]
    assert len({request.head[at] for request in later}) > 4
    for request in later:
        assert request.head[:at] == wide.head[:at]
        assert request.head[at].startswith(wide.head[at])
    assert len(source.asked) == 1


async def test_far_away_others_are_asked_for_and_those_still_wanted_stay_in_front(open_editor):
    source = Source(snippet("a.py"), snippet("b.py", score=2))
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    await widely(editor)
    source.found = (snippet("b.py"), snippet("z.py", score=2))
    line = editor.document.data.index(b"first_100 ")
    editor.replace(line, line, "x = ")
    await editor.ask()
    assert blocks_in(editor.engine.requests[-1]) == []
    await until(lambda: is_wide(editor))
    assert blocks_in(editor.engine.requests[-1]) == ["b.py", "z.py"]
    assert len(source.asked) == 2


async def test_a_line_near_by_keeps_its_blocks_and_asks_nobody(open_editor):
    source = Source(snippet("a.py"))
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    await widely(editor)
    line = editor.document.data.index(b"first_495 ")
    editor.replace(line, line, "x = ")
    await editor.ask()
    assert blocks_in(editor.engine.requests[-1]) == ["a.py"]
    await until(lambda: not editor.completer.working)
    assert len(source.asked) == 1


async def test_another_file_gets_others(open_editor):
    source = Source(snippet("a.py"))
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    await widely(editor)
    source.found = (snippet("z.py"),)
    text = long_file("x = \n")
    editor.store.open(OTHER, "python", 1, text)
    document = editor.store.snapshot(OTHER)
    await editor.completer.complete(CompletionRequest(document, len(text) - 1))
    await until(lambda: is_wide(editor))
    wide = editor.engine.requests[-1]
    assert blocks_in(wide) == ["z.py"] and "other.py\n" in wide.head
    assert [uri for uri, _ in source.asked] == [URI, OTHER]


async def test_a_source_that_does_not_answer_is_given_up(open_editor):
    source = Source(snippet("a.py"))
    source.gate = asyncio.Event()
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    async with asyncio.timeout(5):
        await widely(editor)
    assert len(source.asked) == 1 and blocks_in(editor.engine.requests[-1]) == []


async def test_what_came_too_late_is_asked_for_again(open_editor, monkeypatch):
    monkeypatch.setattr("inkling.service.backdrops.AGAIN_S", 0.0)
    source = Source(snippet("a.py"))
    source.gate = asyncio.Event()
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    await widely(editor)
    source.gate.set()
    editor.type("c")
    await widely(editor)
    assert blocks_in(editor.engine.requests[-1]) == ["a.py"]


@pytest.mark.parametrize("error", [OSError("gone"), asyncio.CancelledError(), ValueError("x")])
@pytest.mark.parametrize("invoked", [False, True])
async def test_a_source_that_fails_costs_nothing_but_blocks(open_editor, error, invoked):
    source = Source(snippet("a.py"))
    source.error = error
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    assert await editor.texts(invoked=invoked) == ["1"]
    await until(lambda: is_wide(editor))
    assert blocks_in(editor.engine.requests[-1]) == []


async def test_an_answer_that_is_no_answer_is_none(open_editor):
    source = Source()
    source.found = "nonsense"
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    await widely(editor)
    assert blocks_in(editor.engine.requests[-1]) == []


async def test_the_source_hears_of_edits_and_typing_survives_it(open_editor):
    source = Source()
    source.error = OSError("gone")
    editor = open_editor(SAYS_ONE, "x |\n", source=source)
    editor.type("= ")
    assert source.edits == [URI, URI]
    assert await editor.texts() == ["1"]


async def test_an_edit_ends_a_question(open_editor, patience):
    source = Source(snippet("a.py"))
    source.gate = asyncio.Event()
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    await editor.ask()
    await until(lambda: source.asked)
    backdrops = editor.completer._generator._backdrops
    assert backdrops.asking
    editor.completer._demand.forget(URI)  # so that the edit alone counts
    editor.type("c")
    assert not backdrops.asking
    source.gate.set()
    await let_run()
    assert len(editor.engine.requests) == 1


async def test_who_asks_by_hand_gets_blocks_at_once(open_editor):
    source = Source(snippet("a.py"))
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    assert await editor.texts(invoked=True) == ["1"]
    assert blocks_in(editor.engine.requests[0]) == ["a.py"]
    await until(lambda: is_wide(editor) and not editor.completer.working)
    assert len(source.asked) == 1 and len(editor.engine.requests) == 1


async def test_who_asks_by_hand_does_not_wait_for_ever(open_editor):
    source = Source(snippet("a.py"))
    source.gate = asyncio.Event()
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    async with asyncio.timeout(5):
        assert await editor.texts(invoked=True) == ["1"]
    assert blocks_in(editor.engine.requests[0]) == []


async def test_a_newer_request_is_not_stopped_by_one_that_still_asks_for_blocks(
    open_editor, patience
):
    source = Source(snippet("a.py"))
    source.gate = asyncio.Event()
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    older = asyncio.create_task(editor.ask(invoked=True))
    await until(lambda: source.asked)
    assert await editor.texts() == ["1"]
    source.gate.set()
    assert await older == ()
    assert not any(request.fresh and not request.background for request in editor.engine.requests)


async def test_who_gives_little_time_is_not_kept_waiting(open_editor):
    source = Source(snippet("a.py"))
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    assert await editor.texts(invoked=True, patience_ms=700) == ["1"]
    assert blocks_in(editor.engine.requests[0]) == []


async def test_other_files_can_be_kept_out(open_editor):
    source = Source(snippet("a.py"))
    off = Settings(workspace_context=False)
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), off, source)
    await widely(editor)
    assert source.asked == []
    editor.completer.settings_changed(Settings(workspace_context=True))
    await widely(editor)
    editor.type("c")
    await editor.ask(invoked=True)
    assert blocks_in(editor.engine.requests[-1]) == ["a.py"]
    editor.completer.settings_changed(off)
    editor.type("d")
    await editor.ask(invoked=True)
    assert blocks_in(editor.engine.requests[-1]) == []


async def test_after_a_restart_of_the_engine_no_key_evaluates_blocks(open_editor):
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=Source(snippet("a.py")))
    await widely(editor)
    editor.completer._generator._anchors.lose()
    editor.type("b")
    await editor.ask()
    assert blocks_in(editor.engine.requests[-1]) == []


@pytest.mark.parametrize(("much", "shown"), [(True, ["y.py", "z.py"]), (False, ["b.py", "a.py"])])
async def test_after_a_long_pause_only_much_better_blocks_are_worth_it(
    open_editor, monkeypatch, much, shown
):
    source = Source(snippet("a.py", score=2), snippet("b.py"))
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    await widely(editor)
    source.found = (snippet("z.py", score=2), snippet("y.py" if much else "a.py"))
    monkeypatch.setattr("inkling.service.backdrops.LONG_PAUSE_S", 0.01)
    editor.type("c")
    await editor.ask()
    await until(lambda: len(source.asked) == 2)
    await until(lambda: not editor.completer.working)
    editor.type("d")
    await editor.ask()
    assert blocks_in(editor.engine.requests[-1]) == shown


async def test_why_names_them_without_their_text(open_editor):
    source = Source(snippet("a|b.py"))
    editor = open_editor(SAYS_ONE, long_file("x = |\n"), source=source)
    await editor.ask(invoked=True)
    why = editor.completer.why()
    assert why.blocks == (("a|b.py", "defines a_0"),)
    assert "| Other files shown | `a\\|b.py`: defines a_0 |" in why.as_markdown()
    assert "helper_" not in why.as_markdown()


async def test_nothing_is_suggested_in_a_secret_file(open_editor):
    source = Source(snippet("a.py"))
    editor = open_editor(SAYS_ONE, "x = |\n", source=source)
    for name in (".env.local", "%2Eenv", "server.pem"):
        uri = f"file:///project/{name}"
        editor.store.open(uri, "plaintext", 1, "x = ")
        request = CompletionRequest(editor.store.snapshot(uri), 4, invoked=True)
        assert await editor.completer.complete(request) == ()
        assert "secret" in editor.completer.why().reason
    assert editor.engine.requests == [] and source.asked == []


async def test_what_is_typed_into_a_secret_file_is_told_to_nobody(open_editor):
    source = Source()
    editor = open_editor(SAYS_ONE, "x = |\n", source=source)
    uri = "file:///project/.env"
    editor.store.open(uri, "plaintext", 1, "KEY=\n")
    edits = editor.store.change(uri, 2, [Change("hunter2", (0, 4, 0, 4))])
    editor.completer.changed(editor.store.snapshot(uri), edits)
    assert source.edits == []


async def test_a_secret_of_the_document_itself_enters_no_prompt(open_editor):
    key = 'password = "hunter2-4711"\n'
    around = f"{key}x = |\n" + key
    rule = Rule(ends_with="x = ", answer="1\ny = 2\n")
    source = Source(snippet("a.py"))
    editor = open_editor(Script((rule,), otherwise="nothing"), long_file(around), source=source)
    assert await editor.texts() == ["1"]
    await until(lambda: is_wide(editor))
    editor.type('1; password = "hunter2-4711"; x = ')
    await editor.ask()
    sent = [(*request.head, request.forced) for request in editor.engine.requests]
    assert len(sent) >= 3
    assert not any("hunter2" in piece for head in sent for piece in head if isinstance(piece, str))


@pytest.mark.parametrize(
    "text",
    [
        'password = "hunter2|-4711"\n',
        'token = "ghp_abcdefghij|klmnopqrstuvwxyz0123456789"\n',
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ|IBADANBgkqhkiG\n-----END PRIVATE KEY-----\n",
    ],
)
async def test_nothing_is_suggested_inside_of_a_secret(open_editor, text):
    editor = open_editor(SAYS_ONE, text)
    assert await editor.ask(invoked=True) == ()
    assert "secret" in editor.completer.why().reason
    assert editor.engine.requests == []


@pytest.mark.parametrize(
    "text", ['x = f("a|b")\n', 'password = "hunter2-4711"; x = |\n', "x = |\n"]
)
async def test_elsewhere_on_the_line_something_is(open_editor, text):
    editor = open_editor(SAYS_ONE, text)
    await editor.ask()
    assert "secret" not in editor.completer.why().reason
    assert editor.engine.requests
