"""Who may import whom. This list decides."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import liqfeature

ROWS = (
    ("errors", "types", "compiled"),
    ("checks", "tiers"),
    ("margin", "grid", "flow", "clusters", "week", "judgement"),
    ("leverage", "cascade", "kernels"),
    ("config", "tables", "botconfig"),
    ("join", "liquidations"),
    ("candles",),
    ("heatmap",),
    ("features", "risk", "plot", "snapshot", "signals", "context", "health"),
    ("plan", "history", "funding", "sizing", "freqai"),
    ("data",),
    ("export", "source", "annotations", "feed"),
    ("mixin",),
    ("scoring", "recorder"),
    ("calibration",),
    ("chart", "ladder"),
    ("columns", "show", "walkforward", "doctor"),
    ("cli", "__init__"),
)
"""A module imports from rows above its own, and a folder from itself."""

ISLAND = ("errors", "types", "compiled", "checks", "tiers", "margin", "data.schema", "sandbox")
"""All that the sandbox may import: a market built on the estimator's assumptions would prove nothing."""

OPTIONAL = {"ccxt", "aiohttp", "plotly", "pyarrow", "rich", "ta"}
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
    (row,) = [i for i, modules in enumerate(ROWS) if module.split(".")[0] in modules]
    return row


@pytest.mark.parametrize("module", [m for m in SOURCES if not m.startswith("sandbox.")])
def test_a_module_imports_only_from_rows_above_its_own(module: str) -> None:
    for name in own(SOURCES[module]):
        if name.split(".")[0] == "sandbox":
            assert module in ("cli", "scoring.command"), f"{module} must not import {name}"
        elif name.split(".")[0] != module.split(".")[0]:
            assert row_of(name) < row_of(module), f"{module} must not import {name}"


@pytest.mark.parametrize("module", [m for m in SOURCES if m.startswith("sandbox.")])
def test_the_sandbox_is_an_island(module: str) -> None:
    for name in own(SOURCES[module]):
        assert name in (*ISLAND, "data") or name.startswith("sandbox."), f"{module} must not import {name}"


@pytest.mark.parametrize("module", SOURCES)
def test_only_the_core_dependencies_are_imported_at_once(module: str) -> None:
    at_once = imported_at_once(SOURCES[module]) - set(sys.stdlib_module_names)
    assert at_once <= CORE


@pytest.mark.parametrize("module", SOURCES)
def test_freqtrade_is_never_imported_and_the_rest_is_a_named_extra(module: str) -> None:
    anywhere = {name.split(".")[0] for name in imported(SOURCES[module])}
    assert anywhere - set(sys.stdlib_module_names) - CORE <= OPTIONAL


def test_the_model_knows_no_pandas() -> None:
    model = {m for rows in ROWS[: row_of("tables")] for m in rows} | {"config"}
    for module, tree in SOURCES.items():
        if module.split(".")[0] in model:
            assert "pandas" not in {name.split(".")[0] for name in imported(tree)}, module


def test_importing_the_package_loads_nothing_but_the_core() -> None:
    program = """
import sys, numpy, pandas, numba
core = {name.split(".")[0] for name in sys.modules}
import liqfeature
print(*sorted({name.split(".")[0] for name in sys.modules} - core - set(sys.stdlib_module_names)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["liqfeature"]
