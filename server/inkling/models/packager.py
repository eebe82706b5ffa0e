"""Finding a pip to run: this environment's, Python's bundled copy, or uv's.

Environments made by uv have no pip; Debian's Python has no bundled one. Any of the three does.
"""

import importlib.util
import shutil
from pathlib import Path

from inkling.models.child import python


def pip() -> list[str] | None:
    """The start of a command line that takes pip's arguments; None where there is no pip."""
    if importlib.util.find_spec("pip") is not None:
        return python("-m", "pip")
    if bundled := _bundled():
        return python(str(bundled / "pip"))
    if uv := shutil.which("uv"):
        return [uv, "tool", "run", "--quiet", "pip"]
    return None


def _bundled() -> Path | None:
    """The pip wheel that `ensurepip` carries; a wheel is a zip that Python can run."""
    spec = importlib.util.find_spec("ensurepip")
    if spec is None or spec.origin is None:
        return None
    wheels = sorted((Path(spec.origin).parent / "_bundled").glob("pip-*.whl"))
    return wheels[-1] if wheels else None
