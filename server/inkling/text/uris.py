"""Documents' names as editors give them, and the paths of files.

Only `file:` URIs have a path; untitled documents, those inside archives and those of remote
file systems have none. Pure, standard library only.
"""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit


def path_of(uri: str) -> str | None:
    """The absolute path of a document, in this system's form; None where it is no file's.

    Editors write drive letters as `c%3A`, `C:` or `c:`; here they are upper-case.
    """
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme.lower() != "file":
        return None
    if os.name != "nt":
        return unquote(parts.path) or None if parts.netloc in ("", "localhost") else None
    path = unquote(parts.path)
    if parts.netloc and parts.netloc != "localhost":
        return rf"\\{parts.netloc}" + path.replace("/", "\\")
    path = path.removeprefix("/").replace("/", "\\")
    return path[:1].upper() + path[1:] if path[1:2] == ":" else None


def uri_of(path: str) -> str:
    """The `file:` URI of an absolute path."""
    return Path(path).as_uri()
