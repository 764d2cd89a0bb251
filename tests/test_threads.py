"""The threads that serve: how many there are, in which order, and that they end."""

import threading
from queue import SimpleQueue

from orderservice.threads import Threads
from tests.processes import wait_for


class Work:
    """Jobs that go on until they are let go, and what became of each."""

    def __init__(self, count: int) -> None:
        self.begun: SimpleQueue[tuple[int, threading.Thread]] = SimpleQueue()
        self.go_on = threading.Semaphore(0)
        self.threads = Threads(count, self._serve)

    def _serve(self, job: int) -> None:
        self.begun.put((job, threading.current_thread()))
        self.go_on.acquire(timeout=10)

    def next(self) -> tuple[int, threading.Thread]:
        return self.begun.get(timeout=10)


def test_no_more_threads_than_are_allowed_and_each_job_in_its_turn() -> None:
    work = Work(2)
    for job in range(5):
        work.threads.put(job)
    busy = [work.next(), work.next()]
    assert [job for job, _ in busy] == [0, 1]
    assert work.begun.empty()
    order = []
    for _ in range(3):
        work.go_on.release()
        order.append(work.next())
    assert [job for job, _ in order] == [2, 3, 4]
    assert {thread for _, thread in order} <= {thread for _, thread in busy}
    work.threads.shutdown(wait=False)
    work.go_on.release(2)
    wait_for(lambda: not any(thread.is_alive() for _, thread in busy))


def test_one_job_after_the_other_is_one_thread_s() -> None:
    work = Work(8)
    used = set()
    work.go_on.release(20)
    for job in range(20):
        work.threads.put(job)
        used.add(work.next()[1])
        wait_for(lambda: bool(work.threads._idle))
    assert len(used) == 1
    work.threads.shutdown(wait=False)
    wait_for(lambda: not any(thread.is_alive() for thread in used))


def test_what_waits_is_done_before_the_end() -> None:
    work = Work(1)
    for job in range(3):
        work.threads.put(job)
    work.threads.shutdown(wait=False)
    work.go_on.release(3)
    done = [work.next() for _ in range(3)]
    assert [job for job, _ in done] == [0, 1, 2]
    wait_for(lambda: not done[0][1].is_alive())
