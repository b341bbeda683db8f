"""Freqtrade's configuration files are read as Freqtrade reads them."""

import json
import re

import pytest

from liqfeature import ConfigError
from liqfeature.data.botconfig import ccxt_options, load_bot_config

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


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"\xff\xfe{}", "must hold JSON"),
        (b"[" * 100_000, "must hold JSON"),
        (b'{"exchange": "binance"}', "exchange of a configuration must be a JSON object, received 'binance'"),
        (
            b'{"exchange": {"ccxt_config": []}}',
            "ccxt_config of a configuration must be a JSON object",
        ),
        (
            b'{"exchange": {"pair_whitelist": "BTC/USDT:USDT"}}',
            "whitelist of a configuration must be a list",
        ),
        (b'{"add_config_files": "config.json"}', "add_config_files of a configuration must be a list"),
        (
            b'{"add_config_files": ["./config.json"]}',
            "must not be named in add_config_files by what",
        ),
    ],
)
def test_what_would_stumble_later_is_refused(content, rule, tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(rule)):
        load_bot_config([path])


def test_a_file_may_be_named_twice_but_not_by_itself(tmp_path):
    (tmp_path / "shared.json").write_text('{"stake_amount": 5}')
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text('{"add_config_files": ["shared.json"]}')
    assert load_bot_config([tmp_path / "a.json", tmp_path / "b.json"]) == {"stake_amount": 5}
    (tmp_path / "shared.json").write_text('{"add_config_files": ["a.json"]}')
    with pytest.raises(ConfigError, match=r"a\.json must not be named"):
        load_bot_config([tmp_path / "a.json"])
