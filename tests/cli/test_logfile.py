"""A log cannot fill the disk."""

from pathlib import Path

from tideline.logfile import LogFile


def test_a_full_log_makes_room(tmp_path: Path) -> None:
    """Of many lines the file and its one predecessor keep the newest."""
    log = LogFile(tmp_path / "logs" / "a.log", bytes_max=20)
    for n in range(10):
        log.write(b"line %d" % n)
    log.close()
    assert (tmp_path / "logs" / "a.log").read_text() == "line 8\nline 9\n"
    assert (tmp_path / "logs" / "a.log.1").read_text() == "line 6\nline 7\n"
    assert len(list((tmp_path / "logs").iterdir())) == 2


def test_a_log_is_continued(tmp_path: Path) -> None:
    """A restarted program's lines follow those of its last life."""
    for text in (b"one", b"two"):
        log = LogFile(tmp_path / "a.log")
        log.write(text)
        log.close()
    assert (tmp_path / "a.log").read_text() == "one\ntwo\n"
