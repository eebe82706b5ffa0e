"""The process that talks to the Hugging Face hub: `… REPOSITORY FILE REVISION [SHA256]`.

It is the only importer of `huggingface_hub`, so that the parent stays small, can show progress,
and can end a download at once. It answers with one JSON object a line on stdout.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name

# One request, no retries: `hf_hub_download` alone tries for 23 s before it says that there is
# no network.
_PROBE_TIMEOUT_S = 5.0
_SHA256 = re.compile(r"[0-9a-f]{64}")  # the ETag of a large file; of a small one it is not


def main(repository: str, file: str, revision: str, sha256: str = "") -> int:
    """Returns the exit status; the last line says the same in words.

    `sha256` is what the file must be, where that is known: another one is not even fetched.
    """
    cached = try_to_load_from_cache(repository, file, revision=revision)
    if isinstance(cached, str):
        return _say(event="file", path=cached, cached=True)
    try:
        url = hf_hub_url(repository, file, revision=revision)
        metadata = get_hf_file_metadata(url, timeout=_PROBE_TIMEOUT_S)
        if sha256 and _SHA256.fullmatch(metadata.etag or "") and metadata.etag != sha256:
            return _fail(f"{repository} now holds another {file}")
        folder = repo_folder_name(repo_id=repository, repo_type="model")
        _say(
            event="found",
            size=metadata.size,
            etag=metadata.etag,
            blobs=str(Path(constants.HF_HUB_CACHE) / folder / "blobs"),
        )
        path = hf_hub_download(repository, file, revision=revision)
        return _say(event="file", path=path, cached=False)
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
        # Both of its HTTP libraries, old and new, raise connection errors that are or are not
        # OSErrors; a full or read-only disk always has an errno.
        if error.errno is not None and not isinstance(error, ConnectionError):
            return _fail(str(error), errno=error.errno)
        return _fail("not reachable", network=True)
    except Exception as error:
        # The process boundary: whatever it is, the parent hears of it and tries the next source.
        network = any("HTTP" in base.__name__ for base in type(error).__mro__)
        return _fail("not reachable" if network else repr(error), network=network)


def _say(**event: Any) -> int:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()
    return 0


def _fail(reason: str, *, network: bool = False, errno: int | None = None) -> int:
    _say(event="failed", reason=reason, network=network, errno=errno)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
