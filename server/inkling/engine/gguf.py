"""What can be told about a model file before llama.cpp is asked to load it.

Everything that is wrong with a model is one sentence for people, raised as `ModelError`.
"""

from pathlib import Path

from inkling.engine.errors import ModelError

MAGIC = b"GGUF"


def check_file(path: Path) -> None:
    """Raise `ModelError` if there is no readable GGUF file at `path`."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(MAGIC))
    except FileNotFoundError:
        reason = f"there is no model file at {path}; `inkling models` lists what can be fetched"
        raise ModelError(reason) from None
    except IsADirectoryError:
        raise ModelError(f"{path} is a folder; name the .gguf file in it") from None
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    if magic != MAGIC:
        raise ModelError(f"{path} is not a GGUF model file: its content is something else")


def explain_load_failure(path: Path, log: str) -> str:
    """One sentence for why llama.cpp could not load a file, from what it logged."""
    if "unknown model architecture" in log:
        architecture = log.split("unknown model architecture:")[-1].split("\n")[0].strip(" '")
        return (
            f"{path.name} is a model of the kind '{architecture}', which this llama.cpp does not "
            "know; choose another model or update llama-cpp-python"
        )
    if any(sign in log for sign in ("within the file bounds", "corrupted", "failed to read")):
        return f"{path} is cut short or damaged; get it again from where it came from"
    if any(sign in log for sign in ("allocate", "out of memory", "bad_alloc", "OutOfDeviceMemory")):
        return f"there is not enough memory for {path.name}; choose a smaller model"
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    detail = f": {lines[-1]}" if lines else ""
    return f"llama.cpp could not load {path.name}{detail}"
