"""Secrets masked in texts that reach a history, a log, a person or the model."""

import re
from typing import Final

MASK: Final = "***"

_VALUE: Final = r"\"[^\"\n]*\"|'[^'\n]*'|[^\s'\",;&)\]}]+"
_USERINFO: Final = re.compile(r"(?<=://)[^/?#@\s'\"]{1,512}@")
_QUERY: Final = re.compile(r"(?<=[?&;])([\w.%-]{1,64})=([^&;#\s'\"<>)\],]+)")
_OPTION: Final = re.compile(rf"(?<![\w-])(--?[A-Za-z][\w-]{{1,64}})(=|['\"]?,?\s{{1,3}}['\"]?)(?!-)({_VALUE})")
_FIELD: Final = re.compile(rf"(?<![\w-])([\"']?)([A-Za-z][\w-]{{2,64}})(\1\s{{0,2}}[:=]\s{{0,2}})({_VALUE})")
_SCHEME: Final = re.compile(r"\b(bearer|basic)(\s+)[\w.~+/=-]{8,}", re.IGNORECASE)
# What keys begin with at OpenAI and Anthropic, GitHub, GitLab, Slack, AWS, Google, Hugging Face; JSON web tokens.
_KEY: Final = re.compile(
    r"\b(?:sk-[\w-]{6,}|gh[opsu]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{8,}|AKIA[A-Z0-9]{12,}"
    r"|AIza[\w-]{20,}|hf_\w{16,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
# In a query or an option these say that the value is secret; in prose "key: name" and "token: }" are ordinary words.
_SECRET: Final = ("key", "token", "secret", "password", "passwd", "pwd", "signature", "sig", "auth", "credential")
_SECRET_IN_PROSE: Final = (
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "accesstoken",
    "authtoken",
    "apitoken",
    "refreshtoken",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "authorization",
)


def redact(text: str) -> str:
    """The text with what is secret masked.

    Of URLs that is the user's part, and values of the query whose names say so; values of options, headers and fields
    with such names; bearer tokens; and whatever has the form of a well-known provider's key.
    """
    text = _USERINFO.sub(f"{MASK}@", text)
    text = _QUERY.sub(lambda pair: _masked(pair, name=1, value=2, endings=_SECRET), text)
    text = _SCHEME.sub(rf"\1\2{MASK}", text)
    text = _OPTION.sub(lambda pair: _masked(pair, name=1, value=3, endings=_SECRET), text)
    text = _FIELD.sub(lambda pair: _masked(pair, name=2, value=4, endings=_SECRET_IN_PROSE), text)
    return _KEY.sub(MASK, text)


def is_secret(name: str) -> bool:
    """Whether the name of an option, a variable, a header or a part of a query says that its value is secret."""
    return _plain(name).endswith((*_SECRET, *_SECRET_IN_PROSE))


def _masked(pair: re.Match[str], *, name: int, value: int, endings: tuple[str, ...]) -> str:
    given = pair.group(value)
    # What a scheme was masked in stays readable: "authorization: Bearer ***".
    if not _plain(pair.group(name)).endswith(endings) or given.lower() in ("bearer", "basic"):
        return pair.group()
    quote = given[0] if given[0] in "'\"" else ""
    start = pair.start(value) - pair.start()
    return f"{pair.group()[:start]}{quote}{MASK}{quote}{pair.group()[start + len(given) :]}"


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower()).removesuffix("s")
