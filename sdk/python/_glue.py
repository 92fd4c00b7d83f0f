"""Ties what a plugin exports to what the component-model toolchain looks for, and says what is missing.

It runs when the component is built: natively, on bindings that do nothing, for its checks; and inside the component before
its memory is kept, for the calls that come later.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

try:
    import annotationlib
except ImportError:
    annotationlib = None

from . import _exports, log
from ._lower import lowering
from ._shapes import checked
from ._texts import made_utf8
from .failure import FAILURE_KINDS, DatabaseError, Err, Failure


class ExportError(Exception):
    """The plugin does not export what its world says; the message is for the plugin's author."""


# The modules that the toolchain makes of the house's interfaces; the build gives them these names.
DATABASE_TYPES = "poolhouse_database_types"
DATABASE = "poolhouse_database"
PLUGIN_TYPES = "poolhouse_plugin_types"
TRADING_TYPES = "poolhouse_trading_types"
LOGGING = "wasi_logging"

# What a plugin raises on purpose; everything else traps, with its traceback on standard error.
EXPECTED = (Failure, DatabaseError, Err)

_RAISES = re.compile(r"Raises: `componentize_py_types\.Err\((?:[a-z_0-9]+\.)*(.*)\)`")


def bind() -> None:
    """Gives the package the host's functions, as far as the world imports them. Before the plugin is imported."""
    modules = {name: importlib.import_module(f"wit_world.imports.{name}") for name in _imports()}
    if logging := modules.pop(LOGGING, None):
        levels = {level: logging.Level[level.upper()] for level in log.LEVELS}
        log._write = lambda level, context, message: logging.log(levels[level], made_utf8(context), made_utf8(message))
    types, database = modules.pop(DATABASE_TYPES, None), modules.pop(DATABASE, None)
    if types and database:
        from .database import _contract

        _contract.bind(types, database, _toolchain().Err)
    if trading := modules.pop(TRADING_TYPES, None):
        from . import strategy

        # The toolchain makes a bar as the strategy is to see it, so that none is made twice.
        trading.Bar = strategy.Bar
    for module in modules.values():
        for name, function in list(vars(module).items()):
            if inspect.isfunction(function) and function.__module__ == module.__name__:
                setattr(module, name, _called(function))


def tie(plugin: ModuleType) -> dict[str, type]:
    """The class for each exported interface, by the name under which the toolchain looks for it.

    Raises `ExportError` where the plugin and its world do not agree.
    """
    world = importlib.import_module("wit_world")
    if any(_functions(world.WitWorld)):
        raise ExportError("the world exports a function of its own; put it into an interface, and export that")
    exports = (
        importlib.import_module("wit_world.exports")
        if importlib.util.find_spec("wit_world.exports")
        else ModuleType("")
    )
    protocols = {_exports.kebab(protocol.__name__): protocol for protocol in _protocols(exports)}
    modules = {name.replace("_", "-"): module for name, module in vars(exports).items() if inspect.ismodule(module)}
    for interface, implementation in _exports.exported.items():
        if interface not in protocols:
            known = ", ".join(f"`{name}`" for name in sorted(protocols)) or "nothing"
            raise ExportError(
                f"{_where(implementation)} is exported as `{interface}`, and the world exports {known}; "
                f'name the interface, @export("name"), or add `export {interface};` to the world in wit/'
            )
    tied = {}
    for interface, protocol in protocols.items():
        implementation = _exports.exported.get(interface)
        if implementation is None:
            raise ExportError(f"{plugin.__file__} {_MISSING.get(interface) or _missing(interface)}")
        resources = list(_protocols(modules[interface])) if interface in modules else []
        if interface == "strategy" and [resource.__name__ for resource in resources] == ["Instance"]:
            tied[protocol.__name__] = _strategy(implementation)
        elif resources:
            raise ExportError(
                f"interface `{interface}` has a resource, which nobody could call; "
                "let it be made of functions and plain data"
            )
        else:
            tied[protocol.__name__] = _implement(implementation, interface, protocol)
    return tied


_MISSING = {
    "strategy": "exports no strategy; write @export before a class that is a poolhouse.strategy.Strategy",
    "migrations": "exports no migrations, and its world does; call poolhouse.export_migrations with the plugin's steps",
}


def _missing(interface: str) -> str:
    name = interface.title().replace("-", "")
    return f"does not export `{interface}`, and its world does; write @export before a class {name} with its functions"


def _strategy(implementation: type) -> type:
    """The classes of `poolhouse:trading/strategy`: the answered one, and `Instance` in a module of the interface's name."""
    from . import strategy as api

    if not issubclass(implementation, api.Strategy):
        raise ExportError(
            f"{_where(implementation)} is exported as a strategy; derive it from poolhouse.strategy.Strategy"
        )
    description = getattr(implementation, "description", None)
    if not isinstance(description, api.Description):
        raise ExportError(
            f"{_where(implementation)} has no description; write "
            'description = Description("what it does, in one line", integer("bars", "what that is"))'
        )
    for name in ("__init__", "warm_up_bars", "on_bar"):
        function = getattr(api.Strategy, name)
        if name != "__init__" and getattr(implementation, name) is function:
            raise ExportError(f"{_where(implementation)} has no method `{name}`; write {_signature(name, function)}")
        _check_parameters(implementation, name, function)
    error, expected, where = _toolchain().Err, EXPECTED, _where(implementation)

    class Strategy:
        def describe(self) -> Any:
            return description

    class Instance:
        def __init__(self, strategy: api.Strategy) -> None:
            self._warm_up_bars = strategy.warm_up_bars
            self._on_bar = strategy.on_bar

        @classmethod
        def create(cls, parameters: list[Any]) -> Instance:
            try:
                return cls(implementation(api.Parameters((each.name, each.value) for each in parameters)))
            except expected as raised:
                raise error(made_utf8(str(raised))) from None
            except SystemExit as raised:
                raise _left(raised) from raised

        def warm_up_bars(self) -> int:
            bars = self._warm_up_bars()
            if type(bars) is not int:
                raise TypeError(f"{where}.warm_up_bars answers {bars!r}; it must be an integer")
            return checked(f"{where}.warm_up_bars answers", "u32", bars)

        def on_bar(self, bar: Any) -> list[Any]:
            try:
                signals = self._on_bar(bar)
                # None, a tuple or a generator will do, too.
                is_list = signals is None or hasattr(signals, "__iter__")
                listed = signals if type(signals) is list else list(signals or ()) if is_list else [signals]
                if not is_list or not all(isinstance(getattr(signal, "side", None), api.Side) for signal in listed):
                    raise TypeError(
                        f"{where}.on_bar answers {signals!r}; it must be a list of signals, such as [Signal.buy()]"
                    )
                return listed
            except expected as raised:
                raise error(made_utf8(str(raised))) from None
            except SystemExit as raised:
                raise _left(raised) from raised

    # There the toolchain looks for an exported resource.
    module = sys.modules["strategy"] = ModuleType("strategy")
    module.Instance = Instance
    return Strategy


def _implement(implementation: type, interface: str, protocol: type) -> type:
    """A class whose methods call the implementation's, with answers and errors as the toolchain takes them."""
    for name, function in _functions(protocol):
        if not callable(getattr(implementation, name, None)):
            raise ExportError(
                f"{_where(implementation)} has no method `{name}`, and interface `{interface}` has it; "
                f"write {_signature(name, function)}"
            )
        _check_parameters(implementation, name, function)
    made, where, answers = implementation(), _where(implementation), _answers(interface)
    methods = {
        name: _method(getattr(made, name), function, f"{where}.{name}", answers.get(_exports.kebab(name)))
        for name, function in _functions(protocol)
    }
    return type(protocol.__name__, (), methods)


def _answers(interface: str) -> dict[str, Any]:
    """What the interface's functions answer, by their names in WIT; what an error is, each raises."""
    try:
        from ._signatures import EXPORTS
    except ImportError:
        return {}
    found = [functions for id, functions in EXPORTS.items() if re.sub(r"^.*/|@.*$", "", id) == interface]
    # Of two interfaces of one name the bindings do not tell which is which.
    if len(found) != 1:
        return {}
    shapes = {name: signature["answers"] for name, signature in found[0].items()}
    return {
        name: shape["result"]["ok"] if isinstance(shape, dict) and "result" in shape else shape
        for name, shape in shapes.items()
    }


def _left(raised: SystemExit) -> Exception:
    """The exception of a plugin that wants to end the process that it has to itself."""
    return RuntimeError(f"the plugin called exit({raised.code!r}), which is the host's to do; raise a Failure")


def _method(written: Callable[..., Any], function: Callable[..., Any], where: str, shape: Any) -> Callable[..., Any]:
    fit = lowering(_answer_type(function), f"{where} answers") or (lambda answer: answer)
    error = _error_of(function)

    def lower(answer: Any) -> Any:
        return checked(f"{where} answers", shape, fit(answer))

    def method(_: Any, *arguments: Any) -> Any:
        try:
            return lower(written(*arguments))
        except EXPECTED as raised:
            if error is None:
                raise
            raise error(raised) from None
        except SystemExit as raised:
            raise _left(raised) from raised

    return method


def _answer_type(function: Callable[..., Any]) -> Any:
    if annotationlib is None:
        return function.__annotations__["return"]
    # Since Python 3.14 annotations are evaluated in the class, where a method may hide the module of its own name.
    text = annotationlib.get_annotations(function, format=annotationlib.Format.STRING)["return"]
    return eval(text, function.__globals__)


def _error_of(function: Callable[..., Any]) -> Callable[[Exception], Exception] | None:
    """How what the plugin raises becomes the function's error; none for a function that has no error."""
    raises = _RAISES.search(function.__doc__ or "")
    if not raises:
        return None
    error = _toolchain().Err
    if raises[1] == "Failure":
        types = importlib.import_module(f"wit_world.imports.{PLUGIN_TYPES}")
        kinds = {kind: types.FailureKind[kind.upper()] for kind in FAILURE_KINDS}

        def of(raised: Exception) -> Exception:
            if isinstance(raised, Err):
                return error(raised.value)
            return error(
                types.Failure(
                    kinds[getattr(raised, "kind", "failed")] if isinstance(raised, Failure) else kinds["failed"],
                    made_utf8(str(raised)),
                )
            )

        return of
    if raises[1] == "str":
        return lambda raised: error(raised.value if isinstance(raised, Err) else made_utf8(str(raised)))

    def other(raised: Exception) -> Exception:
        # Such an error has no place for a sentence.
        if not isinstance(raised, Err):
            raise raised
        return error(raised.value)

    return other


def _called(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of another plugin whose error is raised as the package's own."""
    raises = _RAISES.search(function.__doc__ or "")
    if not raises:
        return function
    error = _toolchain().Err

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except error as raised:
            value = raised.value
            if raises[1] == "Failure":
                failed = Failure(value.message, value.kind.name.lower())
            else:
                failed = Failure(value) if raises[1] == "str" else Err(value)
        raise failed

    return call


def _toolchain() -> ModuleType:
    return importlib.import_module("componentize_py_types")


def _imports() -> Iterator[str]:
    if importlib.util.find_spec("wit_world.imports"):
        for module in pkgutil.iter_modules(importlib.import_module("wit_world.imports").__path__):
            yield module.name


def _protocols(module: ModuleType) -> Iterator[type]:
    for each in vars(module).values():
        if inspect.isclass(each) and getattr(each, "_is_protocol", False) and each.__module__ == module.__name__:
            yield each


def _functions(protocol: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, function in vars(protocol).items():
        if inspect.isfunction(function) and not name.startswith("_"):
            yield name, function


def _check_parameters(implementation: type, name: str, function: Callable[..., Any]) -> None:
    count = len(_parameters(function)) - 1
    written = inspect.getattr_static(implementation, name)
    try:
        signature = inspect.signature(getattr(implementation, name))
    except ValueError:
        return
    # A static or class method has no `self` to give.
    given = count if isinstance(written, (staticmethod, classmethod)) else count + 1
    try:
        signature.bind(*[None] * given)
    except TypeError as mismatch:
        raise ExportError(
            f"{_where(implementation)}: method `{name}` does not take the contract's parameters ({mismatch}); "
            f"write {_signature(name, function)}"
        ) from None


def _signature(name: str, function: Callable[..., Any]) -> str:
    return f"`def {name}({', '.join(_parameters(function))})`"


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return function.__code__.co_varnames[: function.__code__.co_argcount]


def _where(implementation: type) -> str:
    """The class with its file and line."""
    try:
        file, line = inspect.getsourcefile(implementation), inspect.getsourcelines(implementation)[1]
    except (OSError, TypeError):
        return implementation.__qualname__
    # In the component the plugin's folder is mounted there.
    return f"{file.removeprefix('/1/')}:{line}: {implementation.__qualname__}"
