"""The client's settings: pulled where it can answer, taken as pushed where it can't.

Invariant: a client that never answers costs `PULL_TIMEOUT_S` once; the server then runs with
what `initialize` gave.
"""

import logging
from collections.abc import Mapping

from lsprotocol import types

from inkling.config import SECTION
from inkling.lsp.capabilities import TRIGGER_CHARACTERS
from inkling.lsp.completions import falls_back
from inkling.lsp.link import Refused
from inkling.lsp.session import Session
from inkling.lsp.status import push_status

logger = logging.getLogger(__name__)

PULL_TIMEOUT_S = 3.0


async def pull(session: Session) -> bool:
    """Ask for the settings; whether the engine has to be started again for them."""
    if not session.client.pulls_configuration:
        return session.configure()
    params = types.ConfigurationParams(items=[types.ConfigurationItem(section=SECTION)])
    try:
        answer = await session.link.ask(types.WORKSPACE_CONFIGURATION, params, PULL_TIMEOUT_S)
    except Refused as refusal:
        logger.warning("no settings from the client: %s", refusal)
        answer = None
    return session.configure(answer[0] if isinstance(answer, list | tuple) and answer else None)


async def changed(session: Session, pushed: object) -> None:
    """The client says that its settings changed."""
    if session.client.pulls_configuration:
        anew = await pull(session)
    else:
        ours = pushed.get(SECTION) if isinstance(pushed, Mapping) else None
        anew = session.configure(ours)
    push_status(session)
    await register(session)
    if anew:
        await session.restart()


async def register(session: Session) -> None:
    """Ask to be told of changed settings, and for completion requests where the settings want
    them and `initialize` did not offer them."""
    wanted: list[types.Registration] = []
    if session.client.registers_configuration and not session.configuration_registered:
        session.configuration_registered = True
        wanted.append(
            types.Registration(
                id="inkling-configuration",
                method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                register_options={"section": SECTION},
            )
        )
    offer = falls_back(session) and not session.fallback_offered
    if offer and session.client.registers_completion:
        session.fallback_offered = True
        wanted.append(
            types.Registration(
                id="inkling-completion",
                method=types.TEXT_DOCUMENT_COMPLETION,
                register_options=types.CompletionRegistrationOptions(
                    trigger_characters=list(TRIGGER_CHARACTERS)
                ),
            )
        )
    if not wanted:
        return
    params = types.RegistrationParams(registrations=wanted)
    try:
        await session.link.ask(types.CLIENT_REGISTER_CAPABILITY, params, PULL_TIMEOUT_S)
    except Refused as refusal:
        logger.info("the client registers nothing: %s", refusal)
