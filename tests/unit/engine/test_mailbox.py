import pytest

from inkling.engine.api import DoneEvent, GenerateRequest, Piece
from inkling.engine.mailbox import Head, Job, Mailbox, must_stop, shared_tokens

PIECES = tuple(bytes((value,)) for value in range(256))
"""One token per byte, so token counts can be read off the texts."""


class Flag:
    """Stands for the byte that llama.cpp looks at."""

    def __init__(self) -> None:
        self.up = False

    def set(self) -> None:
        self.up = True

    def clear(self) -> None:
        self.up = False


def head_of(pieces: tuple[Piece, ...]) -> Head:
    tokens: list[int] = []
    ends = []
    for piece in pieces:
        tokens.extend(piece.encode() if isinstance(piece, str) else [piece])
        ends.append(len(tokens))
    return Head(tuple(tokens), tuple(ends))


@pytest.mark.parametrize(
    ("old", "new", "shared"),
    [
        ((1, "abcdef", 2), (1, "abcdef", 2), 8),
        ((1, "abcdef", 2), (1, "abcdefgh", 2), 1 + 6 - 2),
        ((1, "abcdef", 2), (1, "abXdef", 2), 1),
        ((1, "abcdef", 2), (1, "abcdeX", 2), 1 + 5 - 2),
        ((1, "abcdef", 2, "xyzuvw", 3), (1, "abcdef", 2, "xyzuvw!", 3), 8 + 4),
        ((1, "abcdef"), (2, "abcdef"), 0),
        (("abcdef",), ("abcdef", 7), 6),
        ((1, "abcdef", 2), (1,), 1),
        ((1, 2), (1, "x"), 1),
    ],
)
def test_shared_tokens_never_overstates(
    old: tuple[Piece, ...], new: tuple[Piece, ...], shared: int
) -> None:
    assert shared_tokens(old, head_of(old), new, PIECES) == shared


def request(number: int, *head: Piece, background: bool = False) -> GenerateRequest:
    return GenerateRequest(number, head or (1, "text before", 2), background=background)


@pytest.mark.parametrize(
    ("evaluating_to", "new_head", "stops"),
    [
        (None, (1, "text before", 2), True),  # decoding
        (13, (1, "text before", 2), False),  # all of it is shared
        (8, (1, "text before!", 2), False),  # the present call is shared
        (13, (1, "text before!", 2), True),  # it reaches into what is not
        (5, (1, "other", 2), True),
    ],
)
def test_a_shared_evaluation_goes_on(
    evaluating_to: int | None, new_head: tuple[Piece, ...], stops: bool
) -> None:
    old = request(1)
    running = Job(old, head=head_of(old.head), evaluating_to=evaluating_to)

    assert must_stop(running, request(2, *new_head), PIECES) is stops


def test_nothing_native_runs_before_the_head_is_known() -> None:
    assert not must_stop(Job(request(1)), request(2), PIECES)


def mailbox() -> tuple[Mailbox, Flag]:
    flag = Flag()
    return Mailbox(flag, PIECES), flag


def superseded(answers: list[DoneEvent]) -> list[int]:
    assert all(answer.reason == "superseded" for answer in answers)
    return [answer.id for answer in answers]


def test_the_latest_waiting_request_wins() -> None:
    box, _ = mailbox()

    assert box.submit(request(1)) == []
    assert superseded(box.submit(request(2))) == [1]
    job = box.take()
    assert job is not None and job.request.id == 2


def test_a_newer_request_stops_the_running_one_while_it_decodes() -> None:
    box, flag = mailbox()
    box.submit(request(1))
    job = box.take()
    assert job is not None
    job.head = head_of(job.request.head)

    box.submit(request(2))

    assert flag.up and job.stop_reason == "superseded"
    following = box.take()
    assert following is not None and following.request.id == 2
    assert not flag.up and following.stop_reason is None


def test_a_shared_prefill_is_told_to_make_room_but_not_stopped() -> None:
    box, flag = mailbox()
    box.submit(request(1))
    job = box.take()
    assert job is not None
    job.head, job.evaluating_to = head_of(job.request.head), 13

    box.submit(request(2))

    assert not flag.up and job.stop_reason == "superseded"
    box.submit(request(3, 9, "something else"))
    assert flag.up


def test_a_warm_up_waits_for_the_running_request_and_yields_to_the_next() -> None:
    box, flag = mailbox()
    box.submit(request(1))
    job = box.take()
    assert job is not None
    box.submit(request(2, background=True))

    assert not flag.up and job.stop_reason is None
    assert superseded(box.submit(request(3, background=True))) == [2]
    assert superseded(box.submit(request(4))) == [3]


def test_a_running_warm_up_yields_to_everything() -> None:
    for background in (True, False):
        box, flag = mailbox()
        box.submit(request(1, background=True))
        job = box.take()
        assert job is not None
        job.head = head_of(job.request.head)

        box.submit(request(2, background=background))

        assert flag.up and job.stop_reason == "superseded"


def test_interactive_requests_are_taken_before_warm_ups() -> None:
    box, _ = mailbox()
    box.submit(request(1))
    box.submit(request(2, background=True))

    first, second = box.take(), box.take()

    assert first is not None and second is not None
    assert (first.request.id, second.request.id) == (1, 2)


def test_cancelling_reaches_a_request_wherever_it_is() -> None:
    box, flag = mailbox()
    box.submit(request(1))
    job = box.take()
    assert job is not None
    box.submit(request(2, background=True))

    assert [(answer.id, answer.reason) for answer in box.cancel(2)] == [(2, "cancelled")]
    assert box.cancel(2) == []
    assert box.cancel(1) == []
    assert flag.up and job.stop_reason == "cancelled"
    assert box.cancel(99) == []


def test_a_late_cancel_does_not_hit_the_next_request() -> None:
    box, flag = mailbox()
    box.submit(request(1))
    box.take()
    box.submit(request(2))
    job = box.take()
    assert job is not None
    box.cancel(1)

    assert not flag.up and job.stop_reason is None


def test_closing_stops_what_runs_and_ends_the_loop() -> None:
    box, flag = mailbox()
    box.submit(request(1))
    box.take()
    box.close()

    assert flag.up and box.take() is None


def test_quiet_ends_when_something_comes() -> None:
    box, _ = mailbox()
    assert box.quiet(0.01)

    box.submit(request(1))

    assert not box.quiet(60.0)


def test_a_spare_moment_is_given_up_for_any_request() -> None:
    for background in (True, False):
        box, flag = mailbox()
        own = box.spare()
        assert own is not None

        box.submit(request(1, background=background))

        assert flag.up and own.stop_reason == "superseded"
        assert box.spare() is None
