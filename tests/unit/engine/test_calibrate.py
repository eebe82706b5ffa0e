from collections.abc import Sequence
from pathlib import Path

import pytest

from inkling.engine import calibrate
from inkling.engine.api import Calibration


class FakeContext:
    """Takes a fixed number of fake milliseconds per token; may be stopped at a call."""

    def __init__(self, clock: "Clock", stop_at: int | None = None) -> None:
        self.clock = clock
        self.calls = 0
        self.threads = 0
        self.stop_at = stop_at
        self.dropped = 0
        self.disturbed = False

    def use_threads(self, threads: int) -> None:
        self.threads = threads

    def decode(
        self, tokens: Sequence[int], position: int, *, sequence: int, every_row: bool
    ) -> bool:
        assert sequence == calibrate.SEQUENCE and position == 0
        assert every_row == (len(tokens) != calibrate.PROMPT_TOKENS)
        self.calls += 1
        if self.calls == self.stop_at:
            return False
        took = 0.001 * len(tokens) * (1 + abs(self.threads - 3))
        self.clock.advance(took, self.threads)
        if self.disturbed and every_row and self.calls % calibrate.ROUNDS:
            self.clock.advance(3 * took, 0)
        return True

    def drop(self, sequence: int) -> None:
        self.dropped += 1


class Clock:
    """Wall and processor time; `share` is what part of the processors we get."""

    def __init__(self) -> None:
        self.wall = 1000.0
        self.used = 0.0
        self.share = 1.0

    def advance(self, seconds: float, threads: int) -> None:
        self.wall += seconds
        self.used += seconds * threads * self.share


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr("inkling.engine.calibrate.usable_cores", lambda: 4)
    monkeypatch.setattr("inkling.engine.calibrate.time.perf_counter", lambda: made.wall)
    monkeypatch.setattr("inkling.engine.calibrate.time.monotonic", lambda: made.wall)
    monkeypatch.setattr("inkling.engine.calibrate.time.process_time", lambda: made.used)
    return made


class Job:
    """Stands for a mailbox job."""

    stop_reason: str | None = None


def run(context: FakeContext, counts: tuple[int, ...] = (4, 3, 2, 1)) -> calibrate.Calibrator:
    return calibrate.Calibrator(context, counts)


def test_it_finds_the_fastest_thread_count_and_the_speeds(clock: Clock) -> None:
    context = FakeContext(clock)

    result = run(context).run(Job())  # type: ignore[arg-type]

    assert result is not None and result.threads == 3 == context.threads
    assert result.decode_tokens_per_second == pytest.approx(1000)
    assert result.prompt_tokens_per_second == pytest.approx(1000)
    assert result.verify_ms == pytest.approx({1: 1, 2: 2, 4: 4, 8: 8, 16: 16, 32: 32, 64: 64})
    assert context.dropped == context.calls


def test_a_busy_machine_is_not_measured(clock: Clock) -> None:
    context = FakeContext(clock)
    clock.share = 0.3
    calibrator = run(context)

    assert calibrator.run(Job()) is None  # type: ignore[arg-type]
    calls = context.calls
    assert calibrator.run(Job()) is None  # type: ignore[arg-type]
    assert context.calls == calls, "it waits before it tries again"

    clock.share = 1.0
    clock.wall += calibrator.wait_seconds
    assert calibrator.run(Job()) is not None  # type: ignore[arg-type]


def test_what_was_measured_in_a_quiet_moment_stays(clock: Clock) -> None:
    context = FakeContext(clock)
    calibrator = run(context)
    calibrator.step()
    calibrator.step()
    clock.share = 0.3
    assert calibrator.run(Job()) is None  # type: ignore[arg-type]
    clock.share = 1.0
    clock.wall += calibrator.wait_seconds
    before = context.calls
    assert calibrator.run(Job()) is not None  # type: ignore[arg-type]
    rest = context.calls - before

    alone = FakeContext(clock)
    assert run(alone).run(Job()) is not None  # type: ignore[arg-type]
    assert rest == alone.calls - 2 * calibrate.ROUNDS


def test_more_threads_than_cores_are_measured_too(clock: Clock) -> None:
    clock.share = 0.5

    assert run(FakeContext(clock), (8,)).run(Job()) is not None  # type: ignore[arg-type]
    assert run(FakeContext(clock), (4,)).run(Job()) is None  # type: ignore[arg-type]


def test_one_quiet_round_of_three_is_enough(clock: Clock) -> None:
    context = FakeContext(clock)
    context.disturbed = True

    assert run(context).run(Job()) is not None  # type: ignore[arg-type]


def test_it_tries_less_and_less_often_where_it_is_always_busy(clock: Clock) -> None:
    calibrator = run(FakeContext(clock))
    clock.share = 0.3
    waits = []
    for _ in range(9):
        calibrator.run(Job())  # type: ignore[arg-type]
        waits.append(calibrator.wait_seconds)
        clock.wall += calibrator.wait_seconds

    assert waits == pytest.approx([*calibrate.PAUSES, *3 * calibrate.PAUSES[-1:]])


def test_a_stopped_measurement_goes_on_where_it_was(clock: Clock) -> None:
    context = FakeContext(clock, stop_at=4)
    calibrator = run(context)
    job = Job()
    calibrator.step()
    job.stop_reason = "superseded"
    assert calibrator.run(job) is None  # type: ignore[arg-type]

    result = calibrator.run(Job())  # type: ignore[arg-type]

    assert result is not None and result.threads == 3


def test_it_is_kept_and_found_again(tmp_path: Path) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(b"GGUF")
    path = calibrate.place(tmp_path / "cache", model, (2, 1), "1.0")
    calibration = Calibration(100.0, 20.0, 2, {1: 50.0, 64: 640.0})

    assert calibrate.load(path) is None
    calibrate.save(path, calibration)

    assert calibrate.load(path) == calibration
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert calibrate.place(tmp_path / "cache", model, (4, 2, 1), "1.0") != path


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"prompt_tokens_per_second": 0}', b"\xff\xfe", b"null"],
)
def test_a_damaged_file_is_ignored(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(content)

    assert calibrate.load(path) is None


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    calibrate.save(tmp_path / "file" / "c.json", Calibration(1.0, 1.0, 1))


@pytest.mark.parametrize(
    ("cores", "counts"), [(1, (1,)), (2, (2, 1)), (4, (4, 3, 2, 1)), (12, (8, 12, 11, 6, 4, 2, 1))]
)
def test_thread_counts_worth_trying(cores: int, counts: tuple[int, ...]) -> None:
    assert calibrate.thread_counts(cores) == counts
