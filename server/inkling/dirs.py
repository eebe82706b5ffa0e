"""Where Inkling keeps its files on this machine. Nothing else in the house builds these paths.

`INKLING_CACHE_DIR` puts everything beneath one directory (tests, small system disks).
Invariant: these functions only name places; whoever writes there creates the directory.
"""

import os
from pathlib import Path

import platformdirs

_APPLICATION = "inkling"
OVERRIDE = "INKLING_CACHE_DIR"


def _override() -> Path | None:
    value = os.environ.get(OVERRIDE, "").strip()
    return Path(value).expanduser().absolute() if value else None


def cache_dir() -> Path:
    """What can be fetched or computed again: models, optimised weights, calibration."""
    return _override() or platformdirs.user_cache_path(_APPLICATION, appauthor=False)


def state_dir() -> Path:
    """What is worth keeping but is not the user's work: the log, saved KV."""
    override = _override()
    if override is not None:
        return override / "state"
    return platformdirs.user_state_path(_APPLICATION, appauthor=False)


def models_dir() -> Path:
    """Model files, under their catalogue file names."""
    return cache_dir() / "models"


def engine_dir() -> Path:
    """What the engine learned here: measured speeds, and weights quantized anew."""
    return cache_dir() / "engine"


def index_dir() -> Path:
    """What is known of workspace folders, one folder inside for each."""
    return cache_dir() / "index"


def log_path() -> Path:
    """The server's log file."""
    return state_dir() / "inkling.log"
