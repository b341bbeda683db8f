"""What takes its time says so: in a line, or on a terminal with the time that passes."""

import io

import pytest

from liqfeature.cli import options


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_file_or_a_pipe_gets_one_line_before_the_work(capsys):
    with options.working("drawing: about ten seconds"):
        assert capsys.readouterr().err == "drawing: about ten seconds ...\n"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("installed", [True, False])
def test_a_terminal_gets_the_time_that_passes_where_rich_is_installed(installed, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    if not installed:
        monkeypatch.setattr(options, "find_spec", lambda name: None)
    with options.working("drawing"):
        pass
    shown = terminal.getvalue()
    assert "drawing" in shown
    assert ("0:00:0" in shown) == installed


def test_an_error_in_the_work_comes_through():
    with pytest.raises(ValueError, match="broken"), options.working("drawing"):
        raise ValueError("broken")
