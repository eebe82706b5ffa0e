import os

import pytest


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch, tmp_path_factory):
    """git's global ignore file is one that only the test writes."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("settings")))
