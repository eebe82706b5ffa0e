"""Settings: every wrong value costs one clear sentence and nothing else."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.config import Settings, json_key, parse, settings_table

KEYS = [json_key(field.name) for field in dataclasses.fields(Settings)]


def test_nothing_sent_gives_the_defaults_without_a_word():
    assert parse() == parse(None) == parse({}) == parse({"inkling": None}) == (Settings(), ())


def test_right_values_are_taken_and_later_layers_win():
    settings, problems = parse(
        {"maxLines": 5, "model": "a", "threads": 3},
        {"maxLines": 7.0, "model": None, "disabledLanguages": ["markdown"]},
    )
    assert problems == ()
    assert settings == Settings(max_lines=7, model="a", threads=3, disabled_languages=("markdown",))


def test_settings_may_be_wrapped_in_their_section():
    assert parse({"inkling": {"maxLines": 5}})[0] == Settings(max_lines=5)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("enabled", "yes", "inkling.enabled is a text; allowed is true or false. Using true."),
        ("maxLines", True, "inkling.maxLines is true or false; allowed is a whole number from"),
        ("maxLines", 0, "inkling.maxLines is a number that is not allowed; allowed is a whole"),
        ("maxLines", 1.5, "inkling.maxLines is a fraction"),
        ("threads", [], "inkling.threads is a list; allowed is a whole number from 1 to 512, or"),
        ("multiline", "Auto", 'allowed is "auto", "never" or "always". Using "auto".'),
        ("model", " ", "inkling.model is a text; allowed is a name that `inkling models` lists"),
        ("serverUrl", "localhost:80", 'allowed is an address starting with "http://"'),
        (
            "disabledLanguages",
            ["a", 1],
            'allowed is a list of language ids such as ["python", "c"]. Using [].',
        ),
        ("logLevel", {}, "inkling.logLevel is an object"),
    ],
)
def test_a_wrong_value_gets_the_default_and_one_message(key, value, says):
    settings, problems = parse({key: value})
    assert settings == Settings()
    assert len(problems) == 1
    assert says in problems[0]


def test_a_wrong_value_does_not_hide_an_earlier_right_one():
    settings, problems = parse({"maxLines": 5}, {"maxLines": "many"})
    assert settings.max_lines == 5
    assert problems[0].endswith("Using 5.")


def test_a_key_pasted_into_the_wrong_field_is_not_repeated():
    _, problems = parse({"serverKeyVariable": "sk-secret-1234"})
    assert len(problems) == 1
    assert "secret" not in problems[0]


def test_unknown_keys_are_one_message_with_the_closest_known_key():
    settings, problems = parse({"maxLine": 3, "log_level": "debug", "zzz": 1})
    assert settings == Settings()
    assert problems == (
        'Unknown inkling settings are ignored: "maxLine" (did you mean "maxLines"?), '
        '"log_level" (did you mean "logLevel"?), "zzz".',
    )


def test_what_editors_do_is_no_problem():
    assert parse({"trace": {"server": "verbose"}}) == (Settings(), ())
    assert parse([], {"disabledLanguages": {}}) == (Settings(), ())


@pytest.mark.parametrize("layer", [[1], "x", 3, True])
def test_a_section_that_is_no_object_is_one_message(layer):
    settings, problems = parse(layer)
    assert settings == Settings()
    assert len(problems) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(KEYS), inner),
    max_leaves=12,
)


@given(st.lists(JSON | st.dictionaries(st.sampled_from([*KEYS, "inkling"]), JSON), max_size=3))
def test_no_json_makes_it_raise(layers):
    settings, problems = parse(*layers)
    assert isinstance(settings, Settings)
    assert all(problem.endswith(".") for problem in problems)


def test_every_default_is_allowed_and_every_setting_is_in_the_table():
    defaults = {json_key(k): v for k, v in dataclasses.asdict(Settings()).items()}
    assert parse(defaults) == (Settings(), ())
    assert re.findall(r"^\| `(\w+)`", settings_table(), re.MULTILINE) == KEYS


def test_the_readme_shows_this_table():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = readme.split("<!-- settings:begin -->")[1].split("<!-- settings:end -->")[0]
    assert shown.strip() == settings_table().strip()


def test_who_stops_at_a_problem_is_not_told_what_is_used_instead() -> None:
    _, problems = parse({"maxLines": 0, "colour": 1}, lenient=False)
    assert problems == (
        "inkling.maxLines is a number that is not allowed; "
        "allowed is a whole number from 1 to 200.",
        'Unknown inkling settings: "colour".',
    )
