"""Which reasons a check can return, read from its source: every ok/problem/unknown/not_applicable it reaches."""

from __future__ import annotations

import ast
import importlib
import inspect
from functools import cache
from types import ModuleType

from vmbackup.checks import base
from vmbackup.checks.base import Check

_VERDICTS = ("ok", "problem", "unknown", "not_applicable")


def reasons(checked: Check, verdicts: tuple[str, ...] = _VERDICTS) -> set[str]:
    """The reasons as words of the source. A reason that is no literal is an error: nobody could translate it."""
    return _reached(checked.judge.__module__, checked.judge.__name__, verdicts, frozenset())


def _reached(module: str, function: str, verdicts: tuple[str, ...], above: frozenset[tuple[str, str]]) -> set[str]:
    here = (module, function)
    if here in above:
        return set()
    body = _functions(module).get(function)
    if body is None:
        return set()
    found: set[str] = set()
    for call in (node for node in ast.walk(body) if isinstance(node, ast.Call)):
        target = _target(module, call.func)
        if target is None:
            continue
        if target[0] == base.__name__ and target[1] in _VERDICTS:
            if target[1] in verdicts:
                found |= _literals(call, target[1], here)
        else:
            found |= _reached(*target, verdicts, above | {here})
    return found


def _literals(call: ast.Call, verdict: str, here: tuple[str, str]) -> set[str]:
    if not call.args:
        return {verdict}
    reason = call.args[0]
    choices = [reason.body, reason.orelse] if isinstance(reason, ast.IfExp) else [reason]
    words = {choice.value for choice in choices if isinstance(choice, ast.Constant) and isinstance(choice.value, str)}
    assert len(words) == len(choices), f"{'.'.join(here)}, line {call.lineno}: write the reason as a literal"
    return words


def _target(module: str, called: ast.expr) -> tuple[str, str] | None:
    """The module and name of a called function of the product, or None."""
    namespace = vars(importlib.import_module(module))
    if isinstance(called, ast.Name):
        thing = namespace.get(called.id)
    elif isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        owner = namespace.get(called.value.id)
        thing = getattr(owner, called.attr, None) if isinstance(owner, ModuleType) else None
    else:
        return None
    if not inspect.isfunction(thing) or not thing.__module__.startswith("vmbackup."):
        return None
    return thing.__module__, thing.__name__


@cache
def _functions(module: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
