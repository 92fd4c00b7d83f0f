"""Builds a plugin's component: `python _build.py --plugin DIR --sdk DIR --wit DIR --world NAME --work DIR --output FILE`.

It is run by the Python that componentize-py is installed for, and needs nothing else. What it says on standard error is for
the plugin's author; it exits with 1 where the plugin is wrong, and with 2 where the toolchain is.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# The house's interfaces have modules of fixed names, whatever else the world names so.
IMPORTS = [
    ("poolhouse:database/types@0.1.0", "poolhouse_database_types"),
    ("poolhouse:database/database@0.1.0", "poolhouse_database"),
    ("poolhouse:plugin/types@0.1.0", "poolhouse_plugin_types"),
    ("poolhouse:trading/types@0.1.0", "poolhouse_trading_types"),
    ("wasi:logging/logging@0.1.0-draft", "wasi_logging"),
]
EXPORTS = [("poolhouse:trading/strategy@0.1.0", "strategy"), ("poolhouse:plugin/migrations@0.1.0", "migrations")]

# The Python inside the component.
INSIDE = (3, 14)

# The modules of its library that Python 3.9 has not.
NEWER = {"annotationlib", "compression", "concurrent", "string", "tomllib"}

# What the check writes before its errors, where these may be due to the Python that it runs in.
DOUBT = "in doubt"

# A host that runs in the plugin's folder leaves its database and its socket there.
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.pyc", "*.wasm", "*.db", "*.db-wal", "*.db-shm")

CHECK = f"""
import sys, traceback
sys.dont_write_bytecode = True
sys.path[:0] = sys.argv[1:]
from poolhouse import _glue
try:
    import poolhouse._app
except _glue.ExportError as error:
    sys.exit(f"error: {{error}}")
except Exception as error:
    # A module that nobody has is missing from the newer Python, too; syntax and names may have come with it.
    missing = isinstance(error, ModuleNotFoundError) and error.name.partition(".")[0] not in {NEWER}
    if sys.version_info < {INSIDE} and isinstance(error, (SyntaxError, ImportError, AttributeError, TypeError)) and not missing:
        print("{DOUBT}", file=sys.stderr)
    # The frames before the plugin's own are the build's.
    trace = traceback.TracebackException.from_exception(error)
    while trace.stack and not trace.stack[0].filename.startswith(sys.argv[2]):
        del trace.stack[0]
    sys.exit("".join(trace.format()).rstrip())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds a Poolhouse plugin's component.")
    for name, what in [
        ("plugin", "the plugin's folder, with plugin.py"),
        ("sdk", "the folder of this package"),
        ("wit", "the folder of the plugin's WIT, complete with deps"),
        ("world", "the world's name"),
        ("signatures", "what the world's functions take and answer, in JSON"),
        ("work", "a folder of its own for what is made on the way"),
        ("output", "the component to write"),
    ]:
        parser.add_argument(f"--{name}", required=True, type=str if name == "world" else Path, help=what)
    build(**vars(parser.parse_args()))


def build(plugin: Path, sdk: Path, wit: Path, world: str, signatures: Path, work: Path, output: Path) -> None:
    try:
        import componentize_py
    except ImportError:
        fail(2, "componentize-py is not installed for this Python; run `pip install componentize-py==0.25.1`")
    plugin, work = plugin.resolve(), work.resolve()
    source = plugin / "plugin.py"
    if not source.is_file():
        fail(1, f"{source} is not there; a plugin in Python is written in plugin.py")
    if (plugin / "strategy.py").exists():
        fail(1, f"{plugin / 'strategy.py'} has a name that the component needs; call the module otherwise")
    for folder in ("bindings", "library", "plugin"):
        shutil.rmtree(work / folder, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    library, copy, bindings = work / "library", work / "plugin", work / "bindings"
    shutil.copytree(sdk, library / "poolhouse", ignore=shutil.ignore_patterns(".*", "__pycache__", "tests"))
    exports = json.loads(signatures.read_text(encoding="utf-8"))["exports"]
    (library / "poolhouse/_signatures.py").write_text(f"EXPORTS = {exports!r}\n", encoding="utf-8")
    shutil.copytree(plugin, copy, ignore=left_out(plugin, work))

    names = {"import_interface_names": IMPORTS, "export_interface_names": EXPORTS}
    common = dict(
        wit_path=[str(wit)],
        worlds=[world],
        features=[],
        all_features=False,
        world_module=None,
        full_names=False,
        **names,
    )
    os.environ["RUST_BACKTRACE"] = "0"
    try:
        componentize_py.generate_bindings(output_dir=str(bindings), **common)
    except Exception as error:
        causes = re.split(r"\n+Stack backtrace:", str(error), maxsplit=1)[0].strip()
        fail(1, f"the WIT in {wit} can't be used: {causes}")
    check(library, plugin, bindings)
    output.parent.mkdir(parents=True, exist_ok=True)
    made = output.with_name(f".{output.name}.part")
    try:
        componentize_py.componentize(
            python_path=[str(library), str(copy)],
            module_worlds=[],
            app_name="poolhouse._app",
            output_path=str(made),
            stub_wasi=False,
            intersect_world=None,
            **common,
        )
    except Exception as error:
        fail(1, said(str(error), plugin, sdk))
    made.replace(output)


def left_out(plugin: Path, work: Path):
    """What of the plugin's folder is no part of the component: the SDK, the WIT, tests, whatever is hidden, and what is no file."""

    def ignore(folder: str, names: list[str]) -> set[str]:
        ignored = LEFT_OUT(folder, names)
        if Path(folder) == plugin:
            ignored |= {"poolhouse", "wit"} | {name for name in names if name.startswith("test_")}
        for path in (Path(folder) / name for name in names):
            # Sockets, pipes, and links that lead nowhere.
            if path.resolve() == work or not (path.is_file() or path.is_dir()):
                ignored.add(path.name)
        return ignored

    return ignore


def check(library: Path, plugin: Path, bindings: Path) -> None:
    """Imports the plugin natively, which takes a moment where the component takes ten seconds to fail."""
    paths = [str(library), str(plugin), str(bindings)]
    checked = subprocess.run([sys.executable, "-I", "-c", CHECK, *paths], stderr=subprocess.PIPE, text=True)
    # What another Python finds wrong is left to the component's own to say.
    if checked.returncode and not checked.stderr.startswith(DOUBT):
        sys.stderr.write(checked.stderr)
        sys.exit(1)


def said(message: str, plugin: Path, sdk: Path) -> str:
    """What Python said in the component, without what the toolchain adds, and with the author's own paths."""
    message = re.split(r"\n+(?:Caused by:|Stack backtrace:)", message, maxsplit=1)[0].strip()
    # What stands before the plugin's own frames is the build's.
    message = re.sub(r'  File "/0/poolhouse/_app\.py".*?\n(?=  File )', "", message, count=1, flags=re.DOTALL)
    for mount, folder in (("/0/poolhouse", sdk), ("/1", plugin)):
        message = message.replace(f'File "{mount}/', f'File "{folder}/')
        message = re.sub(rf"(?m)(^|: ){mount}/", rf"\1{folder}/", message)
    return message.rpartition("poolhouse._glue.ExportError: ")[2]


def fail(code: int, message: str) -> None:
    sys.stderr.write(message if message.startswith(("Traceback", "error:", "  File")) else f"error: {message}")
    sys.stderr.write("\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
