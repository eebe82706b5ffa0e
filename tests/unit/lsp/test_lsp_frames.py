"""Frames survive any cut of the stream and any rubbish between them."""

from hypothesis import given
from hypothesis import strategies as st

from inkling.lsp.frames import MAX_HEADER_BYTES, FrameParser, Rubbish


def frame(body: bytes, header: bytes = b"Content-Length") -> bytes:
    return header + b": %d\r\n\r\n" % len(body) + body


@given(st.lists(st.binary(max_size=60), max_size=8), st.data())
def test_any_cut_gives_the_same_bodies(bodies, data):
    stream = b"".join(frame(body) for body in bodies)
    parser, found = FrameParser(), []
    while stream:
        count = data.draw(st.integers(1, len(stream)))
        found += parser.feed(stream[:count])
        stream = stream[count:]
    assert found == bodies
    assert not any(isinstance(each, Rubbish) for each in found)


@given(st.binary(max_size=80), st.binary(max_size=40))
def test_a_frame_after_rubbish_is_found(rubbish, body):
    """A blank line ends what is no frame; then all is well again."""
    if b"length" in rubbish.lower():
        return
    parser = FrameParser()
    found = parser.feed(rubbish + b"\r\n\r\n" + frame(body))
    assert found[-1] == body
    assert all(isinstance(each, Rubbish) for each in found[:-1])
    assert len(found) > 1


def test_rubbish_right_before_a_header_does_not_hide_it():
    assert FrameParser().feed(b"noise\r\n" + frame(b"{}")) == [b"{}"]


def test_other_headers_and_other_spellings():
    stream = b"Content-Type: application/vscode-jsonrpc\r\n" + frame(b"1", b"content-LENGTH")
    assert FrameParser().feed(stream) == [b"1"]
    assert FrameParser().feed(b"Content-Length:2\r\nX: y\r\n\r\n[]") == [b"[]"]


def test_a_length_that_cannot_be_is_rubbish():
    for length in (b"-1", b"1e3", b"99999999999999", b"999999999999", b""):
        found = FrameParser().feed(b"Content-Length: " + length + b"\r\n\r\n" + frame(b"{}"))
        assert [type(each) for each in found] == [Rubbish, bytes]


def test_endless_rubbish_takes_no_memory_and_is_told_of():
    parser = FrameParser()
    found = [each for _ in range(50) for each in parser.feed(b"\0" * 10_000)]
    assert found and all(isinstance(each, Rubbish) for each in found)
    assert sum(map(len, found)) > 500_000 - 2 * MAX_HEADER_BYTES
    assert parser.feed(b"\r\n\r\n" + frame(b"{}"))[-1] == b"{}"
