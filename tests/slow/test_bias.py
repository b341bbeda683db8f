"""Freqtrade's two analyses find no fault in the strategy; that they would is shown by planted ones.

Both exit with 0 whatever they find, so their output is judged.
"""

import csv
import re

import pytest

from slow.span import DAYS, TRADED, WARMUP_DAYS, timerange

STARTUPS = ("2400", "2450", "2494")
"""Candles before the compared row: from what the columns need to what a live bot gets on Binance."""

NO_LOOKAHEAD = "No lookahead bias on indicators found."
NO_VARIANCE = "No variance on indicator(s) found due to recursive formula."

STRATEGIES = {"LiquidationClusters": TRADED, "SampleWithClusters": timerange(DAYS - 8, DAYS)}
"""Days in which each makes trades enough, and not many more: the analysis repeats them one by one."""

FORETOLD = {"&-move", "&-move_mean", "&-move_std", "do_predict"}
ENTERED = {"enter_long", "enter_short", "enter_tag"}


def lookahead(bot, strategy, directory, span=TRADED, least=15, most=20):
    """Return the row about a strategy, which there is if it found enough trades, and all output."""
    export = directory / "lookahead.csv"
    amounts = [f"--minimum-trade-amount={least}", f"--targeted-trade-amount={most}"]
    exported = f"--lookahead-analysis-exportfilename={export}"
    output = bot("lookahead-analysis", span, *strategy, *amounts, exported)
    with export.open() as lines:
        (row,) = csv.DictReader(lines)
    assert int(row["total_signals"]) >= least
    return row, output


def recursive(bot, strategy, last_day):
    """Return what the analysis says of the last row of frames of several lengths."""
    span = timerange(WARMUP_DAYS, last_day)
    return bot("recursive-analysis", span, *strategy, "--startup-candle", *STARTUPS)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_does_not_look_ahead(bot, downloaded, ours, name, tmp_path):
    row, _ = lookahead(bot, ours(name), tmp_path, STRATEGIES[name])
    assert row["has_bias"] == "False"
    assert (row["biased_entry_signals"], row["biased_exit_signals"]) == ("0", "0")
    assert row["biased_indicators"] == ""


def test_a_planted_look_ahead_is_found(bot, downloaded, planted, tmp_path):
    row, _ = lookahead(bot, planted("LooksAhead"), tmp_path)
    assert row["has_bias"] == "True"
    assert "ahead" in row["biased_indicators"]


@pytest.mark.parametrize(
    ("name", "last_day"),
    [*(("LiquidationClusters", DAYS - n) for n in (7, 3, 0)), ("SampleWithClusters", DAYS)],
)
def test_a_strategy_does_not_depend_on_where_candles_begin(bot, downloaded, ours, name, last_day):
    output = recursive(bot, ours(name), last_day)
    assert NO_VARIANCE in output
    assert "%" not in _table(output)
    assert NO_LOOKAHEAD in output


def test_a_planted_recursion_is_found(bot, downloaded, planted):
    output = recursive(bot, planted("Remembers"), DAYS)
    assert "remembered" in _table(output)
    assert "%" in _table(output)
    assert NO_LOOKAHEAD in output


def test_a_model_differs_only_in_the_candle_that_freqai_leaves_out(
    bot, downloaded, small_models, planted, tmp_path
):
    """FreqAI predicts up to, not with, the last candle of a span, and fills in 0.

    The analysis cuts spans short and takes that row for a bias. A model that looks ahead would say something
    else there, not 0, and would take other trades. A look ahead by one candle stays hidden: features see the
    candle that is left out. `tests/columns/test_freqai.py` has them depend on their own row alone.
    """
    strategy = [*small_models, *planted("FreqaiEntersOften")]
    row, output = lookahead(bot, strategy, tmp_path, timerange(20, 26), least=5, most=8)
    assert (row["biased_entry_signals"], row["biased_exit_signals"]) == ("0", "0")
    assert set(row["biased_indicators"].split(",")) <= FORETOLD | ENTERED
    told = re.findall(r"bias in column (\S+)\.\s+(\S+)\s+!=\s+(\S+)", output)
    values = {column: cut for column, _, cut in told if column in FORETOLD}
    assert set(values) == FORETOLD
    assert {float(cut) for cut in values.values()} == {0.0}


def test_a_model_does_not_depend_on_where_candles_begin(bot, downloaded, freqai):
    output = bot("recursive-analysis", timerange(20, 30), *freqai, "--startup-candle", *STARTUPS)
    assert NO_VARIANCE in output
    found = set(re.findall(r"found lookahead in indicator (\S+)", output))
    assert found == FORETOLD  # of the candle that is left out, as above


def _table(output):
    """Return the rows about indicators that vary; there is no table where none does."""
    return "\n".join(line for line in output.splitlines() if line.startswith(("│", "|")))
