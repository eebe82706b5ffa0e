"""The completer with a scripted engine: what a keystroke costs and what is shown."""

import asyncio

import msgspec
import pytest

from inkling.config import Settings
from inkling.engine.api import Unavailable
from inkling.engine.script import Rule, Script, StateStep, Step
from inkling.service import turn
from inkling.service.records import CompletionRequest, Selected
from inkling.text.store import Change
from service.editor import URI, let_run

RETURN = Script((Rule(ends_with="def f(a):\n    ", answer="return a + 1\n"),), otherwise="nothing")


async def test_typing_through_asks_the_model_once(open_editor):
    editor = open_editor(RETURN, "def f(a):\n    |\n")
    assert await editor.texts() == ["return a + 1"]
    for count, character in enumerate("return a", start=1):
        editor.type(character)
        assert await editor.texts() == ["return a + 1"[count:]]
        assert editor.completer.why().source == "typed-through"
    assert len(editor.engine.requests) == 1


async def test_a_disagreeing_key_stops_the_model(open_editor):
    slow = Script(
        (
            Rule(
                ends_with="    ",
                answer=(Step("return"), Step(" a\n", gate="never")),
            ),
        ),
        otherwise="nothing",
    )
    editor = open_editor(slow, "def f(a):\n    |\n")
    asking = asyncio.create_task(editor.ask())
    await let_run()
    editor.type("x")
    assert await editor.ask() == ()
    assert await asking == ()
    assert {done.reason for done in editor.engine.finished[:1]} <= {"cancelled", "superseded"}


async def test_a_newer_request_makes_the_older_one_empty(open_editor):
    held = Script((Rule(ends_with="x", answer=(Step(" = 1\n", gate="go"),)),))
    editor = open_editor(held, "x|\n")
    first = asyncio.create_task(editor.ask())
    await asyncio.sleep(0)
    second = asyncio.create_task(editor.ask())
    assert await first == ()
    editor.engine.open_gate("go")
    assert [item.text for item in await second] == [" = 1"]
    assert len(editor.engine.requests) == 1


async def test_what_follows_an_accepted_line_is_already_there(open_editor):
    script = Script(
        (Rule(ends_with="def f(a):\n    ", answer="b = a\n    return b\n"),), otherwise="nothing"
    )
    settings = Settings(max_lines=1)
    editor = open_editor(script, "def f(a):\n    |\n", settings)
    [first] = await editor.ask()
    assert first.text == "b = a"
    editor.completer.accepted(first.id)
    editor.replace(first.start, first.end, first.text)
    asked = len(editor.engine.requests)
    editor.type("\n    ")
    assert await editor.texts() == ["return b"]
    assert len(editor.engine.requests) == asked


async def test_deleted_text_is_not_suggested_again(open_editor):
    script = Script((Rule(ends_with="retu", answer="rn a\n"),), otherwise="nothing")
    editor = open_editor(script, "def f(a):\n    retu|\n")
    assert await editor.texts() == ["rn a"]
    editor.backspace(2)
    assert await editor.texts() == []


async def test_a_key_does_not_move_the_prompt(open_editor):
    editor = open_editor(Script(otherwise="nothing"), "a = 1\n\ndef f(a):\n    |\n\nlast = 1\n")
    for character in "value":
        editor.type(character)
        await editor.ask()
    heads = {request.head for request in editor.engine.requests}
    assert len(heads) == 1
    assert [request.forced for request in editor.engine.requests][-1] == "    value"


async def test_windows_line_ends_reach_neither_prompt_nor_comparison(open_editor):
    script = Script((Rule(ends_with="def f(a):\n    ", answer="b = a\n    return b\n"),))
    editor = open_editor(script, "def f(a):\r\n    |\r\n")
    assert await editor.texts() == ["b = a\r\n    return b"]
    assert all("\r" not in str(piece) for piece in editor.engine.requests[0].head)
    editor.type("b = a")
    editor.replace(editor.cursor, editor.cursor, "\r\n    ")
    assert await editor.texts() == ["return b"]


async def test_the_selected_entry_of_the_list_is_part_of_the_suggestion(open_editor):
    script = Script((Rule(ends_with="os.path", answer=".join(a)\n"),), otherwise="nothing")
    editor = open_editor(script, "x = os.pa|\n")
    start = editor.cursor - 2
    [item] = await editor.ask(selected=Selected(start, editor.cursor, "path"))
    assert (item.text, item.start, item.end) == ("path.join(a)", start, editor.cursor)


async def test_the_selected_entry_is_a_whole_word(open_editor):
    script = Script((Rule(ends_with="os.path", answer="lib.Path()\n"),), otherwise="nothing")
    editor = open_editor(script, "x = os.pa|\n")
    start = editor.cursor - 2
    assert await editor.ask(selected=Selected(start, editor.cursor, "path")) == ()


async def test_a_line_that_opens_a_block_is_shown_with_it(open_editor):
    script = Script((Rule(ends_with="f()", answer=" {\n    return 1;\n}\n"),))
    editor = open_editor(script, "int f()|\n")
    editor.store.open(URI, "c", 1, editor.document.text())
    assert await editor.texts() == [" {\n    return 1;\n}"]


async def test_line_ends_of_the_model_do_not_reach_the_document(open_editor):
    script = Script((Rule(ends_with="f():\n    ", answer="a = 1\r\n    b = 2\r\n"),))
    editor = open_editor(script, "def f():\n    |\n")
    assert await editor.texts() == ["a = 1\n    b = 2"]


async def test_a_model_that_starts_to_chat_is_stopped(open_editor):
    steps = (Step("a = 1\n"), Step("```\n"), Step("This code", gate="never"))
    script = Script((Rule(ends_with="f():\n    ", answer=steps),), otherwise="nothing")
    editor = open_editor(script, "def f():\n    |\n")
    assert await editor.texts() == ["a = 1"]
    await let_run()
    assert [done.reason for done in editor.engine.finished] == ["cancelled"]


async def test_several_candidates_when_invoked(open_editor):
    script = Script(
        (Rule(ends_with="x = ", answer="1\n", alternatives=("2\n", "1\n")),), otherwise="nothing"
    )
    editor = open_editor(script, "x = |\n")
    assert await editor.texts(invoked=True, max_items=3) == ["1", "2"]


async def test_a_candidate_that_has_ended_is_not_waited_for(open_editor, monkeypatch):
    for name in ("FURTHER_INVOKED_MS", "BUDGET_MS"):
        monkeypatch.setattr(turn, name, 60_000)
    goes_on = (Step("1\n"), Step("y = 3", gate="never"))
    script = Script((Rule(ends_with="x = ", answer=goes_on, alternatives=("2",)),))
    editor = open_editor(script, "x = |\n")
    async with asyncio.timeout(30):
        assert await editor.texts(invoked=True, max_items=2) == ["1", "2"]


async def test_what_stands_for_a_secret_is_not_suggested(open_editor):
    script = Script((Rule(ends_with="password = ", answer='"REDACTED"\n'),), otherwise="nothing")
    editor = open_editor(script, "password = |\n")
    assert await editor.texts() == []
    assert "secret" in editor.completer.why().reason
    written = open_editor(script, "# REDACTED means gone\npassword = |\n")
    assert await written.texts() == ['"REDACTED"']


async def test_an_editor_that_gives_up_gets_its_answer_in_time(open_editor):
    script = Script((Rule(ends_with="x", answer=(Step(" = 1"), Step("2\n", gate="never"))),))
    editor = open_editor(script, "x|\n")
    assert await editor.texts(patience_ms=150) == [" = 1"]


async def test_without_a_model_the_reason_is_told(open_editor):
    gone = Script(states=(StateStep(Unavailable("No model is installed: run inkling pull.")),))
    editor = open_editor(gone, "x = |\n")
    assert await editor.texts() == []
    assert editor.completer.why().reason == "No model is installed: run inkling pull."


@pytest.mark.parametrize(
    ("text", "reason"),
    [("x = " + "1" * 3_000 + "|\n", "too long"), ("\0\0x|\n", "not a text file")],
)
async def test_places_where_nothing_is_suggested(open_editor, text, reason):
    editor = open_editor(Script(), text)
    assert await editor.texts() == []
    assert reason in editor.completer.why().reason
    assert editor.engine.requests == []


async def test_an_engine_that_fails_is_an_empty_answer(open_editor):
    script = Script((Rule(ends_with="x", error="the engine stopped unexpectedly"),))
    editor = open_editor(script, "x|\n")
    assert await editor.texts() == []
    assert "stopped unexpectedly" in editor.completer.why().reason


async def test_thirteen_short_lines_below_the_anchor_are_no_error(open_editor):
    editor = open_editor(Script(), "def f(a):\n    |\n")
    await editor.ask()
    for _ in range(13):
        editor.type("a = 1\n    ")
    assert await editor.texts() is not None
    assert editor.completer.why().reason != "Nothing has been asked for yet."


async def test_half_a_line_of_a_run_on_is_asked_for_again(open_editor):
    first = Rule(ends_with="f():\n    ", answer="a = 1\n    b = so", reason="length")
    script = Script((Rule(ends_with="a = 1\n    b = ", answer="something\n"), first))
    editor = open_editor(script, "def f():\n    |\n")
    assert await editor.texts() == ["a = 1"]
    editor.type("a = 1\n    b = ")
    assert await editor.texts() == ["something"]


async def test_another_documents_key_does_not_cut_an_answer_short(open_editor):
    script = Script((Rule(ends_with="x", answer=(Step(" = 1"), Step("2\n", gate="go"))),))
    editor = open_editor(script, "x|\n")
    other = "file:///project/other.py"
    editor.store.open(other, "python", 1, "y\n")
    await editor.completer.complete(
        CompletionRequest(editor.store.snapshot(other), 0, patience_ms=60)
    )
    asking = asyncio.create_task(editor.ask())
    await let_run()
    edits = editor.store.change(other, 2, [Change("z", (0, 0, 0, 0))])
    editor.completer.changed(editor.store.snapshot(other), edits)
    editor.engine.open_gate("go")
    assert [item.text for item in await asking] == [" = 12"]


async def test_a_bracket_the_editor_closes_by_itself_agrees(open_editor):
    script = Script(
        (Rule(ends_with="x = ", answer=(Step("foo("), Step("bar)\n", gate="go"))),),
        otherwise="nothing",
    )
    editor = open_editor(script, "x = |\n")
    asking = asyncio.create_task(editor.ask())
    await let_run()
    editor.type("foo")
    editor.replace(editor.cursor, editor.cursor, "()")
    editor.cursor -= 1
    answer = asyncio.create_task(editor.ask())
    await let_run()
    editor.engine.open_gate("go")
    assert [item.text for item in await answer] == ["bar"]
    assert await asking == ()
    assert len(editor.engine.requests) == 1


async def test_stats_are_known_of_a_generation_that_had_enough_lines(open_editor):
    many = "".join(f"line{number} = {number}\n    " for number in range(30))
    script = Script((Rule(ends_with="f():\n    ", answer=many),), otherwise="nothing")
    editor = open_editor(script, "def f():\n    |\n", Settings(max_lines=2))
    assert await editor.texts()
    await let_run()
    assert editor.completer.why().stats is not None


async def test_a_prompt_that_was_too_long_is_made_shorter(open_editor):
    text = "".join(f"{number}, " * 8 + "\n" for number in range(400))
    script = Script((Rule(ends_with="x", error="the prompt does not fit"),))
    editor = open_editor(script, text + "x|\n")
    await editor.ask()
    running = editor.completer._generator.running
    assert running is not None
    assert running.done is not None
    running.receipt.done = msgspec.structs.replace(running.done, too_long_by=10)
    editor.completer._generator._anchors.learn(URI, running.done)
    editor.type("x")
    await editor.ask()
    first, second = editor.engine.requests
    assert len(second.head[1]) < 0.7 * len(first.head[1])


async def test_the_idle_move_waits_for_the_run_on(open_editor, monkeypatch):
    monkeypatch.setattr("inkling.service.ahead.IDLE_S", 0.01)
    rule = Rule(ends_with="f():\n    ", answer=(Step("a = 1\n"), Step("    b", gate="go")))
    editor = open_editor(Script((rule,), otherwise="nothing"), "def f():\n    |\n")
    assert await editor.texts() == ["a = 1"]
    editor.type("a = 1\n    ")
    asking = asyncio.create_task(editor.ask())
    await let_run()
    editor.engine.open_gate("go")
    await asking
    async with asyncio.timeout(5):
        while not editor.engine.requests[-1].background:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_closing_the_document_stops_its_generation(open_editor):
    script = Script((Rule(ends_with="x", answer=(Step(" = 1\n", gate="never"),)),))
    editor = open_editor(script, "x|\n")
    asking = asyncio.create_task(editor.ask())
    await let_run()
    editor.completer.closed(URI)
    assert await asking == ()


async def test_lines_that_are_shown_stay_while_the_first_is_typed(open_editor):
    lines = Script(
        (Rule(ends_with="def f(a):\n    ", answer="b = a + 1\n    return b\n"),),
        otherwise="nothing",
    )
    editor = open_editor(lines, "def f(a):\n    |\n")
    assert await editor.texts() == ["b = a + 1\n    return b"]
    for count, character in enumerate("b = a + 1\n    re", start=1):
        editor.type(character)
        assert await editor.texts() == ["b = a + 1\n    return b"[count:]]
    assert len(editor.engine.requests) == 1


async def test_lines_that_are_shown_are_not_waited_for_again(open_editor, monkeypatch):
    steps = (Step("b = a + 1\n"), Step("    c = b\n"), Step("    return c", gate="go"))
    script = Script((Rule(ends_with="def f(a):\n    ", answer=steps),), otherwise="nothing")
    editor = open_editor(script, "def f(a):\n    |\n")
    assert await editor.texts() == ["b = a + 1\n    c = b"]
    monkeypatch.setattr("inkling.service.turn.FURTHER_LINES_MS", 3_600_000)
    editor.type("b")
    async with asyncio.timeout(5):
        assert await editor.texts() == [" = a + 1\n    c = b"]  # the rest comes with a later key
    editor.engine.open_gate("go")
