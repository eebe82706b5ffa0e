import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.engine import frames
from inkling.engine.api import (
    CancelRequest,
    DoneEvent,
    FimTokens,
    GenerateRequest,
    ModelInfo,
    Ready,
    Stats,
    TextEvent,
    Unavailable,
)


@given(
    st.lists(st.integers(0, 200000) | st.text(max_size=20), max_size=5),
    st.text(max_size=20),
    st.integers(0, 1 << 60),
)
def test_a_request_survives_the_pipe(head: list[int | str], forced: str, number: int) -> None:
    request = GenerateRequest(number, tuple(head), forced, stop=("\n",), candidates=3)
    pipe = io.BytesIO(frames.encode(request) + frames.encode(CancelRequest(number)))

    assert frames.read_order(pipe) == request
    assert frames.read_order(pipe) == CancelRequest(number)
    assert frames.read_order(pipe) is None


@pytest.mark.parametrize(
    "report",
    [
        TextEvent(1, "héllo", 2, 0.25),
        DoneEvent(1, "stop", Stats(prompt_tokens=3, abort_ms=1.5)),
        Ready(ModelInfo("m", "qwen2", 4096, 1000, FimTokens(1, 2, 3))),
        Unavailable("no model", retry_s=None),
    ],
)
def test_a_report_survives_the_pipe(report: frames.Report) -> None:
    frame = frames.encode(report)

    assert frames.payload_bytes(frame[:4]) == len(frame) - 4
    assert frames.decode_report(frame[4:]) == report


def test_a_cut_frame_is_the_end_of_the_pipe() -> None:
    frame = frames.encode(CancelRequest(1))

    for size in range(len(frame)):
        assert frames.read_order(io.BytesIO(frame[:size])) is None


@pytest.mark.parametrize("payload", [b"", b"garbage", b"\x93\x01\x02\x03", b"\x81\xa4type\xa1x"])
def test_bytes_that_are_no_record_are_refused(payload: bytes) -> None:
    with pytest.raises(frames.BadFrame):
        frames.decode_report(payload)
    with pytest.raises(frames.BadFrame):
        frames.decode_order(payload)


def test_an_absurd_length_is_refused() -> None:
    with pytest.raises(frames.BadFrame):
        frames.payload_bytes(b"Segm")
