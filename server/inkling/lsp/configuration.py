"""The client's settings: pulled where it can answer, taken as pushed where it can't.

Invariant: a client that never answers costs `PULL_TIMEOUT_S` once; the server then runs with
what `initialize` gave.
"""

import logging
from collections.abc import Mapping

from lsprotocol import types

from inkling.config import SECTION
from inkling.lsp import folders
from inkling.lsp.capabilities import TRIGGER_CHARACTERS
from inkling.lsp.completions import falls_back
from inkling.lsp.link import Refused
from inkling.lsp.navigation import registrations, withdrawn
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
    session.index_folders(session.roots)  # the setting may have changed
    folders.adopt_any(session)
    push_status(session)
    await register(session)
    if anew:
        await session.restart()


async def register(session: Session) -> None:
    """Ask to be told of changed settings, and for completion and navigation requests where the
    settings want them and `initialize` did not offer them; no longer for what they don't want."""
    if unwanted := withdrawn(session):
        await _ask(
            session,
            types.CLIENT_UNREGISTER_CAPABILITY,
            types.UnregistrationParams(unregisterations=unwanted),
        )
    # Only now: what counts as told must be sent before the settings can change once more.
    wanted = registrations(session)
    if session.client.registers_configuration and not session.configuration_registered:
        session.configuration_registered = True
        wanted.append(
            types.Registration(
                id="inkling-configuration",
                method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                register_options={"section": SECTION},
            )
        )
    watch = session.client.watches_files and session.settings.wants_index
    if watch and not session.watching_registered:
        session.watching_registered = True
        watcher = types.FileSystemWatcher(glob_pattern="**/*")
        wanted.append(
            types.Registration(
                id="inkling-files",
                method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers=[watcher]),
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
    if wanted:
        await _ask(
            session,
            types.CLIENT_REGISTER_CAPABILITY,
            types.RegistrationParams(registrations=wanted),
        )


async def _ask(session: Session, method: str, params: object) -> None:
    try:
        await session.link.ask(method, params, PULL_TIMEOUT_S)
    except Refused as refusal:
        logger.info("the client registers nothing: %s", refusal)
