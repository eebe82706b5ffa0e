"""Facts about clients, from what real ones send."""

import pytest
from lsprotocol import types
from lsprotocol.converters import get_converter

from inkling.lsp.client import Client, choose_encoding, prune, read_client
from protocol.client import PROFILE_NAMES, profile

CONVERTER = get_converter()


def read(params: dict[str, object]) -> Client:
    return read_client(CONVERTER.structure({"processId": None, **params}, types.InitializeParams))


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_every_captured_client(name):
    client = read(profile(name))
    assert client.pulls_configuration and client.shows_progress and client.shows_documents
    assert client.encoding == ("utf-16" if name.startswith("vscode") else "utf-8")
    assert client.inline_completion == name.startswith(("vscode", "neovim-0.12"))
    assert client.nests_symbols == (not name.startswith("helix"))
    assert (len(client.registers_navigation) == 4) == name.startswith("vscode")
    assert client.registers_configuration == name.startswith("vscode")
    assert not client.wants_status
    assert client.name


@pytest.mark.parametrize(
    "experimental", [None, 3, [], "x", {"inkling": None}, {"inkling": {"status": "yes"}}]
)
def test_a_client_with_nothing(experimental):
    client = read({"capabilities": {"experimental": experimental}})
    assert client == Client(name="an unnamed client")


def test_our_own_client():
    client = read({"capabilities": {"experimental": {"inkling": {"status": True}}}})
    assert client.wants_status


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, "utf-16"),
        ([], "utf-16"),
        (["utf-7"], "utf-16"),
        (["utf-16", "utf-8"], "utf-8"),
        (["utf-7", "utf-32", "utf-16"], "utf-32"),
        ([types.PositionEncodingKind.Utf16], "utf-16"),
    ],
)
def test_encodings(offered, chosen):
    assert choose_encoding(offered) == chosen


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_pruning_changes_nothing_that_is_read(name):
    assert read(prune(profile(name))) == read(profile(name))  # type: ignore[arg-type]


def test_a_client_of_the_future():
    """Values that LSP does not have yet, where nobody looks."""
    future = profile("vscode-1.139.1_languageclient-11.0.0")
    future["capabilities"]["textDocument"]["documentSymbol"]["symbolKind"]["valueSet"] = [1, 99]
    future["capabilities"]["workspace"]["workspaceEdit"] = {"failureHandling": "never"}
    assert read(prune(future)).inline_completion  # type: ignore[arg-type]


def test_navigation_can_be_registered_for_some_requests_and_not_for_others():
    client = read(prune(profile("lsp-mode-10.0.0_emacs-30.1")))  # type: ignore[arg-type]
    assert client.registers_navigation == {"textDocument/definition", "textDocument/references"}


@pytest.mark.parametrize("params", [None, [], {}, {"capabilities": 3}])
def test_what_cannot_be_pruned_is_left_to_fail(params):
    assert prune(params) == params


def test_capabilities_of_the_wrong_shape():
    odd = {"capabilities": {"general": 3, "window": {"workDoneProgress": True}}}
    assert read(prune(odd)).shows_progress  # type: ignore[arg-type]
