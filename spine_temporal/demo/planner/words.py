"""What a question's own words are."""

import re

_STOP_WORDS = """
a about actually all an and any are as at be been being by can code could did do does each every exist find for from get
give got had has have here how i if in inside into is it its kind library list look made make many may me module much my
name of on one or our part place please possible python show some somewhere standard stdlib such tell than thank that
the their them there these they thing this those to us use used using was we were what when where which who whose why
will with work would you your
"""
_ASKED_KIND = re.compile(
    r"\b(which|what|how many)\s+(?:\w+\s+)??"
    r"(files?|modules?|packages?|class(?:es)?|functions?|methods?|parts?|places?|scripts?)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"`([^`\n]+)`|\"([^\"\n]+)\"|(?<!\w)'([^'\n]+)'(?!\w)")
_IDENTIFIER = re.compile(
    r"[A-Za-z_]\w+(?:\.\w{2,})+"  # dotted
    r"|\b\w*[A-Za-z0-9]_\w+|\b_\w+"  # with an underscore
    r"|\b[A-Z]+[a-z0-9]+[A-Z]\w*|\b[a-z]+[A-Z]\w*|\b[A-Z]{2,}[a-z]{2,}\w*"  # in camel case
    r"|\b[A-Za-z]\w*(?=\(\))"  # with its parentheses
)


def identifiers(question: str, ordinary: frozenset[str]) -> list[str]:
    """Names of code in the question: what it quotes, else what is spelled as a name and has no stem in `ordinary`."""
    quoted = ["".join(groups).strip().removesuffix("()") for groups in _QUOTED.findall(question)]
    spelled_out = [name for name in _IDENTIFIER.findall(question) if stem(name.lower()) not in ordinary]
    return list(dict.fromkeys([name for name in quoted if name] or spelled_out))


def content_words(question: str) -> list[str]:
    """The words that carry the question, in lower case, each once, in order."""
    asked = _ASKED_KIND.sub(r"\1", question).lower()
    words = re.findall(r"[a-z][a-z0-9]+", asked)
    return list(dict.fromkeys(word for word in words if stem(word) not in _STOP))


def stem(word: str) -> str:
    """A word without its English ending: equal for `parse`, `parses`, `parsed` and `parsing`."""
    for endings in (("ies", "es", "s"), ("ing", "ed"), ("e", "y")):
        fitting = (end for end in endings if word.endswith(end) and len(word) >= len(end) + 3)
        word = word if word.endswith("ss") else word.removesuffix(next(fitting, ""))
    doubled = len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz"
    return word[:-1] if doubled else word


def spelled(word: str) -> str:
    """A regular expression for the beginning of the word in any of its forms."""
    return re.escape(stem(word)) + ("(?:y|i)" if word.endswith(("y", "ies")) else "")


_STOP = frozenset(stem(word) for word in _STOP_WORDS.split())
