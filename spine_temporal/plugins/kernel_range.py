"""The versions of spinekit that a distribution says it works with."""

from importlib.metadata import Distribution

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from spine_temporal.plugins.installed import CORE, canonical, version_of


def fits(dist: Distribution, name: str) -> tuple[str, str | None]:
    """The range of spinekit's versions, and why the installed one is not in it."""
    wanted = SpecifierSet()
    for line in dist.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            return "", f"{name} {dist.version} has a requirement that cannot be parsed: {line!r} ({error})"
        if canonical(requirement.name) != CORE:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            wanted &= requirement.specifier
    here = version_of(CORE)
    # A kernel installed as a pre-release counts, though specifiers leave pre-releases out.
    if not here or wanted.contains(here, prereleases=True):
        return str(wanted), None
    return str(wanted), f"{name} {dist.version} works with {CORE}{wanted}, installed is {CORE} {here}"
