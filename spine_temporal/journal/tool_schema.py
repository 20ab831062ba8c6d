"""Arguments against the JSON schema of a tool."""

from collections.abc import Iterator
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable


def _unchecked(*_: object) -> Iterator[ValidationError]:
    yield from ()


def _additional(validator: Any, additional: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    # To know which are additional it would match every name with every pattern.
    if "patternProperties" not in schema:
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, additional, instance, schema)


# A regular expression may take longer than a workflow task has: a matter for the tool, which checks it, too.
_VALIDATOR: Final = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "pattern": _unchecked,
        "patternProperties": _unchecked,
        "unevaluatedProperties": _unchecked,
        "additionalProperties": _additional,
    },
)


def schema_error(arguments: dict[str, Any], parameters: dict[str, Any]) -> str | None:
    """What is wrong with the arguments; None: they fit, or the schema is none that can be checked here.

    An argument that the schema does not know is wrong, too, unless it says that any are welcome: somebody who edits
    and mistypes a name would otherwise have the tool run with a default. Patterns are not checked here.
    """
    unknown = _unknown(arguments, parameters)
    if unknown is not None:
        return unknown
    try:
        Draft202012Validator.check_schema(parameters)
        # With a registry of its own it never fetches what a schema refers to.
        found = best_match(_VALIDATOR(parameters, registry=Registry()).iter_errors(arguments))
    except (SchemaError, Unresolvable, RecursionError):
        return None
    if found is None:
        return None
    where = found.json_path.removeprefix("$.")
    return found.message if where == "$" else f"{where}: {found.message}"


def _unknown(arguments: dict[str, Any], parameters: dict[str, Any]) -> str | None:
    known = parameters.get("properties")
    if not isinstance(known, dict) or parameters.get("additionalProperties") or "patternProperties" in parameters:
        return None
    strange = [name for name in arguments if name not in known]
    return f"it has no {', '.join(map(repr, strange))}; it has: {', '.join(known) or 'none'}" if strange else None
