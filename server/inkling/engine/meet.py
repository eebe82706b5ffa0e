"""Getting to know the configured server: what it is, which model it runs, how to ask it.

Invariant: only the configured address is asked, and only with requests that change nothing.
"""

from collections import OrderedDict
from pathlib import PurePath

import msgspec

from inkling.engine import markers
from inkling.engine.api import FimTokens, ModelInfo
from inkling.engine.dialects import CompletionsServer, Dialect, LlamaServer, Message, error_text
from inkling.engine.http import LATER, Address, Trouble, exchange
from inkling.engine.ollama import OllamaServer

PATIENCE_S = 10.0
_KEPT_TEXTS = 64


class Loading(Trouble):
    """The server is there and still loads its model."""


async def meet(server: Address, key: str, model: str) -> Dialect:
    """Find out how to talk to the server. Raises `Trouble`, or `Loading` while it is not ready.

    `model` is the model wanted; "" takes the one the server has.
    """
    status, body = await _ask(server, "/props", key)
    if status == 200:
        props = _shape(body, _Props)
        if props and props.default_generation_settings:
            return await _meet_llama(server, key, props)
    elif status in (401, 403, 503):
        raise refusal(server, "/props", status, body, has_key=bool(key))
    return await _meet_other(server, key, model)


def refusal(server: Address, path: str, status: int, body: bytes, *, has_key: bool) -> Trouble:
    """What a status that is not 200 means, for people."""
    said = error_text(body)
    because = f": {said}" if said else ""
    if status in (401, 403):
        if has_key:
            return Trouble(f"The server at {server} refuses the key{because}.", retry_s=LATER)
        return Trouble(
            f"The server at {server} wants a key: put it in an environment variable and name"
            " that in inkling.serverKeyVariable.",
            retry_s=LATER,
        )
    if status == 503 and "load" in said.lower():
        return Loading(f"The server at {server} is loading its model.")
    if status == 404:
        return Trouble(
            f"The server at {server} has no {path}{because}. Look at inkling.serverUrl and"
            " inkling.serverModel.",
            retry_s=LATER,
        )
    if 300 <= status < 400:
        return Trouble(
            f"The server at {server} points elsewhere (status {status}), which is not followed;"
            " set inkling.serverUrl to the final address.",
            retry_s=LATER,
        )
    return Trouble(f"The server at {server} answered {status}{because}.")


class _Settings(msgspec.Struct):
    n_ctx: int = 0


class _Props(msgspec.Struct):
    default_generation_settings: _Settings | None = None
    model_alias: str = ""
    model_path: str = ""
    model_ftype: str = ""


class _Meta(msgspec.Struct):
    n_vocab: int = 0


class _Listed(msgspec.Struct):
    id: str
    meta: _Meta | None = None
    max_model_len: int | None = None
    """vLLM's context length."""


class _Models(msgspec.Struct):
    data: tuple[_Listed, ...] = ()


class _Version(msgspec.Struct):
    """What Ollama answers to /api/version."""

    version: str


class _Tokens(msgspec.Struct):
    tokens: tuple[int, ...] = ()


async def _meet_llama(server: Address, key: str, props: _Props) -> Dialect:
    tokenizer = _Tokenizer(server, key)
    status, body = await _ask(server, "/v1/models", key)
    models = _shape(body, _Models) if status == 200 else None
    listed = models.data[0] if models and models.data else None
    settings = props.default_generation_settings
    info = ModelInfo(
        name=PurePath(props.model_alias or props.model_path or "model").name.removesuffix(".gguf"),
        architecture="",
        context_tokens=(settings.n_ctx if settings else 0) or 4096,
        vocabulary_size=listed.meta.n_vocab if listed and listed.meta else 0,
        fim=await _find_markers(tokenizer),
        weights=f"{props.model_ftype} at {server}".strip(),
    )
    begin = await tokenizer.ask("", special=True)
    return LlamaServer(info, begin, tokenizer.plain)


async def _find_markers(tokenizer: "_Tokenizer") -> FimTokens | None:
    """The ids of the first family whose markers are single tokens of this vocabulary."""
    for _, family in markers.FAMILIES:
        texts = [text.strip() for text in (family.prefix, family.suffix, family.middle)]
        ids = await tokenizer.ask("".join(texts), special=False, parse=True)
        if all(texts) and len(ids) == 3:
            others = [
                await tokenizer.ask(text, special=False, parse=True)
                for text in (family.repository, family.file_separator)
            ]
            repository, separator = (found[0] if len(found) == 1 else None for found in others)
            return FimTokens(*ids, repository, separator)
    return None


class _Tokenizer:
    """llama-server's tokenizer. Keeps the last texts' ids, for prompts repeat from key to key."""

    def __init__(self, server: Address, key: str) -> None:
        self._server = server
        self._key = key
        self._kept: OrderedDict[str, tuple[int, ...]] = OrderedDict()

    async def plain(self, text: str) -> tuple[int, ...]:
        """Ids of a text in which markers mean nothing."""
        ids = self._kept.pop(text, None)
        if ids is None:
            ids = await self.ask(text, special=False)
        self._kept[text] = ids
        if len(self._kept) > _KEPT_TEXTS:
            self._kept.popitem(last=False)
        return ids

    async def ask(self, text: str, *, special: bool, parse: bool = False) -> tuple[int, ...]:
        """Ids of a text, with the model's first token if `special`, markers read if `parse`."""
        order = {"content": text, "add_special": special, "parse_special": parse}
        status, body = await _ask(
            self._server, "/tokenize", self._key, body=msgspec.json.encode(order)
        )
        if status != 200:
            raise refusal(self._server, "/tokenize", status, body, has_key=bool(self._key))
        found = _shape(body, _Tokens)
        if found is None:
            raise Trouble(f"The server at {self._server} sent something that is not token ids.")
        return found.tokens


async def _meet_other(server: Address, key: str, wanted: str) -> Dialect:
    status, body = await _ask(server, "/v1/models", key)
    if status != 200 and not (status == 404 and wanted):
        raise refusal(server, "/v1/models", status, body, has_key=bool(key))
    models = _shape(body, _Models) if status == 200 else _Models((_Listed(wanted),))
    if models is None:
        raise Trouble(
            f"What answers at {server} is not an OpenAI-compatible server: /v1/models is no list"
            " of models.",
            retry_s=LATER,
        )
    by_name = {listed.id: listed for listed in models.data}
    if not by_name or wanted not in (*by_name, ""):
        has = f"has no model {wanted!r}, only {', '.join(list(by_name)[:8])}"
        raise Trouble(
            f"The server at {server} {has if by_name else 'has no model; load one there'}.",
            retry_s=LATER,
        )
    listed = by_name[wanted] if wanted else models.data[0]
    family = markers.family_of(listed.id)
    info = ModelInfo(
        name=listed.id,
        architecture="",
        context_tokens=listed.max_model_len or 4096,
        vocabulary_size=0,
        fim=markers.stand_ins(family) if family else None,
        weights=f"as run at {server}",
    )
    status, body = await _ask(server, "/api/version", key)
    if status == 200 and _shape(body, _Version):
        return OllamaServer(info, family)
    return CompletionsServer(info, family)


async def _ask(
    server: Address, path: str, key: str, *, body: bytes | None = None
) -> tuple[int, bytes]:
    async with exchange(server, path, body=body, key=key, silence_s=PATIENCE_S) as response:
        return response.status, await response.body()


def _shape(body: bytes, shape: type[Message]) -> Message | None:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
