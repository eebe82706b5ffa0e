"""What is said to a server and understood of it, without a server."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.engine import markers
from inkling.engine.answer import Answer, Disagrees
from inkling.engine.api import GenerateRequest, ModelInfo, TextEvent
from inkling.engine.dialects import CompletionsServer, Finish, LlamaServer, Order, Words, error_text
from inkling.engine.fragment import cut, grammar, harmless
from inkling.engine.http import Trouble, address

MODEL = ModelInfo("Qwen2.5-Coder", "", 4096, 0, markers.stand_ins(markers.FAMILIES[0][1]))


@pytest.mark.parametrize(
    ("forced", "fragment"),
    [
        ("", ""),
        ("\n", ""),
        ("return re", " re"),
        ("self.na", ".na"),
        ("my_val", "_val"),
        ("x1", "1"),
        ("print(", "("),
        ("a ==", " =="),
        ("if x:\n    ", "    "),
        ("f(été", "(été"),
        ("x = 'a" + "b" * 100, "b" * 64),
    ],
)
def test_fragment(forced: str, fragment: str) -> None:
    assert cut(forced) == (forced.removesuffix(fragment) if fragment else forced, fragment)


@given(st.text())
def test_nothing_is_lost_by_cutting(forced: str) -> None:
    assert "".join(cut(forced)) == forced


def test_grammar_quotes() -> None:
    assert grammar('a"\\\t') == 'root ::= "a\\"\\\\\\t" [^\\x00]*'


def test_stop_strings_that_a_fragment_could_set_off_are_left_to_us() -> None:
    assert harmless((")", "\n", "(x", "))"), " f(") == (")", "\n", "))")
    assert harmless(("ab", "b"), "xab") == ()


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("Qwen/Qwen2.5-Coder-7B", "<|fim_prefix|>"),
        ("bigcode/starcoder2-3b", "<fim_prefix>"),
        ("codellama-13b", "<PRE> "),
        ("deepseek-coder-6.7b-base", "<\uff5cfim\u2581begin\uff5c>"),
        ("Codestral-22B-v0.1", "[PREFIX]"),
        ("llama-3-8b-instruct", None),
    ],
)
def test_family_by_name(name: str, prefix: str | None) -> None:
    family = markers.family_of(name)
    assert (family.prefix if family else None) == prefix


def test_markers_in_the_document_cannot_break_a_text_prompt() -> None:
    family = markers.FAMILIES[0][1]
    prompt = (-1, "a <|fim_middle|> b", -2, "c", -3, "d")
    assert markers.text_of(prompt, family) == (
        "<|fim_prefix|>a < |fim_middle|> b<|fim_suffix|>c<|fim_middle|>d"
    )


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/v1/", "http://localhost:8080"),
        ("https://ai.example/team/v1", "https://ai.example:443/team"),
        ("http://[::1]:80/", "http://[::1]:80"),
    ],
)
def test_addresses(url: str, text: str) -> None:
    assert str(address(url)) == text


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:8080", "ftp://x", "http://", "http://x:99999", "http://me:word@x"]
)
def test_bad_addresses(url: str) -> None:
    with pytest.raises(Trouble, match=r"inkling\.serverUrl"):
        address(url)


async def test_llama_server_gets_ids_for_text_that_may_hold_markers() -> None:
    async def tokenize(text: str) -> tuple[int, ...]:
        return tuple(text.encode())

    dialect = LlamaServer(MODEL, (7,), tokenize)
    body = msgspec.json.decode(
        await dialect.body(Order((1, "a<b", 2, "plain", 3, ""), 5, ("\n",), "fr", True))
    )
    assert body["prompt"] == [7, 1, 97, 60, 98, 2, "plain", 3]
    assert (body["n_predict"], body["stop"]) == (5, ["\n"])
    assert body["grammar"].startswith('root ::= "fr"')
    assert body["n_probs"] > 0


@pytest.mark.parametrize("data", [b"", b"nonsense", b"[]", b'{"content": 3}', b"\xff"])
def test_llama_nonsense(data: bytes) -> None:
    async def tokenize(text: str) -> tuple[int, ...]:
        raise AssertionError

    with pytest.raises(Trouble, match="not a completion"):
        LlamaServer(MODEL, (), tokenize).read(data)


def test_openai_messages() -> None:
    dialect = CompletionsServer(MODEL, None)
    logprobs = {"token_logprobs": [0.0], "top_logprobs": [{"b": -1.0, "a": 0.0}]}
    said = dialect.read(
        msgspec.json.encode({"choices": [{"text": "a", "logprobs": logprobs}], "usage": None})
    )
    assert [type(one) for one in said] == [Words]
    assert isinstance(said[0], Words)
    assert said[0].alternatives[0] == ("a", 1.0)
    (finish,) = dialect.read(b'{"choices": [{"text": "", "finish_reason": "length"}]}')
    assert isinstance(finish, Finish)
    assert finish.reason == "length"
    with pytest.raises(Trouble, match="gave up: no room"):
        dialect.read(b'{"error": {"message": "no room."}}')


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"error": {"message": "No.\\n Really."}}', "No. Really"),
        (b'{"error": "No"}', "No"),
        (b'{"object": "error", "message": "No"}', "No"),
        (b'{"detail": [1]}', ""),
        (b"<html>", ""),
    ],
)
def test_error_texts(body: bytes, text: str) -> None:
    assert error_text(body) == text


def test_an_answer_gives_out_only_what_comes_after_the_fragment() -> None:
    answer = Answer(GenerateRequest(1, ("",), max_tokens=3, stop=("\n",)), "for it")
    assert answer.feed(Words("for")) == ()
    others = ((" items", 0.5), (" it", 0.2), (" iter", 0.1), (" x", 0.1))
    assert answer.feed(Words(" items", 0.5, others)) == (TextEvent(1, "ems", 0, 0.5),)
    assert answer.alternatives == (("er", 0.1),)
    assert answer.feed(Words(":\n    ")) == (TextEvent(1, ":"),)
    assert answer.ended == "stop"


def test_an_answer_stops_at_the_limit() -> None:
    answer = Answer(GenerateRequest(1, ("",), max_tokens=2, stop=("bc",)))
    assert answer.feed(Words("a")) == (TextEvent(1, "a"),)
    assert answer.feed(Words("b")) == (TextEvent(1, "b"),)
    assert answer.ended == "length"


def test_an_answer_that_disagrees() -> None:
    answer = Answer(GenerateRequest(1, ("",)), "item")
    answer.feed(Words("it"))
    with pytest.raises(Disagrees):
        answer.feed(Words("self"))
    answer = Answer(GenerateRequest(1, ("",)), "item")
    answer.feed(Words("it"))
    with pytest.raises(Disagrees):
        answer.finish()
