"""Every exception of spine-temporal, as one tree.

    SpineTemporalError
    ├── BadInput (also ValueError)   what the caller gave cannot be accepted; nothing was started
    │   ├── UnnamedAgent
    │   ├── DuplicateAgent
    │   ├── InputTooLarge
    │   ├── SessionBusy              another turn is in hand, and the caller will not wait, or too many do
    │   └── DecisionRefused          nothing waits for that decision, or it does not fit
    ├── UnknownAgent                 the worker that opened the run serves no agent of that name
    ├── AgentBroken                  the agent is known, its factory or its settings are not usable
    │   ├── PluginUnusable           it needs a plugin that is missing, not allowed, or does not fit
    │   └── AgentUnavailable         its factory raised, or an MCP server of it is away; opening is retried
    ├── RunNotFound                  the server knows no such run
    ├── NotAnAgentRun                the id belongs to a workflow of another type
    ├── ConversationLost             what the run was to go on from is gone
    ├── RunFailed                    the run's workflow ended without a Result; says how
    ├── ServerUnreachable            no Temporal server answers at the address, or it refuses to for minutes
    ├── PayloadUnreadable            it is encrypted with a key that is not here, was changed, or is not encrypted
    └── MissingExtra (also ImportError)  an optional dependency is not installed; says the install line

Temporal retries none of them but AgentUnavailable: each other is final until somebody changes the input, the worker
or the server.
Failures that Temporal does retry (a provider that is down, a worker that was lost) never leave the step that met
them as one of these classes.
"""


class SpineTemporalError(Exception):
    """Base class of every error that spine-temporal raises itself."""


class BadInput(SpineTemporalError, ValueError):
    """What the caller gave cannot be accepted; nothing was started."""


class UnnamedAgent(BadInput):
    """An agent without a name was given to a worker, so that no client could ask for it."""


class DuplicateAgent(BadInput):
    """Two agents with one name were given to a worker."""


class InputTooLarge(BadInput):
    """The input would not fit into one Temporal payload."""


class SessionBusy(BadInput):
    """Another turn of the session is in hand, and the caller will not wait, or too many wait already."""


class DecisionRefused(BadInput):
    """Nothing waits for that decision, or it does not fit; nothing has happened."""


class UnknownAgent(SpineTemporalError):
    """The worker has no agent of that name."""


class AgentBroken(SpineTemporalError):
    """The agent is known, but it could not be built or cannot run durably as it is configured."""


class PluginUnusable(AgentBroken):
    """An agent needs a plugin that is not installed, is not allowed, or does not fit the kernel's version."""


class AgentUnavailable(AgentBroken):
    """An agent could not be built this time: its factory raised, or an MCP server of it cannot be reached."""


class RunNotFound(SpineTemporalError):
    """The server knows no run with that id in this namespace."""


class NotAnAgentRun(SpineTemporalError):
    """The id belongs to a workflow that is not a run of an agent."""


class ConversationLost(SpineTemporalError):
    """What the run was to go on from is gone from the server."""


class RunFailed(SpineTemporalError):
    """The run's workflow ended without a Result."""


class ServerUnreachable(SpineTemporalError):
    """No Temporal server answers at the address, or it has refused for minutes what was asked of it."""


class PayloadUnreadable(SpineTemporalError):
    """What the server holds cannot be decoded here: a key is missing, or it is not what was encrypted.

    A worker never ends a run for it: its work waits for a worker that can read it.
    """


class MissingExtra(SpineTemporalError, ImportError):
    """An optional dependency is not installed; the message says the install line."""


def unreachable(address: str, reason: str = "") -> ServerUnreachable:
    """The error for a server that does not answer."""
    because = f" ({reason})" if reason else ""
    return ServerUnreachable(
        f"no Temporal server answers at {address}{because}; start one with `spine-temporal dev`, "
        "or set TEMPORAL_ADDRESS"
    )
