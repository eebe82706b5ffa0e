"""Settings on a command line: what is wrong and what is allowed, and nothing of consequences."""

import click
import pytest

from inkling.cli.session import settings_from


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("maxLines=0", "allowed is a whole number from 1 to 200"),
        ("disabledLanguages=python", 'a list of language ids such as ["python", "c"]'),
        ("maxLine=3", 'did you mean "maxLines"?'),
    ],
)
def test_a_wrong_setting_is_told_without_what_is_used_instead(chosen: str, said: str) -> None:
    with pytest.raises(click.UsageError) as failure:
        settings_from(None, [chosen])
    assert said in failure.value.message
    assert "Using" not in failure.value.message
    assert "ignored" not in failure.value.message


def test_lists_are_written_as_json() -> None:
    settings = settings_from(None, ['disabledLanguages=["python", "c"]', "maxLines=4"])
    assert (settings.disabled_languages, settings.max_lines) == (("python", "c"), 4)
