"""`liqfeature columns`: a table of what they mean."""

from liqfeature import COLUMNS
from liqfeature.cli.columns import columns_table, worth_table
from liqfeature.cli.main import main


def test_every_column_is_printed(capsys):
    assert main(["columns"]) == 0
    printed = capsys.readouterr().out
    assert printed == f"{columns_table()}\n"
    assert all(f"`{name}`" in printed for name in COLUMNS)


def test_what_each_is_worth_is_printed_on_demand(capsys):
    assert main(["columns", "--worth"]) == 0
    printed = capsys.readouterr().out
    assert printed == f"{worth_table()}\n"
    assert all(f"`{name}`" in printed for name in COLUMNS)
