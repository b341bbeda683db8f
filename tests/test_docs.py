"""What is written about the code says what the code does."""

import ast
import importlib.util
import inspect
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import liqfeature
from liqfeature import COLUMNS
from liqfeature.cli.columns import columns_table, worth_table
from liqfeature.cli.main import _parser
from liqfeature.columns.features import DESCRIBED, FURTHER
from liqfeature.columns.health import Reason
from liqfeature.columns.windows import WINDOWS
from liqfeature.columns.worth import WORTH, worth_of
from liqfeature.data.schema import RECORDED

PACKAGE = Path(liqfeature.__file__).parent
ROOT = PACKAGE.parent
README = ROOT / "README.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def hooks() -> ModuleType:
    """What the documentation site is completed by."""
    spec = importlib.util.spec_from_file_location("_hooks", ROOT / "docs" / "_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(body: list[ast.stmt], path: str = "") -> Iterator[tuple[str, Documented]]:
    for node in body:
        if isinstance(node, Documented) and not node.name.startswith("_"):
            yield f"{path}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{path}{node.name}.")


EVERYTHING = {
    f"{path.relative_to(PACKAGE).with_suffix('').as_posix().replace('/', '.')}.{name}": node
    for path in sorted(PACKAGE.rglob("*.py"))
    for name, node in public(ast.parse(path.read_text(encoding="utf-8")).body)
}


def documented_parameters(docstring: str) -> list[str]:
    """Names in the section "Parameters", of which a line may hold several."""
    _, _, rest = inspect.cleandoc(docstring).partition("Parameters\n----------\n")
    section = re.split(r"^\w+\n-+$", rest, flags=re.MULTILINE)[0]
    heads = [line.partition(" : ")[0] for line in section.splitlines() if line and not line.startswith(" ")]
    return [name.strip() for head in heads for name in head.split(",")]


def real_parameters(node: Documented) -> list[str]:
    """Parameters of a function, of a class's `__init__`, or the fields of a dataclass."""
    if isinstance(node, ast.ClassDef):
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                return real_parameters(method)
        return [
            s.target.id for s in node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
        ]
    args = node.args
    names = [a.arg for a in (*args.posonlyargs, *args.args)]
    names += [f"*{args.vararg.arg}"] if args.vararg else []
    names += [a.arg for a in args.kwonlyargs]
    names += [f"**{args.kwarg.arg}"] if args.kwarg else []
    return [name for name in names if name not in ("self", "cls")]


WITH_PARAMETERS = {
    name: node for name, node in EVERYTHING.items() if "Parameters\n" in (ast.get_docstring(node) or "")
}


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_documented_parameters_are_those_of_the_signature(name: str) -> None:
    node = WITH_PARAMETERS[name]
    assert sorted(documented_parameters(ast.get_docstring(node) or "")) == sorted(real_parameters(node))


def test_the_checks_above_have_something_to_check() -> None:
    assert len(WITH_PARAMETERS) >= 15
    function = ast.parse(
        "def f(a, b=1, *c, d, **e):\n  '''X.\n\n  Parameters\n  ----------\n  a, b : int\n    Y.\n  '''"
    )
    assert documented_parameters(ast.get_docstring(function.body[0]) or "") == ["a", "b"]
    assert real_parameters(function.body[0]) == ["a", "b", "*c", "d", "**e"]


@pytest.mark.parametrize("name", sorted(set(liqfeature.__all__) - {"COLUMNS"}))
def test_what_the_package_exports_is_documented_with_its_parameters(name: str) -> None:
    module = getattr(liqfeature, name).__module__.removeprefix("liqfeature.")
    node = EVERYTHING[f"{module}.{name}"]
    assert ast.get_docstring(node)
    is_error = isinstance(node, ast.ClassDef) and name.endswith("Error")
    if not is_error:
        assert documented_parameters(ast.get_docstring(node) or "") == real_parameters(node)


@pytest.mark.parametrize("name", EVERYTHING)
def test_everything_public_has_a_docstring(name: str) -> None:
    assert ast.get_docstring(EVERYTHING[name])


def test_the_site_has_an_entry_for_every_column() -> None:
    text = hooks().column_entries()
    entries = re.split(r"^### ", text, flags=re.M)[1:]
    names = [name for entry in entries for name in re.findall(r"`(liq_\w+)`", entry.splitlines()[0])]
    assert names == list(DESCRIBED) == [*COLUMNS, *FURTHER, *WINDOWS]
    for entry in entries:
        column = DESCRIBED[re.findall(r"`(liq_\w+)`", entry)[0]]
        assert f"- Unit: {column.unit}\n" in entry
        assert column.meaning[1:] in entry
    assert "<!-- columns -->" in (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
    assert len(columns_table().splitlines()) == len(entries) + 2


def test_links_out_of_the_site_lead_to_the_repository_or_nowhere() -> None:
    page = "[a](../liqfeature/x.py), ![b](b.webp), [c](model.md#there)"
    assert hooks().source_links(page, "") == "a, ![b](b.webp), [c](model.md#there)"
    assert "[a](https://e.org/r/blob/main/liqfeature/x.py)" in hooks().source_links(page, "https://e.org/r/")


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    build = ["mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *build], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    for page in ROOT.glob("docs/*.md"):
        folder = tmp_path if page.stem == "index" else tmp_path / page.stem
        assert "<h1" in (folder / "index.html").read_text(encoding="utf-8"), page.name
    reference = (tmp_path / "api" / "index.html").read_text(encoding="utf-8")
    for name in set(liqfeature.__all__) - {"COLUMNS"}:
        assert re.search(rf'id="liqfeature\.[\w.]*\b{name}"', reference), name
    model = (tmp_path / "model" / "index.html").read_text(encoding="utf-8")
    assert "<mi>f</mi><mi>t</mi>" in model
    assert "arithmatex" not in model
    assert not re.search(r'<script[^>]+src="https?:', model), "a page that needs the internet"
    assert "Unreleased" in (tmp_path / "changelog" / "index.html").read_text(encoding="utf-8")


def test_every_column_says_what_it_is_worth() -> None:
    table, entries = worth_table(), hooks().column_entries()
    assert sorted(re.findall(r"`(liq_[a-z_0-9]+)` *[,|]", table)) == sorted(DESCRIBED)
    said = {worth_of(name) for name in DESCRIBED}
    assert said == set(WORTH.values())
    assert all(f"- Worth: {worth_of(name)}\n" in entries for name in DESCRIBED)


def test_columns_explain_themselves() -> None:
    for name, column in COLUMNS.items():
        assert re.fullmatch(r"liq_[a-z]+(_[a-z]+)?(_\d\d)?(_(above|below|long|short))?", name)
        assert column.lowest < column.highest
        assert len(column.meaning.split()) >= 3
        assert column.unit


def test_the_recorder_s_table_is_the_schema():
    text = (README.parent / "docs" / "recording.md").read_text(encoding="utf-8")
    assert "\n".join(f"| `{name}` | {rule} |" for name, rule in RECORDED.items()) in text


def test_the_docs_name_every_reason_of_liq_health() -> None:
    text = (ROOT / "docs" / "your-strategy.md").read_text(encoding="utf-8")
    said = {
        Reason.WARM_UP: "too few candles",
        Reason.STALE_OPEN_INTEREST: "late open interest",
        Reason.LOW_QUALITY: "low `liq_quality`",
        Reason.NO_OPEN_INTEREST: "no open interest where the exchange has one",
        Reason.UNTRADED: "a day in which one candle of twenty had no trade or was missing",
        Reason.ASSUMED_LIMITS: "a leverage limit that is assumed",
        Reason.UNKNOWN_SIZE: "a contract size that is not known",
    }
    assert list(said) == list(Reason)
    assert "\n".join(f"| {int(reason)} | {words} |" for reason, words in said.items()) in text


# What docs/strategy.md says of the strategy.

GUIDE = (ROOT / "docs" / "strategy.md").read_text(encoding="utf-8")
STRATEGY = ast.parse((ROOT / "user_data/strategies/LiquidationClusters.py").read_text(encoding="utf-8"))
TRADES = ast.parse((PACKAGE / "strategy" / "trades.py").read_text(encoding="utf-8"))


def words_in(tree: ast.AST, function: str) -> set[str]:
    """Strings of a function's body that look like tags, its docstring apart."""
    (node,) = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == function)
    body = node.body[1:] if ast.get_docstring(node) else node.body
    texts = (n.value for part in body for n in ast.walk(part) if isinstance(n, ast.Constant))
    return {text for text in texts if isinstance(text, str) and re.fullmatch(r"[a-z]+(_[a-z]+)*", text)}


TAGS = words_in(STRATEGY, "populate_entry_trend") - {"enter_long", "enter_short", "enter_tag"}
LEVERS = {"exit_long", "exit_short", "exit_tag", "cleared", "remaining"}
REASONS = (
    (words_in(STRATEGY, "populate_exit_trend") - LEVERS)
    | words_in(TRADES, "custom_exit")
    | words_in(TRADES, "adjust_trade_position")
)


def test_tags_and_reasons_are_read_off_the_code() -> None:
    assert {"shorts_above", "longs_swept", "through_longs"} < TAGS
    assert len(TAGS) == 6
    assert {"peak", "near_edge", "fuel_spent", "funding", "no_plan"} < REASONS


@pytest.mark.parametrize("name", sorted(TAGS | REASONS))
def test_the_guide_names_every_entry_tag_and_exit_reason(name: str) -> None:
    heading = [line for line in GUIDE.splitlines() if f"`{name}`" in line and line.startswith(("#", "|"))]
    assert heading
    drawn = re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", GUIDE)
    assert name == "no_plan" or any(re.search(rf"\b{name}\b", told) for told, _ in drawn)


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))])
def test_pictures_and_files_that_a_page_links_to_are_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    linked = [link for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) if "://" not in link]
    assert [link for link in linked if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_pictures_of_trades_are_small() -> None:
    pictures = [*ROOT.glob("docs/trades-*.webp"), *ROOT.glob("docs/exits-*.webp")]
    assert len(pictures) >= len(TAGS)
    assert [picture.name for picture in pictures if picture.stat().st_size > 60_000] == []


def searched(call: ast.Call) -> str:
    """What the table says of a parameter's range."""
    options = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    if options.get("optimize") is False:
        return "not searched"
    if isinstance(call.func, ast.Name) and call.func.id == "BooleanParameter":
        return "True, False"
    choices = [ast.literal_eval(argument) for argument in call.args]
    return ", ".join(choices[0]) if len(choices) == 1 else f"{choices[0]} to {choices[1]}"


def test_the_table_of_parameters_is_that_of_the_strategy() -> None:
    (strategy,) = (node for node in STRATEGY.body if isinstance(node, ast.ClassDef))
    told = {
        node.targets[0].id: (default, searched(node.value))
        for node in strategy.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        for default in (next((k.value for k in node.value.keywords if k.arg == "default"), None),)
        if default is not None and isinstance(node.targets[0], ast.Name)
    }
    table = GUIDE.partition("<!-- parameters -->\n")[2].partition("\n<!-- /parameters -->")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert {name.strip("`"): (default, span) for name, default, span, _ in rows} == {
        name: (str(ast.literal_eval(default)), span) for name, (default, span) in told.items()
    }


# Commands in the docs.


def commands(page: str) -> list[list[str]]:
    """Commands of a page's blocks of code, continued lines joined."""
    text = (ROOT / page).read_text(encoding="utf-8")
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    blocks = [block for language, block in fenced if language in ("", "bash")]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line.replace(".venv/bin/", ""), comments=True) for line in lines if line.strip()]


COMMANDS = [
    (page, words)
    for page in ("README.md", *(f"docs/{path.name}" for path in sorted(ROOT.glob("docs/*.md"))))
    for words in commands(page)
]


@pytest.mark.parametrize(("page", "words"), COMMANDS)
def test_commands_in_the_docs_parse(page: str, words: list[str]) -> None:
    program, *arguments = words
    if program == "liqfeature":
        told = vars(_parser().parse_args(arguments))
        nested = told.get("command") or []  # of `sandbox run`
        assert nested == [] or nested[0] == "--"
        if nested:
            test_commands_in_the_docs_parse(page, nested[1:])
    elif program == "freqtrade":
        arguments_of = pytest.importorskip("freqtrade.commands.arguments").Arguments
        told = arguments_of(arguments).get_parsed_arg()
        files = [*(told.get("config") or []), told.get("strategy_path") or "configs"]
        written = {  # by the sandbox, by init, by the user
            "user_data/sandbox/exchange.json",
            "user_data/liqfeature.json",
            "user_data/config.json",
        }
        assert [name for name in files if name not in written and not (ROOT / name).exists()] == []
    elif program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
        assert set(arguments) <= set(targets)
    elif program == "pip":
        named = re.findall(r"\[(\w+)\]", arguments[-1])
        assert arguments[0] == "install"
        assert named
        assert set(named) <= set(PROJECT["optional-dependencies"])
    elif program == "docker":
        compose, file, *inside = arguments[1:]
        assert (arguments[0], compose) == ("compose", "--file")
        assert (ROOT / file).exists()
        if "liqfeature" in inside:
            _parser().parse_args(inside[inside.index("freqtrade") + 1 :])
    elif program == "python":
        assert (ROOT / arguments[0]).exists()
    else:
        pytest.fail(f"{program} is no program that the docs may use without a language's name")


def test_the_docs_have_commands_of_every_kind() -> None:
    assert {words[0] for _, words in COMMANDS} >= {
        "liqfeature",
        "freqtrade",
        "make",
        "python",
        "pip",
        "docker",
    }
    assert {page for page, _ in COMMANDS} >= {"README.md", "docs/strategy.md"}
