"""The rules of the house, held on the source itself."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("ingest", "graph", "kb_service")
MAY_IMPORT = {
    "ingest": {"ingest"},
    "graph": {"graph"},
    "kb_service": {"kb_service", "ingest", "graph"},
}

CONFINED = {
    "torch": "ingest/transformers.py",
    "sentence_transformers": "ingest/transformers.py",
    "transformers": "ingest/transformers.py",
    "huggingface_hub": "ingest/transformers.py",
    "onnxruntime": "ingest/embedding.py",
    "tokenizers": "ingest/embedding.py",
    "pypinyin": "ingest/spelling.py",
    "rapidfuzz": "ingest/spelling.py",
    "symspellpy": "ingest/spelling.py",
    "faiss": "kb_service/search/dense.py",
    "tantivy": "kb_service/search/lexical.py",
    "networkx": "graph/",
    "sqlalchemy": "kb_service/store/",
    "alembic": "kb_service/store/",
    "fastapi": "kb_service/",
    "starlette": "kb_service/",
}
FORBIDDEN = frozenset({"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"})
FILES = {"io", "os", "pathlib", "shutil", "sqlite3", "tempfile"}
NETWORK = {"asyncio", "http", "httpx", "requests", "socket", "subprocess", "urllib"}
WALL_CLOCK = frozenset({"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"})
TORCH_SIDE = ("torch", "transformers", "sentence_transformers", "sklearn")
NEVER_FOR_HELP = (
    *TORCH_SIDE,
    *("numpy", "scipy", "onnxruntime", "tokenizers", "faiss", "tantivy", "networkx"),
    *("sqlalchemy", "alembic", "fastapi", "starlette", "uvicorn", "httpx"),
)


@dataclass(frozen=True)
class Import:
    """One import of one file; `at_import` when it runs with the file, not in a function or for types."""

    module: str
    line: int
    at_import: bool


@dataclass(frozen=True)
class Source:
    path: str
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def room(self) -> str:
        return self.path.split("/")[0]

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imports(tree: ast.Module, package: str) -> Iterator[Import]:
    def visit(node: ast.AST, at_import: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, at_import)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(f"{name}.{alias.name}", node.lineno, at_import)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for statement in node.body:
                yield from visit(statement, False)
            for statement in node.orelse:
                yield from visit(statement, at_import)
        else:
            inside = at_import and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                yield from visit(child, inside)

    yield from visit(tree, True)


@functools.cache
def _sources() -> tuple[Source, ...]:
    sources = []
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            tree = ast.parse(file.read_text(encoding="utf-8"), path)
            package = ".".join(path.split("/")[:-1])
            sources.append(Source(path, tree, tuple(_imports(tree, package))))
    return tuple(sources)


def _faults(found: Iterator[str]) -> None:
    faults = sorted(set(found))
    assert not faults, "\n" + "\n".join(faults)


def test_the_rooms_are_here() -> None:
    assert {source.room for source in _sources()} == set(ROOMS)


def test_rooms_import_in_one_direction() -> None:
    _faults(
        f"{source.path}:{each.line} imports {each.module}"
        for source in _sources()
        for each in source.imports
        if (room := each.module.split(".")[0]) in ROOMS and room not in MAY_IMPORT[source.room]
    )


def test_nothing_imports_in_a_circle() -> None:
    modules = {source.module for source in _sources()}
    below: dict[str, set[str]] = {}
    for source in _sources():
        named = {each.module for each in source.imports if each.at_import}
        named |= {name.rpartition(".")[0] for name in named}
        below[source.module] = (named & modules) - {source.module}
        if source.path.endswith("/__init__.py"):
            # A package may gather the names of its own modules.
            below[source.module] = {
                name for name in below[source.module] if not name.startswith(f"{source.module}.")
            }
    try:
        TopologicalSorter(below).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_heavy_libraries_stay_in_their_places() -> None:
    _faults(
        f"{source.path}:{each.line} imports {each.module}, which belongs in {CONFINED[library]}"
        for source in _sources()
        for each in source.imports
        if (library := each.module.split(".")[0]) in CONFINED
        and not source.path.startswith(CONFINED[library])
    )


def test_routes_and_pages_touch_neither_store_nor_search() -> None:
    _faults(
        f"{source.path}:{each.line} imports {each.module}"
        for source in _sources()
        for each in source.imports
        if source.path.startswith(("kb_service/routes/", "kb_service/console/"))
        and re.match(r"kb_service\.(store|search)(\.|$)", each.module)
    )


def test_the_lower_floors_know_nothing_of_the_upper() -> None:
    upper = r"kb_service\.(cli|app|routes|console|knowledge|answering|casework|routing)(\.|$)"
    lower = ("store", "search", "delivery", "security", "settings", "errors")
    _faults(
        f"{source.path}:{each.line} imports {each.module}"
        for source in _sources()
        for each in source.imports
        if source.path.startswith(tuple(f"kb_service/{name}" for name in lower))
        and re.match(upper, each.module)
    )


def test_no_pickles() -> None:
    _faults(
        f"{source.path}:{each.line} imports {each.module}"
        for source in _sources()
        for each in source.imports
        if each.module.split(".")[0] in FORBIDDEN
    )


def test_no_model_runs_its_own_code() -> None:
    _faults(
        f"{source.path}:{node.value.lineno} sets trust_remote_code"
        for source in _sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.keyword)
        and node.arg == "trust_remote_code"
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
    )


def test_no_module_without_a_noun() -> None:
    _faults(
        source.path
        for source in _sources()
        if {"utils", "util", "helpers", "misc", "common"} & set(source.path.removesuffix(".py").split("/"))
    )


def test_graph_touches_no_file_no_database_and_no_network() -> None:
    _faults(
        f"{source.path}:{each.line} imports {each.module}"
        for source in _sources()
        for each in source.imports
        if source.room == "graph" and each.module.split(".")[0] in FILES | NETWORK
    )


def test_the_core_is_told_the_time() -> None:
    _faults(
        f"{source.path}:{node.lineno} reads the clock"
        for source in _sources()
        for node in ast.walk(source.tree)
        if source.room in ("ingest", "graph")
        and isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in WALL_CLOCK
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("datetime", "date", "time")
    )


def test_every_library_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {_name(requirement) for requirement in project["dependencies"]}
    providers = importlib.metadata.packages_distributions()
    _faults(
        f"{source.path}:{each.line} imports {library}, which pyproject.toml does not declare"
        for source in _sources()
        for each in source.imports
        if (library := each.module.split(".")[0]) not in sys.stdlib_module_names
        and library not in ROOMS
        and library != "__future__"
        and not {_name(provider) for provider in providers.get(library, [library])} & declared
    )


def test_the_locks_hold_every_declared_library() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for lock, requirements in {
        "requirements.lock": project["dependencies"],
        "requirements-dev.lock": project["dependencies"] + project["optional-dependencies"]["dev"],
    }.items():
        text = (ROOT / lock).read_text(encoding="utf-8")
        locked = {_name(line) for line in text.splitlines() if re.match("[a-z]", line)}
        # Torch is installed apart: its builds for CPU and CUDA carry different versions.
        assert {_name(requirement) for requirement in requirements} - locked == {"torch"}, lock
        assert "torch" not in locked
        assert not [line for line in text.splitlines() if line.startswith("-") or "file:" in line]


def _name(requirement: str) -> str:
    matched = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert matched, requirement
    return re.sub(r"[-_.]+", "-", matched[0]).lower()


def _loaded_by(script: str) -> set[str]:
    """The top-level modules that a fresh process holds after running a script."""
    ending = """
import sys, json
sys.stderr.write("\\n" + json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""
    done = subprocess.run(
        [sys.executable, "-c", script + ending],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    modules: list[str] = json.loads(done.stderr.splitlines()[-1])
    return set(modules)


@pytest.mark.parametrize("module", ["ingest.embedding", "kb_service.app"])
def test_serving_leaves_torch_out(module: str) -> None:
    assert not _loaded_by(f"import {module}") & set(TORCH_SIDE)


HELP = """
import sys
from kb_service.cli import main
sys.argv = ["kb", "--help"]
try:
    main()
except SystemExit:
    pass
"""


def test_help_imports_nothing_heavy() -> None:
    assert not _loaded_by(HELP) & set(NEVER_FOR_HELP)


def test_help_answers_at_once() -> None:
    def best(script: str) -> float:
        seconds = []
        for _ in range(3):
            begun = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", script],
                cwd=ROOT,
                env={**os.environ, "COLUMNS": "80"},
                stdout=subprocess.DEVNULL,
                check=True,
            )
            seconds.append(time.perf_counter() - begun)
        return min(seconds)

    # Half a second on an idle machine, where an empty process takes 15 ms; a busy one slows both.
    assert best(HELP) < max(0.5, 30 * best("pass"))
