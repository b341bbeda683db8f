"""Who may import whom. This list decides."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import liqfeature

ROWS = (
    ("errors", "types", "checks", "compiled", "durations", "moved", "sides"),
    ("exchange",),
    ("market",),
    ("estimate",),
    ("data",),
    ("columns", "heatmap"),
    ("scoring", "recorder", "sandbox"),
    ("strategy", "calibration", "chart", "serve", "walkforward"),
    ("__init__",),
    ("cluster", "doctor", "userdir"),
    ("cli",),
)
"""A package imports from rows above its own, and from itself."""

ISLAND = (*ROWS[0], "exchange", "data.schema", "sandbox")
"""All that the sandbox may import: a market built on the estimator's assumptions would prove nothing."""

OPTIONAL = {
    "ccxt",
    "aiohttp",
    "cloudpickle",
    "dask",
    "distributed",
    "fastapi",
    "freqtrade_client",
    "joblib",
    "plotly",
    "pyarrow",
    "rich",
    "starlette",
    "ta",
    "uvicorn",
}
"""Imported where they are used, never at the top of a module."""

CORE = {"numpy", "pandas", "numba", "liqfeature"}

ROOT = Path(liqfeature.__file__).parent
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.rglob("*.py"))
}


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of what a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_at_once(tree: ast.Module) -> set[str]:
    """First parts of the names of packages that importing a module imports."""
    body = [
        node
        for node in tree.body
        if not (
            isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        )
    ]
    lazy = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    stack: list[ast.AST] = list(body)
    names: set[str] = set()
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {name.split(".")[0] for name in imported(node)}
        elif not isinstance(node, lazy):
            stack.extend(ast.iter_child_nodes(node))
    return names


def own(tree: ast.AST) -> set[str]:
    """Modules of the package that a module imports, without the package's name."""
    names = {name.removeprefix("liqfeature.") for name in imported(tree) if name.startswith("liqfeature.")}
    return {name for name in names if name in SOURCES or f"{name}.__init__" in SOURCES}


def row_of(module: str) -> int:
    (row,) = [i for i, packages in enumerate(ROWS) if package_of(module) in packages]
    return row


def package_of(module: str) -> str:
    return module.split(".")[0]


@pytest.mark.parametrize("module", SOURCES)
def test_a_module_imports_only_from_rows_above_its_own(module: str) -> None:
    for name in own(SOURCES[module]):
        if row_of(name) or row_of(module):
            inside = package_of(name) == package_of(module)
            assert inside or row_of(name) < row_of(module), f"{module} must not import {name}"


def test_no_import_runs_in_a_circle() -> None:
    """What a module needs at once is there before it: a circle has no first module."""
    waiting = {module: own(tree) for module, tree in SOURCES.items()}
    while ready := {module for module, needed in waiting.items() if not needed & set(waiting)}:
        waiting = {module: needed for module, needed in waiting.items() if module not in ready}
    assert sorted(waiting) == []


@pytest.mark.parametrize("module", [m for m in SOURCES if m.startswith("sandbox.")])
def test_the_sandbox_is_an_island(module: str) -> None:
    for name in own(SOURCES[module]):
        assert package_of(name) in ISLAND or name in (*ISLAND, "data.__init__"), f"{module}: {name}"


@pytest.mark.parametrize("module", SOURCES)
def test_only_the_core_dependencies_are_imported_at_once(module: str) -> None:
    at_once = imported_at_once(SOURCES[module]) - set(sys.stdlib_module_names)
    assert at_once <= CORE


@pytest.mark.parametrize("module", SOURCES)
def test_freqtrade_is_never_imported_and_the_rest_is_a_named_extra(module: str) -> None:
    anywhere = {name.split(".")[0] for name in imported(SOURCES[module])}
    assert anywhere - set(sys.stdlib_module_names) - CORE <= OPTIONAL


def test_importing_the_package_loads_nothing_and_using_it_the_core_alone() -> None:
    program = """
import sys
import liqfeature
print(*sorted({name.split(".")[0] for name in sys.modules} & {"numpy", "pandas", "numba"}))
import numpy, pandas, numba
core = {name.split(".")[0] for name in sys.modules}
from liqfeature import COLUMNS, HeatmapConfig, liquidation_features
print(*sorted({name.split(".")[0] for name in sys.modules} - core - set(sys.stdlib_module_names)))
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("liqfeature.")}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    at_import, beside_the_core, packages = done.stdout.splitlines()
    assert at_import == beside_the_core == ""
    assert set(packages.split()) <= {*ROWS[0], "exchange", "market", "estimate", "columns"}


def test_the_table_of_the_architecture_is_this_one():
    page = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (\d+) \| `(\w+)/?`", page, flags=re.MULTILINE)
    told = [(int(row), "__init__" if name == "liqfeature" else name) for row, name in table]
    assert sorted(told) == sorted((i, name) for i, names in enumerate(ROWS[1:], start=2) for name in names)
