"""What is done for the next key, and that nobody pays for it; with the scripted engine."""

import asyncio

import msgspec
import pytest

from inkling.config import Settings
from inkling.engine.api import Unavailable
from inkling.engine.script import Rule, Script, Step
from inkling.text.store import Change
from service.editor import URI, let_run, long_file, until

THREE = (Step("a = 1\n"), Step("    b = 2\n", delay_ms=120), Step("    return b\n"))


@pytest.mark.parametrize("invoked", [False, True])
async def test_a_superseded_request_starts_nothing_that_stops_the_next(open_editor, invoked):
    rule = Rule(ends_with="f():\n    ", answer=THREE, prompt_delay_ms=30)
    editor = open_editor(Script((rule,), otherwise="nothing"), long_file("def f():\n    |\n"))
    older = asyncio.create_task(editor.ask())
    await let_run()
    assert await editor.texts(invoked=invoked) == ["a = 1\n    b = 2\n    return b"]
    assert await older == ()
    assert editor.engine.finished[-1].reason == "end"


async def test_the_run_on_goes_on_where_no_better_prompt_can_be_made(open_editor):
    steps = (Step("a = 1\n"), Step("    b = 2\n", gate="go"), Step("    c = 3\n"))
    rule = Rule(ends_with="f():\n    ", answer=steps)
    editor = open_editor(Script((rule,), otherwise="nothing"), "def f():\n    |\n")
    assert await editor.texts() == ["a = 1"]
    await until(lambda: editor.completer._generator._anchors.wide)
    editor.engine.open_gate("go")
    await until(lambda: editor.engine.finished)
    assert [done.reason for done in editor.engine.finished] == ["end"]


async def test_candidates_that_do_not_exist_are_not_waited_for(open_editor, monkeypatch):
    monkeypatch.setattr("inkling.service.turn.FURTHER_INVOKED_MS", 3_600_000)
    steps = (Step("1\n"), Step("y = 2", gate="never"))
    script = Script((Rule(ends_with="x = ", answer=steps, alternatives=((Step("2\n"),),)),))
    editor = open_editor(script, "x = |\n", Settings(multiline="never"))
    async with asyncio.timeout(5):
        assert await editor.texts(invoked=True, max_items=3) == ["1", "2"]


async def test_nothing_is_worked_on_for_nobody(open_editor):
    ahead = Rule(ends_with="f():\n", answer="", prompt_delay_ms=60_000)
    rule = Rule(ends_with="f():\n    ", answer="a = 1\n")
    script = Script((rule, ahead), otherwise="nothing")
    editor = open_editor(script, long_file("def f():\n    |\n"))
    editor.completer.settings_changed(Settings(enabled=False))
    assert await editor.ask() == ()
    assert editor.completer._generator._ahead._idle is None

    editor.completer.settings_changed(Settings())
    assert await editor.texts() == ["a = 1"]
    await until(lambda: editor.completer._generator._ahead._warm_up)
    editor.completer.closed(URI)
    await until(lambda: len(editor.engine.finished) == 2)
    assert editor.engine.finished[-1].reason == "cancelled"


async def test_it_is_known_whether_the_model_has_anything_to_do(open_editor):
    ahead = Rule(ends_with="f():\n", answer="", prompt_delay_ms=60)
    rule = Rule(ends_with="f():\n    ", answer=(Step("a = 1\n"), Step("b", gate="go")))
    script = Script((rule, ahead), otherwise="nothing")
    editor = open_editor(script, long_file("def f():\n    |\n"))
    assert not editor.completer.working
    assert await editor.texts() == ["a = 1"]
    assert editor.completer.working, "it runs on, and a wide prompt is to come"
    editor.engine.open_gate("go")
    await until(lambda: not editor.completer.working)
    assert editor.completer._generator._anchors.wide


async def test_nothing_is_to_be_done_for_a_document_that_was_closed(open_editor):
    rule = Rule(ends_with="f():\n    ", answer=(Step("a = 1\n"), Step("b", gate="go")))
    editor = open_editor(Script((rule,), otherwise="nothing"), long_file("def f():\n    |\n"))
    assert await editor.texts() == ["a = 1"]
    editor.completer.closed(URI)
    await until(lambda: editor.engine.finished)
    await let_run()
    assert not editor.completer.working


async def test_who_waits_for_a_document_that_is_closed_is_answered(open_editor):
    rule = Rule(ends_with="f():\n    ", answer=(Step("a", gate="never"),))
    editor = open_editor(Script((rule,), otherwise="nothing"), long_file("def f():\n    |\n"))
    asking = asyncio.create_task(editor.ask())
    await let_run()
    editor.completer.closed(URI)
    assert await asking == ()
    await until(lambda: not editor.completer.working)
    assert len(editor.engine.requests) == 1


async def test_nothing_goes_on_after_the_end(open_editor):
    script = Script((Rule(ends_with="x", answer=(Step(" = 1\n", gate="never"),)),))
    editor = open_editor(script, long_file("x|\n"))
    asking = asyncio.create_task(editor.ask())
    await let_run()
    await editor.completer.close()
    assert await asking == ()
    timer = editor.completer._generator._ahead._idle
    assert timer is None or timer.cancelled()


async def test_after_a_restart_of_the_engine_the_first_prompt_is_a_quick_one(open_editor):
    rule = Rule(ends_with="f():\n    ", answer="a = 1\n")
    editor = open_editor(Script((rule,), otherwise="nothing"), long_file("def f():\n    |\n"))
    assert await editor.texts() == ["a = 1"]
    await until(lambda: editor.completer._generator._anchors.wide)
    state = editor.engine.state
    editor.engine.become(Unavailable("gone"))
    editor.engine.become(msgspec.structs.replace(state))
    editor.type("b")
    await editor.ask()
    quick, wide, again = editor.engine.requests
    assert len(again.head[1]) < len(wide.head[1]) and again.head == quick.head


@pytest.mark.parametrize("text", ["    |x = 1\n", "|x = 1\n", "  |  x = 1\n"])
async def test_nothing_is_put_before_the_code_of_a_line(open_editor, text):
    editor = open_editor(Script((Rule(ends_with="", answer="with a:"),)), text)
    assert await editor.ask() == ()
    assert "before the code" in editor.completer.why().reason


async def test_wanted_lines_are_not_cut_for_a_better_prompt(open_editor):
    slow = (THREE[0], Step("    b = 2\n", delay_ms=500), THREE[2])
    script = Script((Rule(ends_with="f():\n    ", answer=slow),), otherwise="nothing")
    editor = open_editor(script, long_file("def f():\n    |\n"))
    assert await editor.texts() == ["a = 1"]
    await until(lambda: editor.engine.finished)
    assert editor.engine.finished[0].reason == "end"
    assert await editor.texts() == ["a = 1\n    b = 2\n    return b"]


async def test_asking_twice_does_not_lose_what_is_evaluated_ahead(open_editor):
    ahead = Rule(ends_with="second_499\n", answer="", prompt_delay_ms=500)
    script = Script((Rule(ends_with="x = ", answer="1\n"), ahead), otherwise="nothing")
    editor = open_editor(script, long_file("x = |\n"))
    await editor.ask()
    await until(lambda: editor.completer._generator._ahead._warm_up)
    await editor.ask()
    await until(lambda: editor.completer._generator._anchors.wide)
    assert len(editor.engine.requests) == 2


async def test_a_failed_evaluation_ahead_leaves_no_belief_behind(open_editor):
    ahead = Rule(ends_with="second_499\n", answer="", prompt_delay_ms=60_000)
    script = Script((Rule(ends_with="x = ", answer="1\n"), ahead), otherwise="nothing")
    editor = open_editor(script, long_file("x = |\n"))
    await editor.ask()
    generator = editor.completer._generator
    await until(lambda: generator._ahead._warm_up)
    editor.engine._turns.end_all("failed", "the cache is gone")
    await until(lambda: generator._ahead._warm_up is None)
    assert generator._anchors.present is None


async def test_an_edit_elsewhere_does_not_stop_what_is_done_at_rest(open_editor):
    editor = open_editor(
        Script((Rule(ends_with="x = ", answer="1\n"),), otherwise="nothing"),
        long_file("x = |\n"),
    )
    other = "file:///project/other.py"
    editor.store.open(other, "python", 1, "y\n")
    await editor.ask()
    edits = editor.store.change(other, 2, [Change("z", (0, 0, 0, 0))])
    editor.completer.changed(editor.store.snapshot(other), edits)
    await until(lambda: editor.completer._generator._anchors.wide)


@pytest.mark.parametrize(
    "text", ["    |# a comment\n", "|} else {\n", "|end)\n", "|</div>\n", "|)\n", "    |\n"]
)
async def test_before_what_closes_or_goes_on_there_is_no_code(open_editor, text):
    editor = open_editor(Script((Rule(ends_with="", answer="a = 1\n"),)), text)
    await editor.ask()
    assert "before the code" not in editor.completer.why().reason


async def test_who_asks_by_hand_is_not_refused_before_code(open_editor):
    editor = open_editor(Script((Rule(ends_with="", answer="@cache\n"),)), "|def f():\n")
    assert await editor.ask(invoked=True)


async def test_a_wide_window_is_worth_more_than_further_lines(open_editor):
    steps = (Step("1\n"), Step("y", gate="never"))
    script = Script((Rule(ends_with="x = ", answer=steps),), otherwise="nothing")
    editor = open_editor(script, long_file("x = |\n"))
    assert await editor.texts() == ["1"]
    async with asyncio.timeout(5):
        while not editor.engine.requests[-1].background:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    quick, wide = editor.engine.requests
    assert editor.engine.finished[0].reason == "cancelled"
    assert len(wide.head[1]) > 2 * len(quick.head[1])
    await let_run()
    editor.type("c")
    await editor.ask()
    assert editor.engine.requests[-1].head == wide.head
