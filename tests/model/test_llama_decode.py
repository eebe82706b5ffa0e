"""What one engine process does with a real model: reuse, healing, candidates, limits."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from inkling.engine.api import TextEvent

from .llama_cases import TIMEOUT, Bench, default_model, plain_model, running

OPEN = "import os\n\n\ndef f(path):\n    ", "\n"
"""Before and after a place where many functions may be named."""

pytestmark = [pytest.mark.model, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=[default_model, plain_model], ids=["fim", "plain"]
)
async def bench(request: pytest.FixtureRequest, cache: Path) -> AsyncIterator[Bench]:
    async with running(request.param(), cache) as made:
        yield made


async def test_typing_through_a_suggestion_evaluates_nothing(bench: Bench) -> None:
    first = await bench.answer(bench.request())
    assert first.text and first.done.reason in ("stop", "length", "end")
    assert first.stats.evaluated_tokens == first.stats.prompt_tokens - first.stats.reused_tokens
    for typed in range(1, len(first.text) + 1):
        answer = await bench.answer(bench.request(first.text[:typed]))
        # The plain model's line may be cut by max_tokens and go on further now.
        assert (first.text[:typed] + answer.text).startswith(first.text)
        assert answer.stats.evaluated_tokens <= 1, typed


async def test_a_disagreeing_key_evaluates_little(bench: Bench) -> None:
    await bench.answer(bench.request("self.co"))
    typed = "self.discarded = self.fru"
    evaluated = [
        (await bench.answer(bench.request(typed[:size]))).stats.evaluated_tokens
        for size in range(8, len(typed) + 1)
    ]
    assert sorted(evaluated)[len(evaluated) // 2] <= 3, evaluated
    assert max(evaluated) <= 8, evaluated


async def test_answers_do_not_depend_on_what_was_cached(bench: Bench) -> None:
    forced = ["", "self.c", "self.counted += 1", "se", "for x in sel", "self.counted", "pri"]
    warm = [(await bench.answer(bench.request(text))).text for text in forced]
    cold = []
    for text in forced:
        await bench.answer(bench.request(head=("nothing of the kind",), max_tokens=0))
        cold.append((await bench.answer(bench.request(text))).text)
    # Equal up to numerical noise: batches of other sizes round otherwise.
    assert sum(a == b for a, b in zip(warm, cold, strict=True)) >= len(forced) - 1, (warm, cold)


@pytest.mark.parametrize(
    "forced",
    ["s", "self.cou", "retur", "x = ", "für_ä", "'日本", "\t\t", "if self.fruit[0] == '🍎"],
)
async def test_text_after_the_forced_text_only(bench: Bench, forced: str) -> None:
    answer = await bench.answer(bench.request(forced))

    assert answer.done.reason in ("stop", "length", "end"), answer.done
    assert "\n" not in answer.text and "\ufffd" not in answer.text
    assert all(0.0 <= p <= 1.0 for p in answer.probabilities)


async def test_a_word_is_finished_rather_than_begun_again(bench: Bench) -> None:
    answer = await bench.answer(bench.request("for fruit in self.fr"))

    assert answer.text.startswith("uit")


async def test_candidates_are_different_and_the_first_is_greedy(bench: Bench) -> None:
    # Where one way to go on is all but certain there are fewer.
    head = bench.head(*OPEN)
    alone = await bench.answer(bench.request("return os.path.", head=head))
    several = await bench.answer(bench.request("return os.path.", head=head, candidates=4))
    texts = [several.texts[number] for number in sorted(several.texts)]

    assert 3 <= len(texts) <= 4
    assert len(set(texts)) == len(texts)
    assert len({text[:1] for text in texts}) > 1
    assert several.text == alone.text
    again = await bench.answer(bench.request("return os.path.", head=head))
    assert again.text == alone.text and again.stats.evaluated_tokens <= 1


async def test_every_candidate_has_a_line_before_the_first_has_more(bench: Bench) -> None:
    head = bench.head(*OPEN)
    request = bench.request("return os.path.", head=head, stop=(), max_tokens=60)
    alone = await bench.answer(request)
    for forced in ["return os.path."] * 2:
        # The second walks through what the first has left in the cache.
        await asyncio.wait_for(lines_first(bench, forced, alone.text), TIMEOUT)


async def lines_first(bench: Bench, forced: str, expected: str) -> None:
    texts = dict.fromkeys(range(3), "")
    ahead = []
    head = bench.head(*OPEN)
    request = bench.request(forced, head=head, stop=(), max_tokens=60, candidates=3)
    async for event in bench.engine.generate(request):
        if isinstance(event, TextEvent):
            if event.candidate == 0 and "\n" in texts[0]:
                ahead.append(["\n" in text for text in texts.values()])
            texts[event.candidate] += event.text
    assert ahead and all(map(all, ahead)), ahead
    assert min(text.count("\n") for text in texts.values()) > 1, "all run on"
    assert ("return os.path." + expected).startswith((forced + texts[0]).partition("\n")[0])


async def test_a_warm_up_makes_the_request_cheap(bench: Bench) -> None:
    head = bench.head("def warm_up():\n    # text that no test before has seen\n    ")
    warm = await bench.answer(bench.request(head=head, max_tokens=0, background=True))
    answer = await bench.answer(bench.request("ret", head=head))

    assert warm.done.reason == "length" and warm.stats.evaluated_tokens > 5
    assert answer.stats.evaluated_tokens <= 2


async def test_a_prompt_that_does_not_fit_fails_clearly(bench: Bench) -> None:
    answer = await bench.answer(bench.request(head=("word " * 5000,)))
    huge = await bench.answer(bench.request(head=("x" * 5_000_000,)))

    assert answer.done.reason == "failed" and "tokens" in answer.done.error
    assert huge.done.reason == "failed" and "too long" in huge.done.error
    assert huge.stats.tokenize_ms == 0
    assert (await bench.answer(bench.request("self."))).text


async def test_an_empty_prompt_is_answered(bench: Bench) -> None:
    answer = await bench.answer(bench.request(head=(), max_tokens=4, stop=()))

    assert answer.done.reason in ("length", "end")


async def test_text_that_looks_like_a_special_token_is_text(bench: Bench) -> None:
    plain = await bench.answer(bench.request(head=("x <|endoftext|> y",), max_tokens=0))

    assert plain.stats.prompt_tokens > 5


async def test_stop_strings_and_limits(bench: Bench) -> None:
    head = bench.head("numbers = [1, 2, 3, 4, 5, 6, 7, 8, ", "")
    stopped = await bench.answer(bench.request(head=head, stop=("11",), max_tokens=40))
    short = await bench.answer(bench.request(head=head, stop=(), max_tokens=2))

    assert "11" not in stopped.text
    assert short.done.reason in ("length", "end") and len(short.text) <= 12
