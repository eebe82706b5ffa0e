"""Which names of files and folders are worth indexing, wherever they lie. Pure.

The list is for what no ignore file need name: data, archives, what tools have made. What holds
secrets is left out here too, so that no file that is wanted can be one.
"""

import re

from inkling.text.secrets import is_secret_path

MAX_BYTES = 512_000
"""A larger file is generated or data; parsing it would take longer than it could ever help."""

# What version control, package managers and tools keep for themselves. Never entered.
FOLDERS = frozenset(
    (
        *(".git", ".hg", ".svn", ".bzr", ".jj", ".pijul", "_darcs", "CVS"),
        *("node_modules", "bower_components", "jspm_packages", ".pnpm-store", ".yarn"),
        *("__pycache__", "__pypackages__", ".venv", ".tox", ".nox", ".eggs", "site-packages"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".ipynb_checkpoints"),
        *(".gradle", ".terraform", ".direnv", ".cache", ".parcel-cache", ".turbo", ".next"),
        *(
            ".nuxt",
            ".svelte-kit",
            ".angular",
            ".dart_tool",
            ".bundle",
            ".stack-work",
            ".ccls-cache",
        ),
        *("DerivedData", ".idea", ".vs", ".metals", ".bloop"),
    )
)
# A folder with one of these in it was made by a tool: a cache, or a virtual environment.
MARKERS = ("CACHEDIR.TAG", "pyvenv.cfg")

_EXTENSIONS = frozenset(
    (
        # pictures, sound, films, fonts, models of things
        *("png", "jpg", "jpeg", "gif", "bmp", "ico", "icns", "webp", "avif", "tif", "tiff"),
        *("heic", "psd", "ai", "eps", "svg", "svgz", "xcf", "sketch", "fig", "blend", "fbx"),
        *("glb", "gltf", "obj", "stl", "mp3", "mp4", "m4a", "m4v", "mov", "avi", "mkv", "webm"),
        *("flac", "wav", "ogg", "opus", "ttf", "otf", "woff", "woff2", "eot"),
        # archives, packages, images of disks
        *("zip", "tar", "gz", "tgz", "bz2", "tbz", "xz", "txz", "zst", "lz4", "7z", "rar"),
        *("jar", "war", "ear", "whl", "egg", "gem", "nupkg", "deb", "rpm", "apk", "ipa", "dmg"),
        *("iso", "img", "pak", "crx", "vsix"),
        # what compilers make
        *("pyc", "pyo", "pyd", "class", "o", "a", "so", "dylib", "dll", "exe", "lib", "pdb"),
        *("wasm", "bc", "rlib", "rmeta", "node", "beam", "elc", "hi"),
        # data and weights
        *("csv", "tsv", "jsonl", "ndjson", "parquet", "arrow", "feather", "avro", "orc", "h5"),
        *("hdf5", "npy", "npz", "pkl", "pickle", "joblib", "pt", "pth", "ckpt", "onnx"),
        *("safetensors", "gguf", "bin", "dat", "db", "sqlite", "sqlite3", "mdb", "rdb", "pdf"),
        *("doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "epub", "log"),
        *("dump",),
        # copies, locks, maps
        *("bak", "orig", "rej", "swp", "swo", "tmp", "snap", "lock", "lockb", "map", "sum"),
    )
)
_USELESS = re.compile(
    r".*[.-]min\.(?:js|mjs|css|html)|.*\.(?:bundle|chunk)\.js|.*\.so\.[\d.]+"
    r"|package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|packages\.lock\.json"
    r"|\.ds_store|thumbs\.db|desktop\.ini|.*~|\.#.*|#.*#|4913",
    re.IGNORECASE,
)


def is_wanted(path: str) -> bool:
    """Whether a file of this name is worth reading. `path` is relative and POSIX."""
    name = path[path.rfind("/") + 1 :]
    return not (
        name[name.rfind(".") + 1 :].lower() in _EXTENSIONS
        or _USELESS.fullmatch(name)
        or is_secret_path(path)
    )
