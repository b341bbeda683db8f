"""The command line as a whole: versions, help, mistakes, and how much it loads."""

import ast
import re
import subprocess
import sys
import tomllib
from keyword import iskeyword
from pathlib import Path

import pytest

import liqfeature
from liqfeature.cli.main import main
from liqfeature.errors import MissingExtraError, extra

COMMANDS = (
    *("columns", "init", "features", "show", "chart", "serve", "report", "trades", "walkforward"),
    *("hyperopt", "download", "record", "import", "validate", "calibrate", "sandbox", "doctor", "warm"),
)
PACKAGE = Path(liqfeature.__file__).parent


def test_version_is_the_package_s(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"liqfeature {liqfeature.__version__}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+", liqfeature.__version__)


def test_help_lists_every_command_each_of_which_has_a_file_named_like_it(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    listed = re.findall(r"^    (\w+)(?:  |$)", capsys.readouterr().out, re.M)
    assert sorted(listed) == sorted(COMMANDS)
    assert all((PACKAGE / "cli" / f"{name}{'_' * iskeyword(name)}.py").exists() for name in COMMANDS)


@pytest.mark.parametrize(
    "command",
    [
        *(name for name in COMMANDS if name not in ("columns", "sandbox", "doctor")),
        "sandbox serve",
        "sandbox run",
        "doctor",
    ],
)
def test_help_of_a_command_shows_an_example_of_it(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        main([*command.split(), "--help"])
    assert f"  liqfeature {command} " in capsys.readouterr().out


def test_nothing_heavy_is_loaded_before_a_command_runs():
    """The tenths of a second that each of these takes are for work, not for help or a mistake."""
    program = f"""
import contextlib, io, sys
from liqfeature.cli.main import main
for command in {COMMANDS}:
    for arguments in (["--version"], ["--help"], [command, "--help"], [command, "--dance"]):
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            main(arguments)
heavy = ("asyncio", "numpy", "pandas", "numba", "pyarrow", "rich", "plotly", "ccxt", "aiohttp", "freqtrade")
print(*[name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
    assert done.stderr.count("(see liqfeature") == len(COMMANDS)  # every mistake was found


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["dance"], "invalid choice: 'dance'"),
        (["sandbox"], "the following arguments are required: COMMAND"),
        (["sandbox", "serve", "--days", "0"], "--days: must be a whole number above 0, received '0'"),
        (["sandbox", "serve", "--oi-days", "-3"], "--oi-days: "),
        (["sandbox", "serve", "--start", "yesterday"], "--start: must be a date such as 2026-01-01"),
        (["sandbox", "serve", "--pairs", "BTCUSDT"], "--pairs: must be a pair such as BTC/USDT:USDT"),
        (["sandbox", "serve", "--port", "seventy"], "--port: invalid int value: 'seventy'"),
        (["sandbox", "run", "--", "true"], "the following arguments are required: --config-out"),
        (["chart", "--days", "0"], "--days: must be a number above 0, received '0'"),
        (["chart", "--days", "nan"], "--days: must be a number above 0, received 'nan'"),
        (["chart", "--timerange", "-"], "--timerange: must be FROM-TO"),
        (["chart", "--timerange", "20261301-"], "--timerange: must hold dates such as 20260125-20260206"),
        (["validate", "--sandbox", "liquid", "--datadir", "."], "not allowed with argument"),
        (["validate", "--sandbox", "liquid", "--timerange", "july"], "--timerange: must hold dates"),
        (["validate", "--sandbox", "liquid", "--unit", "euro"], "--unit: invalid choice: 'euro'"),
        (["calibrate", "--sandbox", "liquid"], "the following arguments are required: --out"),
        (["walkforward", "--timerange", "20260101"], "--timerange: must be FROM-TO"),
        (["walkforward", "--timerange", "20260101-"], "--timerange: must be whole days as YYYYMMDD-YYYYMMDD"),
        (["walkforward", "--timerange", "20260101T0100-20260201"], "--timerange: must be whole days"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(arguments, reason, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    complaint = capsys.readouterr().err
    assert reason in complaint
    assert complaint.count("\n") == 1


# Extras: what to install where a package is missing.


def brought(name, extras):
    """Packages that an extra brings, those of the extras that it names among them."""
    for requirement in extras[name]:
        package, others = re.match(r"([\w-]+)(?:\[([\w,]+)\])?", requirement).groups()
        if package == "liqfeature":
            for other in others.split(","):
                yield from brought(other, extras)
        else:
            yield package


def test_an_extra_that_a_message_names_brings_what_is_missing():
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    found = {}
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "except ImportError" not in text, f"{path}: `with extra(...)` says what to install"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.With) and ast.unparse(node.items[0].context_expr).startswith("extra("):
                (wanted,) = node.items[0].context_expr.args
                names = [getattr(part, "module", None) or part.names[0].name for part in node.body]
                found.setdefault(ast.unparse(wanted), set()).update(
                    name.split(".")[0].replace("_", "-") for name in names
                )
    assert {
        "'chart'",
        "'cli'",
        "'cluster'",
        "'download'",
        "'record'",
        "'sandbox'",
        "'serve'",
        "'store'",
        "needed",
    } == set(found)
    assert found.pop("needed") == {"rich"}  # of `console_of`
    consoles = [(f"'{name}'", {"rich"}) for name in ("download", "record", "sandbox")]
    for wanted, packages in [*found.items(), *consoles]:
        assert packages <= set(brought(ast.literal_eval(wanted), extras)), wanted


def test_a_missing_package_is_told_from_a_broken_one():
    hint = r"nothing_like_it is not installed: pip install 'liqfeature\[chart\]'"
    with pytest.raises(MissingExtraError, match=hint), extra("chart"):
        import nothing_like_it.parts  # noqa: F401
    with pytest.raises(ImportError, match="broken") as raised, extra("chart"):
        raise ImportError("broken library")
    assert not isinstance(raised.value, MissingExtraError)
