"""Freqtrade's configuration files are read as Freqtrade reads them."""

import json

import pytest

from liqfeature import ConfigError
from liqfeature.botconfig import ccxt_options, load_bot_config

WITH_COMMENTS = """
{ // a comment
  "exchange": {"name": "binance", /* another,} */ "key": "a//b /*c*/ ,}",
    "ccxt_config": {"urls": {"api": "http://x"}}, "pair_whitelist": ["A", "B",],
  },
  "add_config_files": ["more of it/private.json"],
}
"""


def test_comments_commas_and_further_files_are_read(tmp_path):
    (tmp_path / "more of it").mkdir()
    (tmp_path / "main.json").write_text(WITH_COMMENTS)
    private = {"exchange": {"key": "under", "secret": "s"}, "stake_amount": 5}
    (tmp_path / "more of it" / "private.json").write_text(json.dumps(private))
    (tmp_path / "last.json").write_text('{"stake_amount": 7, "exchange": {"pair_whitelist": []}}')
    config = load_bot_config([tmp_path / "main.json", tmp_path / "last.json"])
    assert config == {
        "exchange": {
            "name": "binance",
            "key": "a//b /*c*/ ,}",
            "secret": "s",
            "ccxt_config": {"urls": {"api": "http://x"}},
            "pair_whitelist": [],
        },
        "stake_amount": 7,
    }
    assert ccxt_options(config) == {"urls": {"api": "http://x"}}


def test_freqtrade_reads_the_same(tmp_path):
    loading = pytest.importorskip("freqtrade.configuration.load_config")
    (tmp_path / "more of it").mkdir()
    (tmp_path / "main.json").write_text(WITH_COMMENTS)
    (tmp_path / "more of it" / "private.json").write_text('{"exchange": {"key": "under", "secret": "s"}}')
    (tmp_path / "last.json").write_text('{"exchange": {"pair_whitelist": []}}')
    paths = [tmp_path / "main.json", tmp_path / "last.json"]
    theirs = loading.load_from_files([str(path) for path in paths])
    ours = load_bot_config(paths)
    assert ours == {name: theirs[name] for name in ours}


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1 "b"}'])
def test_what_is_no_json_object_is_refused(text, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"config\.json must hold "):
        load_bot_config([path])
