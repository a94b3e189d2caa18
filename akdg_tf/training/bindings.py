"""What is bound, and what of it an experiment reads: gin's references, followed from `make_experiment`."""

import dataclasses
import functools
import pprint
from collections.abc import Iterable, Mapping
from typing import Any

import gin

from akdg_tf.errors import UserError

Key = tuple[str, str, str]  # scope, complete selector, argument
Call = tuple[str, str]  # scope, complete selector

ROOT, MACRO = "make_experiment", "gin.macro"


@dataclasses.dataclass(frozen=True)
class Binding:
    """A parameter and its value.

    Attributes:
        scope: "d" of `d/Adam.beta_1`; the name of a macro.
        selector: complete, such as "keras.optimizers.Adam"; `MACRO` of a macro.
        argument: of what the selector names.
        value: as gin parsed it; may be, or hold, a `gin.config.ConfigurableReference`.
        place: what bound it: "file:line", or "--gin_param".
    """

    scope: str
    selector: str
    argument: str
    value: Any
    place: str

    @property
    def key(self) -> Key:
        """What tells this parameter from others."""
        return self.scope, self.selector, self.argument

    @property
    def name(self) -> str:
        """The name in a gin file, by as much of the selector as is unambiguous: "d/Adam.beta_1"."""
        if self.selector == MACRO:
            return self.scope
        configurable = gin.config.ConfigurableReference(self.selector, True).configurable
        selector = gin.config.ImportManager(()).minimal_selector(configurable)
        return f"{self.scope}/{selector}.{self.argument}" if self.scope else f"{selector}.{self.argument}"

    @property
    def text(self) -> str:
        """The value in a gin file, on one line."""
        return pprint.pformat(self.value, width=10**6)


class Configuration:
    """All bindings that are in force when every file has been read.

    Args:
        bindings: in their order; the last one of a parameter is the one in force.
        imports: the import statements of the files, each with the place where it stands.
    """

    def __init__(self, bindings: Iterable[Binding] = (), imports: Iterable[tuple[str, str]] = ()):
        self._bindings = {binding.key: binding for binding in bindings}
        self.imports = dict(imports)

    def check_macros(self) -> None:
        """Checks that every macro that a value names is bound.

        Raises:
            UserError: one is not.
        """
        for binding in self._bindings.values():
            for scope, selector in _calls_of(binding, ""):
                if selector == MACRO and (scope, MACRO, "value") not in self._bindings:
                    raise UserError(f"{binding.place}: %{scope} is not bound")

    @functools.cached_property
    def read(self) -> dict[Key, Binding]:
        """The bindings that the experiment reads, macros first, then by name."""
        found = [binding for call in self.calls for binding in self.given(call).values()]
        found.sort(key=lambda binding: (binding.selector != MACRO, binding.name.lower()))
        return {binding.key: binding for binding in found}

    @functools.cached_property
    def calls(self) -> tuple[Call, ...]:
        """What the experiment calls, directly or through others; a reference may enter a scope."""
        root = gin.config.ConfigurableReference(ROOT, True).config_key
        reached, left = {root: None}, [root]
        while left:
            call = left.pop()
            found = [inner for binding in self.given(call).values() for inner in _calls_of(binding, call[0])]
            left += [inner for inner in found if inner not in reached]
            reached |= dict.fromkeys(found)
        return tuple(reached)

    def given(self, call: Call) -> dict[str, Binding]:
        """The bindings that a call is given, by argument: of the scopes that it is in, the innermost one's."""
        scope, selector = call
        bound = self._by_selector.get(selector, ())
        return {each.argument: each for each in bound if not each.scope or f"{scope}/".startswith(f"{each.scope}/")}

    @functools.cached_property
    def _by_selector(self) -> Mapping[str, list[Binding]]:
        """The bindings of each selector, those of inner scopes last."""
        found: dict[str, list[Binding]] = {}
        for binding in sorted(self._bindings.values(), key=lambda binding: len(binding.scope)):
            found.setdefault(binding.selector, []).append(binding)
        return found

    def value(self, binding: Binding) -> Any:
        """The value of a binding; of a macro, what the macro stands for.

        Raises:
            UserError: a macro stands for itself.
        """
        value, seen = binding.value, set()
        while isinstance(value, gin.config.ConfigurableReference) and value.config_key[1] == MACRO:
            key = (*value.config_key, "value")
            if key in seen:
                raise UserError(f"{binding.place}: %{key[0]} stands for itself")
            seen.add(key)
            value = self._bindings[key].value
        return value


def _calls_of(binding: Binding, scope: str) -> list[Call]:
    """What a value refers to; a reference without a scope stays in the one that it is read in."""
    keys = [reference.config_key for reference in gin.config.iterate_references(binding.value)]
    return [(inner or scope, selector) for inner, selector in keys]
