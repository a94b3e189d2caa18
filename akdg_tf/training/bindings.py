"""The bindings, and those that an experiment reads: gin's references are followed from `make_experiment`."""

import dataclasses
import functools
import pprint
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import gin
from gin.config_parser import BindingStatement

from akdg_tf.errors import UserError

Key = tuple[str, str, str]  # scope, complete selector, argument
Call = tuple[str, str]  # scope, complete selector

ROOT, MACRO = "make_experiment", "gin.macro"


@dataclasses.dataclass(frozen=True)
class Binding:
    """A parameter and its value.

    Attributes:
        scope: "d" for `d/Adam.beta_1`; for a macro, its name.
        selector: complete name of the class or function, such as "keras.optimizers.Adam"; for a macro, `MACRO`.
        argument: parameter of the class or function; for a macro, "value".
        value: as gin parsed it; may be or contain a `gin.config.ConfigurableReference`.
        place: where it was bound: "file:line", or "--gin_param".
    """

    scope: str
    selector: str
    argument: str
    value: Any
    place: str

    @property
    def key(self) -> Key:
        """Identifies the parameter."""
        return self.scope, self.selector, self.argument

    @property
    def name(self) -> str:
        """The name in a gin file, with the shortest unambiguous selector: "d/Adam.beta_1"."""
        if self.selector == MACRO:
            return self.scope
        configurable = gin.config.ConfigurableReference(self.selector, True).configurable
        selector = gin.config.ImportManager(()).minimal_selector(configurable)
        return f"{self.scope}/{selector}.{self.argument}" if self.scope else f"{selector}.{self.argument}"

    @property
    def text(self) -> str:
        """The value as in a gin file, on one line.

        Raises:
            UserError: it holds a number of so many digits that Python refuses to print it.
        """
        try:
            return pprint.pformat(self.value, width=10**6)
        except ValueError as error:
            raise UserError(f"{self.place}: the value of {self.name} cannot be printed ({error})") from None


class Configuration:
    """All bindings that apply after every file has been read.

    Args:
        bindings: in reading order; the last binding of a parameter applies.
        imports: the import statements of the files, each with its place, "file:line".
    """

    def __init__(self, bindings: Iterable[Binding] = (), imports: Iterable[tuple[str, str]] = ()):
        self._bindings = {binding.key: binding for binding in bindings}
        self.imports = dict(imports)

    def check_macros(self) -> None:
        """Checks that every macro in a value is bound.

        Raises:
            UserError: a macro is not bound.
        """
        for binding in self._bindings.values():
            for scope, selector in _calls_of(binding, ""):
                if selector == MACRO and (scope, MACRO, "value") not in self._bindings:
                    raise UserError(f"{binding.place}: %{scope} is not bound: add {scope} = VALUE")

    @functools.cached_property
    def read(self) -> dict[Key, Binding]:
        """The bindings that the experiment reads: macros first, then the others, each sorted by name."""
        return self.read_without(())

    def read_without(self, names: Collection[str]) -> dict[Key, Binding]:
        """The bindings that the experiment reads, without those of these names and what only they refer to.

        Args:
            names: such as "GeneratorExperiment.evaluations".
        """
        bound = [binding for call in self._reached(names) for binding in self.given(call).values()]
        found = [binding for binding in bound if binding.name not in names]
        found.sort(key=lambda binding: (binding.selector != MACRO, binding.name.lower()))
        return {binding.key: binding for binding in found}

    @functools.cached_property
    def calls(self) -> tuple[Call, ...]:
        """The classes and functions that the experiment calls, directly or indirectly, each with its scope."""
        return self._reached(())

    def _reached(self, left_out: Collection[str]) -> tuple[Call, ...]:
        """The calls that are reached from the root without following the bindings of these names."""
        root = gin.config.ConfigurableReference(ROOT, True).config_key
        reached, left = {root: None}, [root]
        while left:
            call = left.pop()
            followed = [binding for binding in self.given(call).values() if binding.name not in left_out]
            found = [inner for binding in followed for inner in _calls_of(binding, call[0])]
            left += [inner for inner in found if inner not in reached]
            reached |= dict.fromkeys(found)
        return tuple(reached)

    def given(self, call: Call) -> dict[str, Binding]:
        """The bindings of a call's parameters, by argument. Among nested scopes, the innermost binding applies."""
        scope, selector = call
        bound = self._by_selector.get(selector, ())
        return {each.argument: each for each in bound if not each.scope or f"{scope}/".startswith(f"{each.scope}/")}

    @functools.cached_property
    def _by_selector(self) -> Mapping[str, list[Binding]]:
        """The bindings of each selector, sorted so that inner scopes come last."""
        found: dict[str, list[Binding]] = {}
        for binding in sorted(self._bindings.values(), key=lambda binding: len(binding.scope)):
            found.setdefault(binding.selector, []).append(binding)
        return found

    def value(self, binding: Binding) -> Any:
        """The value of a binding. A macro is replaced by its value.

        Raises:
            UserError: a macro refers to itself.
        """
        value, seen = binding.value, set()
        while isinstance(value, gin.config.ConfigurableReference) and value.config_key[1] == MACRO:
            key = (*value.config_key, "value")
            if key in seen:
                raise UserError(f"{binding.place}: %{key[0]} refers to itself: bind it to a value")
            seen.add(key)
            value = self._bindings[key].value
        return value


def binding_of(statement: BindingStatement, place: str) -> Binding:
    """The binding of a statement, with the complete selector.

    Raises:
        ValueError, KeyError: there is no such parameter, or its name is ambiguous.
    """
    scope, selector, argument = statement.scope, statement.selector, statement.arg_name
    if not argument:
        scope, selector, argument = "/".join(filter(None, (scope, selector))), MACRO, "value"
    complete = gin.config.ParsedBindingKey.parse((scope, selector, argument)).complete_selector
    return Binding(scope, complete, argument, statement.value, place)


def _calls_of(binding: Binding, scope: str) -> list[Call]:
    """The calls that a value refers to. A reference without a scope keeps the scope in which it is read."""
    keys = [reference.config_key for reference in gin.config.iterate_references(binding.value)]
    return [(inner or scope, selector) for inner, selector in keys]
