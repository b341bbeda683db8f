"""What is written about the code says what the code does."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import liqfeature
from liqfeature import COLUMNS
from liqfeature.columns import columns_table
from liqfeature.data.schema import RECORDED
from liqfeature.health import Reason

PACKAGE = Path(liqfeature.__file__).parent
README = PACKAGE.parent / "README.md"

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


def test_the_table_in_the_readme_is_the_one_in_the_code() -> None:
    text = README.read_text(encoding="utf-8")
    table = text.partition("<!-- columns -->\n")[2].partition("\n<!-- /columns -->")[0]
    assert table == columns_table()
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert re.findall(r"`(liq_\w+)`", table) == list(COLUMNS)
    for names, unit, meaning in rows:
        for name in re.findall(r"`(\w+)`", names):
            column = COLUMNS[name]
            assert unit.split(", ")[0] == column.unit
            assert meaning == column.meaning


def test_columns_explain_themselves() -> None:
    for name, column in COLUMNS.items():
        assert re.fullmatch(r"liq_[a-z]+(_(above|below|long|short))?", name)
        assert column.lowest < column.highest
        assert len(column.meaning.split()) >= 3
        assert column.unit


def test_the_recorder_s_table_is_the_schema():
    text = (README.parent / "docs" / "recording.md").read_text(encoding="utf-8")
    assert "\n".join(f"| `{name}` | {rule} |" for name, rule in RECORDED.items()) in text


def test_the_readme_names_every_reason_of_liq_health():
    text = " ".join(README.read_text(encoding="utf-8").split())
    assert (
        "1 for too few candles, 2 for late open interest, 4 for low `liq_quality`, 8 for no open interest"
        in text
    )
    reasons = [Reason.WARM_UP, Reason.STALE_OPEN_INTEREST, Reason.LOW_QUALITY, Reason.NO_OPEN_INTEREST]
    assert [int(reason) for reason in reasons] == [1, 2, 4, 8]
    assert list(Reason) == reasons
