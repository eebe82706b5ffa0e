"""The process that talks to the Hugging Face hub. Arguments: those of `main`, in order.

It is the only importer of `huggingface_hub`, so that the parent stays small, can show progress,
and can end a download at once. It answers with one JSON object a line on stdout.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # documented

_PROBE_TIMEOUT_S = 5.0
_SHA256 = re.compile(r"[0-9a-f]{64}")  # the ETag of a large file; that of a small one is not


def main(repository: str, file: str, revision: str, sha256: str, folder: str, fresh: str) -> int:
    """Find the file in the hub's cache, else download it into `folder`; returns the exit status.

    `sha256` is what the file must be, where that is known, else empty: another one is not even
    fetched. `fresh` is "yes" where what the cache has is known to be no good.
    """
    cached = try_to_load_from_cache(repository, file, revision=revision)
    if isinstance(cached, str) and fresh != "yes":
        return _say(event="file", path=cached, cached=True)
    try:
        return _download(
            repository, hf_hub_url(repository, file, revision=revision), sha256, folder
        )
    except GatedRepoError:
        page = f"{constants.ENDPOINT}/{repository}"
        return _fail(f"{repository} wants its terms accepted at {page} and a token in HF_TOKEN")
    except LocalEntryNotFoundError:
        return _fail("not reachable", network=True)
    except (RepositoryNotFoundError, EntryNotFoundError):
        return _fail(f"{repository} has no file {file} (or it is private: set HF_TOKEN)")
    except HfHubHTTPError as error:
        return _fail(f"{repository}: {str(error).splitlines()[0]}")
    except OSError as error:
        # Its HTTP libraries, old and new, raise connection errors that are or are not OSErrors;
        # a full or read-only disk always has an errno.
        if error.errno is not None and not isinstance(error, ConnectionError):
            return _fail(str(error), errno=error.errno)
        return _fail("not reachable", network=True)
    except Exception as error:
        # The process boundary: whatever it is, the parent hears of it and tries the next source.
        network = any("HTTP" in base.__name__ for base in type(error).__mro__)
        return _fail("not reachable" if network else repr(error), network=network)


def _download(repository: str, url: str, sha256: str, folder: str) -> int:
    """`hf_hub_download` would try for 23 s before it says that there is no network, and (since
    2.0) begins anew after each interruption: so one request for the metadata, then its own
    `http_get`, which goes on where a file ends and retries when a connection breaks."""
    metadata = get_hf_file_metadata(url, timeout=_PROBE_TIMEOUT_S)
    etag = metadata.etag or ""
    stated = etag if _SHA256.fullmatch(etag) else ""
    if sha256 and stated not in ("", sha256):
        return _fail(f"{repository} now holds another {url.rpartition('/')[2]}")
    # Named after its content: the rest of one version is never joined to the start of another.
    part = Path(folder) / f"hub-{re.sub(r'[^0-9A-Za-z]', '', etag)[:40]}"
    part.touch()
    _say(event="found", size=metadata.size, sha256=stated, path=str(part))
    headers = build_hf_headers()
    if urlsplit(metadata.location).netloc != urlsplit(url).netloc:
        headers.pop("authorization", None)  # the token is for the hub, not for its file servers
    with part.open("r+b") as file:
        have = file.seek(0, 2)
        if metadata.size is not None and have > metadata.size:
            have = file.truncate(0)
            file.seek(0)
        http_get(
            metadata.location, file, resume_size=have, headers=headers, expected_size=metadata.size
        )
    return _say(event="file", path=str(part), cached=False)


def _say(**event: Any) -> int:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()
    return 0


def _fail(reason: str, *, network: bool = False, errno: int | None = None) -> int:
    _say(event="failed", reason=reason, network=network, errno=errno)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
