"""Settings: what a user may choose, and how their JSON becomes frozen values.

The dataclass is the only list of settings: parsing, defaults, messages and the table in the
README all come from its fields' metadata. `parse` never raises: whatever a client sends, there
are usable settings and a sentence for the user about each thing that was not understood.
Values are never echoed in these sentences (somebody may paste a key into the wrong field).
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast

Backend = Literal["llama", "openai", "scripted"]
Multiline = Literal["auto", "never", "always"]
Fallback = Literal["auto", "always", "never"]
LogLevel = Literal["error", "warning", "info", "debug"]

SECTION = "inkling"
"""The configuration section clients keep the settings under."""

_NOT_OURS = ("trace",)
"""Keys of the section that belong to the client: VS Code keeps its log level there."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """How one setting's JSON is read: `read` returns None where the value is not allowed."""

    allowed: str
    read: Callable[[object], object | None]
    meaning: str


def _rule(allowed: str, read: Callable[[object], object | None], meaning: str) -> dict[str, _Rule]:
    """A field's metadata."""
    return {"rule": _Rule(allowed, read, meaning)}


def _boolean(meaning: str) -> dict[str, _Rule]:
    return _rule("true or false", lambda value: value if isinstance(value, bool) else None, meaning)


def _whole(low: int, high: int, meaning: str, *, or_null: bool = False) -> dict[str, _Rule]:
    def read(value: object) -> object | None:
        # Lua and Emacs clients send whole numbers as floats.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            return None
        return value

    allowed = f"a whole number from {low} to {high}"
    return _rule(allowed + (", or null" if or_null else ""), read, meaning)


def _choice(values: tuple[str, ...], meaning: str) -> dict[str, _Rule]:
    names = [f'"{value}"' for value in values]
    return _rule(
        ", ".join(names[:-1]) + " or " + names[-1],
        lambda value: value if isinstance(value, str) and value in values else None,
        meaning,
    )


def _text(allowed: str, pattern: str, meaning: str) -> dict[str, _Rule]:
    shape = re.compile(pattern, re.DOTALL)
    return _rule(
        allowed,
        lambda value: value if isinstance(value, str) and shape.fullmatch(value) else None,
        meaning,
    )


def _texts(allowed: str, meaning: str) -> dict[str, _Rule]:
    def read(value: object) -> object | None:
        if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            return tuple(value)
        if value == {}:  # Lua has one empty table for both
            return ()
        return None

    return _rule(allowed, read, meaning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every choice a user has; any thread. JSON keys are these names in camelCase."""

    enabled: bool = field(
        default=True,
        metadata=_boolean("Whether anything is suggested at all. Turning it off keeps the model."),
    )
    model: str = field(
        default="qwen2.5-coder-0.5b",
        metadata=_text(
            "a name that `inkling models` lists, or the path of a GGUF file",
            r"(?=.*\S).+",
            "The model that completes: a catalogue name, or the path of your own GGUF file.",
        ),
    )
    backend: Backend = field(
        default="llama",
        metadata=_choice(
            ("llama", "openai", "scripted"),
            "What runs the model: llama.cpp on this machine, a server you name that speaks the "
            "OpenAI completions protocol (llama-server, vLLM, SGLang, Ollama), or canned answers "
            "for tests.",
        ),
    )
    server_url: str = field(
        default="http://127.0.0.1:8080",
        metadata=_text(
            'an address starting with "http://" or "https://"',
            r"https?://[^\s/]\S*",
            "Address of that server. Used with the `openai` back-end only.",
        ),
    )
    server_model: str = field(
        default="",
        metadata=_text(
            "a text", r".*", "Model name to ask that server for; empty for its only model."
        ),
    )
    server_key_variable: str = field(
        default="",
        metadata=_text(
            "the name of an environment variable (not the key itself)",
            r"([A-Za-z_][A-Za-z0-9_]*)?",
            "Name of the environment variable that holds that server's key; empty for none.",
        ),
    )
    threads: int | None = field(
        default=None,
        metadata=_whole(
            1,
            512,
            "Processor threads for the model; null lets calibration choose.",
            or_null=True,
        ),
    )
    context_tokens: int = field(
        default=4096,
        metadata=_whole(512, 131072, "Tokens the model's context holds. More costs memory."),
    )
    max_lines: int = field(default=12, metadata=_whole(1, 200, "Most lines of one suggestion."))
    multiline: Multiline = field(
        default="auto",
        metadata=_choice(
            ("auto", "never", "always"),
            "Suggest several lines: where the syntax asks for it, never, or wherever possible.",
        ),
    )
    candidates: int = field(
        default=3,
        metadata=_whole(1, 8, "Most different suggestions when you ask for them explicitly."),
    )
    answer_budget_ms: int | None = field(
        default=None,
        metadata=_whole(
            50,
            60000,
            "Milliseconds after which a request is answered with what there is; the rest is kept "
            "for the next key. null: as long as the editor waits (700 in VS Code, which drops "
            "slower answers; 10000 elsewhere). A newer request never waits for an older one.",
            or_null=True,
        ),
    )
    optimise_weights: bool = field(
        default=True,
        metadata=_boolean(
            "Whether the first load may re-quantize the model for this machine where that is "
            "faster. The original is kept."
        ),
    )
    workspace_context: bool = field(
        default=False,
        metadata=_boolean(
            "Whether the model is shown pieces of other files of the workspace. Files that hold "
            "secrets, and secrets inside of code, are left out. Off: in the few hundred tokens "
            "that two cores can afford, they have not made the default model better yet."
        ),
    )
    navigation: bool = field(
        default=False,
        metadata=_boolean(
            "Whether Inkling answers where things are: the symbols of a file and of the workspace, "
            "definitions and references, found by name. For languages that no other server of "
            "your editor knows."
        ),
    )
    disabled_languages: tuple[str, ...] = field(
        default=(),
        metadata=_texts(
            'a list of language ids such as ["python", "c"]',
            "Language ids in which nothing is suggested.",
        ),
    )
    completion_fallback: Fallback = field(
        default="auto",
        metadata=_choice(
            ("auto", "always", "never"),
            "Offer suggestions in the ordinary completion list: for clients without inline "
            "completion, always, or never.",
        ),
    )
    log_level: LogLevel = field(
        default="info",
        metadata=_choice(
            ("error", "warning", "info", "debug"),
            "How much goes into the log file. Source text is written at `debug` only.",
        ),
    )

    @property
    def wants_index(self) -> bool:
        """Whether anything asks what is in the workspace."""
        return self.workspace_context or self.navigation


def json_key(name: str) -> str:
    """`max_lines` → `maxLines`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


_RULES: dict[str, tuple[str, _Rule, object]] = {
    json_key(each.name): (each.name, cast(_Rule, each.metadata["rule"]), each.default)
    for each in fields(Settings)
}


def parse(*layers: object, lenient: bool = True) -> tuple[Settings, tuple[str, ...]]:
    """Settings and one sentence per problem. Never raises; any thread.

    Later layers win over earlier ones (initialization options, then the client's
    configuration). A layer may be the section itself or an object that holds it under
    `inkling`; null means "not set", for a layer and for a key. `lenient` is for who uses the
    settings in spite of problems: the sentences then tell what is used instead.
    """
    values: dict[str, object] = {}
    unknown: list[str] = []
    problems: list[str] = []
    for layer in layers:
        if layer is None or layer == []:  # Lua has one empty table for both
            continue
        if not isinstance(layer, Mapping):
            problems.append(
                f"The {SECTION} settings are {_kind(layer)}; allowed is an object. "
                "They are ignored."
            )
            continue
        for key, value in _section(layer).items():
            if key in _NOT_OURS:
                continue
            if key not in _RULES:
                unknown.append(str(key))
                continue
            # One wrong value must not hide a right one from an earlier layer.
            name, rule, default = _RULES[key]
            if value is None:
                continue
            read = rule.read(value)
            if read is None:
                used = values.get(name, default)
                instead = f" Using {_as_json(used)}." if lenient else ""
                problems.append(
                    f"{SECTION}.{key} is {_kind(value)}; allowed is {rule.allowed}.{instead}"
                )
            else:
                values[name] = read
    if unknown:
        named = ", ".join(_suggest(key) for key in dict.fromkeys(unknown))
        ignored = " are ignored" if lenient else ""
        problems.append(f"Unknown {SECTION} settings{ignored}: {named}.")
    return Settings(**cast(Any, values)), tuple(dict.fromkeys(problems))


def settings_table() -> str:
    """The settings as a Markdown table, for the README (a test keeps the two equal)."""
    rows = ["| Setting | Allowed | Default | Meaning |", "|---|---|---|---|"]
    rows += [
        f"| `{key}` | {rule.allowed} | `{_as_json(default)}` | {rule.meaning} |"
        for key, (_, rule, default) in _RULES.items()
    ]
    return "\n".join(rows) + "\n"


def _section(layer: Mapping[object, object]) -> Mapping[object, object]:
    inner = layer.get(SECTION)
    if SECTION in layer and (inner is None or isinstance(inner, Mapping)):
        outer = {key: value for key, value in layer.items() if key in _RULES}
        return {**outer, **(inner or {})}
    return layer


def _suggest(key: str) -> str:
    folded = {known.lower(): known for known in _RULES}
    close = difflib.get_close_matches(key.lower().replace("_", ""), folded, n=1, cutoff=0.6)
    shown = key if len(key) <= 40 else key[:39] + "…"
    return f'"{shown}"' + (f' (did you mean "{folded[close[0]]}"?)' if close else "")


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number that is not allowed" if isinstance(value, int) else "a fraction"
    if isinstance(value, str):
        return "a text" if value else "an empty text"
    if isinstance(value, list | tuple):
        return "a list"
    return "an object"


def _as_json(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)
