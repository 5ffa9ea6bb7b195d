"""Runs by itself in MWAA's environment: imports each DAG file of a folder, and each module that its tasks import.

It prints how long the DAG files took and what failed, and ends with 1 where something did.
"""

import ast
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag


def imported(tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    """Each module that is imported anywhere in the code, with the name taken from it; not those for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)
        yield from imported(node)


def failure(module: str, name: str | None) -> str | None:
    """Why `from module import name` fails; None where it doesn't."""
    try:
        if not hasattr(importlib.import_module(module), name or "__name__"):
            importlib.import_module(f"{module}.{name}")
    except Exception as error:  # whatever a module raises, MWAA would raise too
        return f"{type(error).__name__}: {error}"
    return None


def main(folder: Path) -> int:
    """Parse the DAG files as Airflow does, .airflowignore respected, and import what is imported below `folder`."""
    sys.path.append(str(folder))  # where Airflow puts it: behind the installed packages
    bag = DagBag(dag_folder=folder, include_examples=False)
    for stat in bag.dagbag_stats:
        print(f"{stat.file.strip('/')}: {stat.dag_num} DAG, parsed in {stat.duration.total_seconds() * 1000:.0f} ms")
    failed = [f"{Path(path).name}: {trace}" for path, trace in bag.import_errors.items()]
    # What lies in sagemaker_scripts/ runs in SageMaker's image, not in Airflow.
    files = [path for path in sorted(folder.rglob("*.py")) if "sagemaker_scripts" not in path.parts]
    seen: dict[tuple[str, str | None], str | None] = {}
    for path in files:
        for module, name in imported(ast.parse(path.read_text())):
            reason = seen.setdefault((module, name), None) or failure(module, name)
            seen[module, name] = reason
            if reason:
                failed.append(f"{path.relative_to(folder)} imports {module}{f'.{name}' if name else ''}: {reason}")
    print(f"{len(files)} files import {len(seen)} names, {len(failed)} failures")
    print("\n".join(failed), file=sys.stderr)
    return 1 if failed or not bag.dags else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
