"""Editors for one test each."""

import pytest

from inkling.config import Settings
from service.editor import Editor


@pytest.fixture
async def open_editor():
    editors = []

    def make(script, text, settings=None, source=None):
        shown = source is not None  # who gives a source wants it used
        chosen = settings or Settings(workspace_context=shown)
        editor = Editor(script, text, chosen, source)
        editors.append(editor)
        return editor

    yield make
    for editor in editors:
        await editor.close()
