import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deliveries.sending.journal import Journal, JournalDamaged, Replay
from deliveries.sending.smtp.replies import Reply, Stage

SENT = Reply(250, "2.0.0 Ok", Stage.END_OF_DATA)

replies = st.none() | st.builds(Reply, st.integers(200, 599), st.text(), st.sampled_from(Stage))


def test_it_says_what_was_answered(tmp_path: Path) -> None:
    with Journal(tmp_path / "w.journal") as journal:
        journal.handing_over(1)
        journal.outcome(1, SENT)
        journal.outcome(2, Reply(550, "5.1.1 No", Stage.RCPT))

    assert Journal.replay(tmp_path / "w.journal") == Replay(
        ((1, SENT), (2, Reply(550, "5.1.1 No", Stage.RCPT))), in_doubt=()
    )


def test_it_knows_the_message_in_doubt(tmp_path: Path) -> None:
    with Journal(tmp_path / "w.journal") as journal:
        journal.handing_over(1)
        journal.outcome(1, SENT)
        journal.handing_over(2)

    assert Journal.replay(tmp_path / "w.journal") == Replay(((1, SENT),), in_doubt=(2,))


def test_it_takes_back_a_message_that_was_not_finished(tmp_path: Path) -> None:
    with Journal(tmp_path / "w.journal") as journal:
        journal.handing_over(1)
        journal.taken_back(1)

    assert Journal.replay(tmp_path / "w.journal") == Replay((), ())


def test_it_doubts_a_message_that_is_handed_over_again(tmp_path: Path) -> None:
    with Journal(tmp_path / "w.journal") as journal:
        journal.outcome(1, Reply(450, "Later", Stage.END_OF_DATA))
        journal.handing_over(1)

    assert Journal.replay(tmp_path / "w.journal") == Replay((), in_doubt=(1,))


def test_it_forgets_what_was_committed(tmp_path: Path) -> None:
    with Journal(tmp_path / "w.journal") as journal:
        journal.outcome(1, SENT)
        journal.clear()
        journal.handing_over(2)

    assert Journal.replay(tmp_path / "w.journal") == Replay((), in_doubt=(2,))


def test_it_does_not_forget_a_message_under_way(tmp_path: Path) -> None:
    with Journal(tmp_path / "w.journal") as journal:
        journal.handing_over(1)
        journal.clear()

    assert Journal.replay(tmp_path / "w.journal").in_doubt == (1,)


def test_it_says_nothing_without_a_file(tmp_path: Path) -> None:
    assert Journal.replay(tmp_path / "none.journal") == Replay((), ())


def test_it_refuses_a_file_damaged_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "w.journal"
    path.write_bytes(b"H 1\n\x00\x00\x00\nH 2\n")

    with pytest.raises(JournalDamaged, match="Line 2"):
        Journal.replay(path)


def test_it_drops_a_torn_line_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "w.journal"
    path.write_bytes(b"H 1\nO 1 25")

    with Journal(path) as journal:
        journal.handing_over(2)

    assert Journal.replay(path) == Replay((), in_doubt=(1, 2))


@given(st.lists(replies, max_size=6), st.data())
def test_it_never_claims_more_than_was_written(answers: list[Reply | None], data: st.DataObject) -> None:
    """Cut anywhere: each message is answered, in doubt, or was not begun; never answered otherwise than it was."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "w.journal")
        with Journal(path) as journal:
            for number, answer in enumerate(answers):
                journal.handing_over(number)
                journal.outcome(number, answer)
        whole = path.read_bytes()
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])

        replay = Journal.replay(path)

    begun = whole[:cut].count(b"\nH ") + whole[:cut].startswith(b"H ")
    known = dict(replay.outcomes)
    for number, answer in known.items():
        written = answers[number]
        assert (answer is None) == (written is None)
        if answer is not None and written is not None:
            assert (answer.code, answer.stage) == (written.code, written.stage)
            assert answer.text == " ".join(written.text.split()).encode("utf-8", "replace").decode()
    assert len(replay.in_doubt) <= 1
    assert begun - 1 <= len(known) + len(replay.in_doubt) <= begun


def test_it_survives_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "w.journal"
    program = (
        "import sys, time; from pathlib import Path; from deliveries.sending.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); journal.handing_over(7); print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with Journal.take_over(path) as gone_before:
            pass
        os.kill(process.pid, signal.SIGKILL)

    with Journal.take_over(path) as gone_after:
        replay = Journal.replay(path)

    assert (gone_before, gone_after) == (False, True)
    assert replay.in_doubt == (7,)
