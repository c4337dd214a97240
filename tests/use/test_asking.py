"""One model for many: answers in the order of who asked, a line of limited length, and no waiting for ever."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from korbert.use.asking import Asker, Busy, Late
from korbert.use.rows import Row

from .conftest import Gate, Tuned


def test_a_full_line_and_a_late_answer_are_told_at_once(tuned: Tuned, monkeypatch: pytest.MonkeyPatch) -> None:
    asker = Asker(tuned.model("sentence"), waiting=2)
    gate = Gate(monkeypatch)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(asker.ask, [Row("최고")], 60)
        assert gate.reached.wait(60)
        with pytest.raises(Late):
            asker.ask([Row("최악")], 0.05)
        second = pool.submit(asker.ask, [Row("최악")], 60)
        while asker._line.qsize() < 2:
            pass
        with pytest.raises(Busy):
            asker.ask([Row("감동")], 60)
        gate.open.set()
        assert [found.result()[0]["label"] for found in (first, second)] == ["좋음", "나쁨"]
    asker.stop()
    with pytest.raises(Busy):
        asker.ask([Row("감동")], 60)


def test_those_who_wait_are_answered_in_one_batch_each_with_its_own(
    tuned: Tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker, gate = Asker(tuned.model("sentence")), Gate(monkeypatch)
    texts = ["최고", "최악", "감동", "지루하다", "재미있다"]
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(asker.ask, [Row("영화")], 60)
        assert gate.reached.wait(60)
        others = [pool.submit(asker.ask, [Row(text), Row("최고")], 60) for text in texts]
        while asker._line.qsize() < len(texts):
            gate.open.wait(0.01)
        gate.open.set()
        labels = [[answer["label"] for answer in other.result()] for other in others]
        assert len(first.result()) == 1
    asker.stop()
    assert labels == [["좋음" if text in ("최고", "감동", "재미있다") else "나쁨", "좋음"] for text in texts]
    assert gate.batches == [1, 10]
