"""What waits on disk: in order, whole, and left behind only when it was sent."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.errors import SpoolFullError
from streaming.spool import Message, Spool

MAX_BYTES = 1 << 20


def messages(*numbers: int) -> list[Message]:
    return [Message(b"ada", b"%d" % number) for number in numbers]


def drained(spool: Spool, at_once: int = 3) -> list[Message]:
    found: list[Message] = []
    while part := spool.read(at_once):
        found += part
        spool.drop(part)
    return found


def test_messages_come_out_as_they_went_in(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MAX_BYTES)
    spool.append(messages(1, 2, 3, 4))
    spool.append(messages(5))
    assert drained(spool) == messages(1, 2, 3, 4, 5)
    assert spool.is_empty
    spool.append(messages(6))
    assert drained(spool) == messages(6)
    spool.close()


def test_the_next_process_goes_on_behind_what_was_sent(tmp_path: Path) -> None:
    first = Spool(tmp_path, MAX_BYTES)
    first.append(messages(1, 2, 3))
    first.drop(first.read(1))
    first.close()
    second = Spool(tmp_path, MAX_BYTES)
    assert drained(second) == messages(2, 3)
    second.close()


def test_two_processes_have_a_spool_each(tmp_path: Path) -> None:
    first, second = Spool(tmp_path, MAX_BYTES), Spool(tmp_path, MAX_BYTES)
    first.append(messages(1))
    assert second.is_empty
    first.close()
    third = Spool(tmp_path, MAX_BYTES)
    assert drained(third) == messages(1)
    second.close()
    third.close()


@pytest.mark.parametrize("n_cut", [1, 5, 10])
def test_a_record_that_a_crash_cut_off_is_left_out(tmp_path: Path, n_cut: int) -> None:
    first = Spool(tmp_path, MAX_BYTES)
    first.append(messages(1, 2))
    first.close()
    (segment,) = tmp_path.rglob("*.spool")
    segment.write_bytes(segment.read_bytes()[:-n_cut])
    second = Spool(tmp_path, MAX_BYTES)
    second.append(messages(3))
    assert drained(second) == messages(1, 3)
    second.close()


def test_what_does_not_fit_is_refused_as_a_whole(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 100)
    spool.append(messages(1))
    with pytest.raises(SpoolFullError):
        spool.append([*messages(2), Message(b"ada", b"x" * 100)])
    assert drained(spool) == messages(1)
    spool.close()


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=8), st.integers(1, 60), st.data()
)
def test_any_course_keeps_the_order(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: list[int],
    at_once: int,
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool, put, got = Spool(folder, 1 << 28), list[Message](), list[Message]()
    for size in sizes:
        new = [Message(b"k", b"v" * 60_000) for _ in range(size)]
        new = [m._replace(key=b"%d" % (len(put) + n)) for n, m in enumerate(new)]
        spool.append(new)
        put += new
        if data.draw(st.booleans()):
            part = spool.read(at_once)
            if part:
                spool.drop(part)
            got += part
        if data.draw(st.booleans()):
            spool.close()
            spool = Spool(folder, 1 << 28)
    got += drained(spool, at_once)
    assert got == put
    spool.close()
