"""The forms a config takes elsewhere: plain JSON types, texts of a command line, TOML."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import inspect
import math
import types
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from korbert.config.model import fields_of_size
from korbert.config.whole import Config
from korbert.errors import UsageError

T = TypeVar("T")


def to_dict(config: Any) -> dict[str, Any]:
    """A config or one section as plain JSON types."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in _deep(dataclasses.asdict(config)).items()}


def _deep(values: dict[str, Any]) -> dict[str, Any]:
    return {k: _deep(v) if isinstance(v, dict) else list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def from_dict(cls: type[T], values: Mapping[str, Any], prefix: str = "") -> T:
    """Builds `cls` from `to_dict`'s answer.

    Raises:
        UsageError: for a field that does not exist, a value of another type, or one that breaks a field's rule.
    """
    hints = get_type_hints(cls)
    for name in values:
        if name not in hints:
            raise UsageError(f"{prefix}{name}: there is no such field{_suggestion(name, hints)}")
    arguments = {name: _coerce(values[name], hints[name], prefix + name) for name in hints if name in values}
    return cls(**arguments)


def overridden(config: Config, assignments: Iterable[str]) -> Config:
    """`config` with texts like `training.lr=3e-4` applied; the whole is checked once, at the end.

    Raises:
        UsageError: for an assignment that is not `section.field=value`, an unknown field, or a bad value.
    """
    values = to_dict(config)
    for assignment in _spelt_out(assignments):
        path, equals, text = assignment.partition("=")
        if not equals:
            raise UsageError(f"--set {assignment}: must be written section.field=value, like training.lr=3e-4")
        cls, target, names = Config, values, path.strip().split(".")
        for depth, name in enumerate(names):
            hints = get_type_hints(cls)
            shown = ".".join(names[: depth + 1])
            if name not in hints:
                raise UsageError(f"{shown}: there is no such field{_suggestion(name, hints)}")
            if depth + 1 == len(names):
                if dataclasses.is_dataclass(hints[name]):
                    example = next(iter(get_type_hints(hints[name])))
                    raise UsageError(f"{shown}: is a section; set one of its fields, like {shown}.{example}=...")
                target[name] = _parse(text.strip(), hints[name], shown)
            elif not dataclasses.is_dataclass(hints[name]):
                raise UsageError(f"{'.'.join(names)}: {shown} is a value, not a section")
            else:
                cls, target = hints[name], target[name]
    return from_dict(Config, values)


def _spelt_out(assignments: Iterable[str]) -> list[str]:
    """`model.size=NAME` as the fields it stands for; they come first, so that a field that is set too wins."""
    sizes, others = [], []
    for assignment in assignments:
        path, equals, size = assignment.partition("=")
        if equals and path.strip() == "model.size":
            sizes += [f"model.{name}={value}" for name, value in fields_of_size(size.strip()).items()]
        else:
            others.append(assignment)
    return sizes + others


def as_toml(config: Config) -> str:
    """The whole config as TOML, each field under its docstring."""
    lines: list[str] = []
    for name, doc in field_docs(Config).items():
        lines += [f"# {doc}", f"{name} = {_toml(getattr(config, name))}"]
    for section in dataclasses.fields(config):
        value = getattr(config, section.name)
        if dataclasses.is_dataclass(value):
            lines += ["", f"# {inspect.getdoc(value)}", f"[{section.name}]"]
            for name, doc in field_docs(type(value)).items():  # type: ignore[arg-type]
                lines += [f"# {doc}", f"{name} = {_toml(getattr(value, name))}"]
    return "\n".join(lines) + "\n"


@cache
def field_docs(cls: type) -> dict[str, str]:
    """The docstring below each field of a config class, in the fields' order."""
    body = ast.parse(inspect.getsource(cls)).body[0]
    assert isinstance(body, ast.ClassDef)
    docs = {}
    for statement, following in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            docs[statement.target.id] = " ".join(str(following.value.value).split())
    return docs


def _suggestion(name: str, names: Iterable[str]) -> str:
    known = list(names)
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(known)}"


def _coerce(value: Any, hint: Any, name: str) -> Any:
    """`value` of a JSON file as the field's type; int passes for float, nothing else is bent."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise UsageError(f"{name} = {value!r}: must be a section with fields")
        return from_dict(hint, value, name + ".")
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        if not isinstance(value, list | tuple):
            raise UsageError(f"{name} = {value!r}: must be a list")
        return tuple(_coerce(item, inner, name) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not hint:
        raise UsageError(f"{name} = {value!r}: must be {_type_name(hint)}")
    if hint is float and not math.isfinite(value):
        raise UsageError(f"{name} = {value!r}: must be a finite number")
    return value


def _parse(text: str, hint: Any, name: str) -> Any:
    """A command line's text as a JSON-like value of the field's type."""
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return [_parse(part.strip(), inner, name) for part in text.split(",") if part.strip()]
    if hint is bool:
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
    elif hint is str:
        return text
    else:
        try:
            return hint(text.replace("_", ""))
        except ValueError:
            pass
    raise UsageError(f"{name} = {text!r}: must be {_type_name(hint)}")


def _type_name(hint: Any) -> str:
    names: dict[Any, str] = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    return names.get(hint, str(hint) if isinstance(hint, types.GenericAlias) else getattr(hint, "__name__", str(hint)))


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return repr(value)
