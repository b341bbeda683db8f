"""Freqtrade's two analyses find no fault in the strategy; that they would is shown by planted ones.

Both exit with 0 whatever they find, so their output is judged.
"""

import csv

import pytest
from span import DAYS, TRADED, WARMUP_DAYS, timerange

STARTUPS = ("2400", "2450", "2494")
"""Candles before the compared row: from what the columns need to what a live bot gets on Binance."""

NO_LOOKAHEAD = "No lookahead bias on indicators found."


def lookahead(bot, strategy, directory):
    """Return the analysis's row about a strategy; there is none where it found too few trades."""
    export = directory / "lookahead.csv"
    amounts = ["--minimum-trade-amount=15", "--targeted-trade-amount=20"]
    bot("lookahead-analysis", TRADED, *strategy, *amounts, f"--lookahead-analysis-exportfilename={export}")
    with export.open() as lines:
        (row,) = csv.DictReader(lines)
    assert int(row["total_signals"]) >= 15
    return row


def recursive(bot, strategy, last_day):
    """Return what the analysis says of the last row of frames of several lengths."""
    span = timerange(WARMUP_DAYS, last_day)
    return bot("recursive-analysis", span, *strategy, "--startup-candle", *STARTUPS)


def test_the_strategy_does_not_look_ahead(bot, downloaded, clusters, tmp_path):
    row = lookahead(bot, clusters, tmp_path)
    assert row["has_bias"] == "False"
    assert (row["biased_entry_signals"], row["biased_exit_signals"]) == ("0", "0")
    assert row["biased_indicators"] == ""


def test_a_planted_look_ahead_is_found(bot, downloaded, planted, tmp_path):
    row = lookahead(bot, planted("LooksAhead"), tmp_path)
    assert row["has_bias"] == "True"
    assert "ahead" in row["biased_indicators"]


@pytest.mark.parametrize("last_day", [DAYS - 7, DAYS - 3, DAYS])
def test_the_strategy_does_not_depend_on_where_candles_begin(bot, downloaded, clusters, last_day):
    output = recursive(bot, clusters, last_day)
    assert "No variance on indicator(s) found due to recursive formula." in output
    assert "%" not in _table(output)
    assert NO_LOOKAHEAD in output


def test_a_planted_recursion_is_found(bot, downloaded, planted):
    output = recursive(bot, planted("Remembers"), DAYS)
    assert "remembered" in _table(output)
    assert "%" in _table(output)
    assert NO_LOOKAHEAD in output


def _table(output):
    """Return the rows about indicators that vary; there is no table where none does."""
    return "\n".join(line for line in output.splitlines() if line.startswith(("│", "|")))
