"""Strict conversion of parsed JSON into dataclasses: no field may be missing, unknown, or of another type."""

import dataclasses
import types
import typing

LARGEST = 1e300  # larger numbers cannot be formatted or divided; NaN and infinity are not JSON
SHOWN = 60  # number of characters of an unknown key that an error shows


class Mismatch(ValueError):
    """A value that does not fit its field; the message names the field."""


def build(kind, value: object, field: str = ""):
    """Builds a value of a type from parsed JSON.

    Args:
        kind: a dataclass, `tuple[X, ...]`, `dict[str, X]`, `X | None`, or one of str, bool, int and float.
        value: parsed JSON.
        field: dotted name of the value, for error messages; empty for the whole.

    Returns:
        The value. An integer is accepted for a float. Every other value must have exactly the type.

    Raises:
        Mismatch: the value does not fit the type.
        RecursionError: the value is nested too deeply.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, _checked(dict, value, field), field)
    if origin is types.UnionType:
        return None if value is None else build(arguments[0], value, field)
    if origin is tuple:
        items = _checked((list, tuple), value, field)
        return tuple(build(arguments[0], item, f"{field}[{index}]") for index, item in enumerate(items))
    if origin is dict:
        items = _checked(dict, value, field)
        return {key: build(arguments[1], item, f"{field}[{_short(key)}]") for key, item in items.items()}
    return _scalar(kind, value, field)


def _dataclass(kind, values: dict, field: str):
    hints, fields = typing.get_type_hints(kind), dataclasses.fields(kind)
    prefix = f"{field}." if field else ""
    unknown = [key for key in values if key not in hints]
    if unknown:
        raise Mismatch(f"there is no field {_short(prefix + str(unknown[0]))}")
    needed = [one.name for one in fields if one.default is one.default_factory is dataclasses.MISSING]
    missing = [name for name in needed if name not in values]
    if missing:
        raise Mismatch(f"the field {prefix}{missing[0]} is missing")
    return kind(**{name: build(hints[name], value, prefix + name) for name, value in values.items()})


def _scalar(kind: type, value: object, field: str):
    _checked((int, float) if kind is float else kind, value, field)
    if isinstance(value, int | float) and not abs(value) < LARGEST:
        raise Mismatch(f"the field {field} is not a finite number")
    return value


def _checked(kinds: type | tuple[type, ...], value: object, field: str):
    """The value, if its type is exactly one of `kinds`. For example, True is not an integer."""
    kinds = kinds if isinstance(kinds, tuple) else (kinds,)
    if type(value) not in kinds:
        wanted = {dict: "an object", list: "a list", str: "a string", int: "an integer", float: "a number"}
        what = wanted.get(kinds[-1] if float in kinds else kinds[0], "true or false")
        raise Mismatch(f"{f'the field {field}' if field else 'it'} must be {what}")
    return value


def _short(key: str) -> str:
    return repr(key if len(key) <= SHOWN else f"{key[:SHOWN]}...")
