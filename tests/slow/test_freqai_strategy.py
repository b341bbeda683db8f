"""FreqAI learns from the columns: real trainings and a real backtest on the sandbox."""

import json
import pickle
import re

import pandas as pd
import pytest

from liqfeature import COLUMNS
from liqfeature.columns.freqai import LEFT_OUT
from slow.conftest import trades_in
from slow.span import PAIRS, timerange

DAYS = timerange(20, 30)
LEARNT = {f"%-{name}" for name in COLUMNS if name.split("_")[1] not in LEFT_OUT}


@pytest.fixture
def trained(bot, downloaded, freqai, tmp_path):
    """Output, directory of models, and a second backtest with the same ones."""
    options = [DAYS, *freqai, "--cache=none", f"--backtest-directory={tmp_path}"]
    output = bot("backtesting", *options)
    (models,) = (bot.directory / "models").glob("test_the_model*")
    return output, models, lambda: bot("backtesting", *options)


def test_the_model_is_trained_on_the_columns_and_trades_both_ways(trained, tmp_path):
    output, models, again = trained
    assert "raised exception" not in output  # a training that fails is a warning to FreqAI
    trainings = sorted(models.glob("sub-train-*"))
    assert len(trainings) == 2 * len(PAIRS)
    for training in trainings:
        (told,) = (json.loads(path.read_text()) for path in training.glob("*_metadata.json"))
        assert set(told["training_features_list"]) == LEARNT
        (model,) = (pickle.loads(path.read_bytes()) for path in training.glob("*_model.joblib"))
        used = dict(zip(model.feature_name_, model.feature_importances_, strict=True))
        assert sum(used.values()) > 0
        assert sum(count > 0 for count in used.values()) >= 10
    dropped = [int(n) for n in re.findall(r"dropped (\d+) training points", output)]
    assert dropped == [24] * len(trainings)  # the target's horizon, and no row for want of a cluster
    foretold = pd.concat(pd.read_feather(path) for path in (models / "backtesting_predictions").iterdir())
    assert foretold.notna().all(axis=None)
    assert foretold["do_predict"].mean() > 0.99
    assert foretold["&-move"].nunique() > 100

    trades = trades_in(tmp_path, "FreqaiWithClusters")
    assert {trade["is_short"] for trade in trades} == {True, False}
    assert {trade["enter_tag"] for trade in trades} == {"model"}
    assert "peak" in {trade["exit_reason"] for trade in trades}

    # Predictions read back from disk bring no columns with them; exits and stops need them all the same.
    assert "Found backtesting prediction file" in again()
    assert trades_in(tmp_path, "FreqaiWithClusters") == trades
