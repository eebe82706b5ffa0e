"""Editors for one test each."""

import pytest

from service.editor import Editor


@pytest.fixture
async def open_editor():
    editors = []

    def make(script, text, settings=None):
        editor = Editor(script, text, settings) if settings else Editor(script, text)
        editors.append(editor)
        return editor

    yield make
    for editor in editors:
        await editor.close()
