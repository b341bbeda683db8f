"""When nothing comes for an hour, prices tell whether that can be believed."""

from liqfeature.recorder.silence import AGAIN, MOVED, QUIET, Silence


def test_one_looks_an_hour_after_the_last_message_or_the_connection():
    silence = Silence()
    assert silence.due(QUIET) is None  # no connection yet
    silence.begin(100)
    assert silence.due(100 + QUIET - 1) is None
    assert silence.due(100 + QUIET) == 100
    silence.end(200)
    assert silence.due(100 + QUIET) is None
    assert silence.due(200 + QUIET) == 200


def test_where_price_stood_one_looks_again_later():
    silence = Silence()
    silence.begin(0)
    assert not silence.judge(QUIET, MOVED - 1e-9)
    assert silence.due(QUIET + AGAIN - 1) is None
    assert silence.due(QUIET + AGAIN) == 0


def test_a_suspicion_outlasts_a_new_connection_and_ends_with_a_message():
    silence = Silence()
    silence.begin(0)
    assert silence.judge(QUIET, MOVED)
    silence.begin(QUIET + 1)
    assert silence.suspected
    assert silence.due(5 * QUIET) is None
    silence.end(5 * QUIET)
    assert not silence.suspected
    assert silence.due(6 * QUIET) == 5 * QUIET


def test_a_new_connection_counts_afresh():
    """What was not heard while there was none is no silence."""
    silence = Silence()
    silence.begin(0)
    silence.begin(QUIET // 2)
    assert silence.due(QUIET) is None
