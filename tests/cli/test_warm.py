"""`liqfeature warm`: compiled code is there before a bot asks for it."""

import importlib
import re

import pytest

from liqfeature.cli.main import main
from liqfeature.estimate.kernels.scan import scan

compiled = importlib.import_module("liqfeature.compiled")


def test_the_scan_is_compiled_and_kept(capsys):
    assert main(["warm"]) == 0
    assert scan.signatures
    said = re.search(
        r"is in (.+?numba-\w+);", capsys.readouterr().out
    )  # a folder may have a space in its name
    assert list(compiled.Path(said[1]).rglob("scan.scan-*.nbc"))


def test_where_nothing_can_be_kept_it_says_so_and_compiles_nothing(capsys, monkeypatch):
    monkeypatch.setattr(compiled, "cache_directory", lambda _: None)
    monkeypatch.setattr("liqfeature.columns.features.warm", pytest.fail)
    assert main(["warm"]) == 2
    assert "NUMBA_CACHE_DIR" in capsys.readouterr().err
