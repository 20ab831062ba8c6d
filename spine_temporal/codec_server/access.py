"""Who may have the payloads of which namespace decoded."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from spine_temporal.errors import BadInput, MissingExtra

try:
    import jwt
except ImportError as error:
    raise MissingExtra("the codec server needs: pip install 'spine-temporal[codec-server]'") from error

# With a public key only: with a shared secret whoever can check a token can make one.
_ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
_WRITERS: Final = frozenset({"write", "worker", "admin"})
_SYSTEM: Final = "temporal-system"
_MIN_TOKEN: Final = 16


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose token was right."""

    name: str
    roles: Mapping[str, frozenset[str]]
    """By namespace, as Temporal's own authorizer names them: read, write, worker, admin."""

    def may(self, namespace: str, *, write: bool) -> bool:
        """Whether payloads of the namespace may be decoded for this caller; `write`: encoded."""
        roles = self.roles.get(namespace, frozenset()) | self.roles.get(_SYSTEM, frozenset())
        return bool(roles & _WRITERS) if write else bool(roles)


class Access(Protocol):
    """One kind of tokens."""

    def caller(self, token: str) -> Caller | None:
        """Whose token it is; None: it is not a valid one of this kind."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Bearer tokens, each for somebody by name and for some namespaces."""

    callers: Mapping[str, Caller] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> "Tokens":
        """The tokens of a file; each line is `NAME TOKEN NAMESPACE[,NAMESPACE...]`.

        Raises:
            BadInput: it cannot be read, or a line of it is none of those.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"the file of tokens {path} cannot be read: {type(error).__name__}") from None
        callers = dict[str, Caller]()
        for number, line in enumerate(lines, 1):
            parts = line.partition("#")[0].split()
            if not parts:
                continue
            if len(parts) != 3 or len(parts[1]) < _MIN_TOKEN or parts[1] in callers:
                raise BadInput(
                    f"{path}, line {number}: a line is NAME TOKEN NAMESPACE[,NAMESPACE...], with a token of its own of "
                    f"at least {_MIN_TOKEN} characters"
                )
            name, token, namespaces = parts
            callers[token] = Caller(name, dict.fromkeys(namespaces.split(","), _WRITERS))
        if not callers:
            raise BadInput(f"{path} holds no token: nobody could have anything decoded")
        return cls(callers)

    def caller(self, token: str) -> Caller | None:
        """Whose token it is; how long that takes says nothing about the tokens."""
        found = None
        for known, caller in self.callers.items():
            if hmac.compare_digest(known.encode(), token.encode()):
                found = caller
        return found


@dataclass(frozen=True, slots=True)
class Jwts:
    """JSON web tokens of one issuer, with the claim `permissions` as Temporal's own authorizer reads it."""

    key: str = field(repr=False)
    audience: str
    issuer: str | None = None

    @property
    def usable(self) -> bool:
        """Whether the key can check any token."""
        return any(map(self._fits, _ALGORITHMS))

    def _fits(self, algorithm: str) -> bool:
        try:
            jwt.get_algorithm_by_name(algorithm).prepare_key(self.key)
        except (jwt.PyJWTError, ValueError, TypeError):
            return False
        return True

    def caller(self, token: str) -> Caller | None:
        """Whose token it is, if it is signed with the key, for this audience, and not expired."""
        try:
            claims = jwt.decode(
                token,
                self.key,
                algorithms=list(_ALGORITHMS),
                audience=self.audience,
                issuer=self.issuer,
                options={"require": ["exp", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        roles = dict[str, frozenset[str]]()
        permissions = claims.get("permissions")
        for permission in permissions if isinstance(permissions, list) else ():
            namespace, _, role = str(permission).rpartition(":")
            if namespace:
                roles[namespace] = roles.get(namespace, frozenset()) | {role}
        return Caller(str(claims.get("sub", "?")), roles)
