"""Secrets: which files are never read, and what is taken out of text."""

import random
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkling.text.secret_paths import is_secret_name
from inkling.text.secrets import REDACTED, is_secret_path, redact

SERVER = Path(__file__).parents[3] / "server"

# No token below is one: they are put together here, so that no scanner takes them for real.
BODY = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5"
RANDOM = "kP9vQ2mX7bR4tL8wN3sZ6yC1"


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".env.local",
        "deploy/.env.production",
        ".envrc",
        ".env.ts",
        "config/prod.env",
        "server.pem",
        "tls/server.KEY",
        "id_rsa",
        "keys/id_ed25519",
        "id_rsa.old",
        "store.p12",
        "app/release.keystore",
        "cert.pfx",
        "credentials",
        "credentials.json",
        "gcp-credentials.json",
        "Credentials.xml",
        "client_secret_123.json",
        "service-account.json",
        "my_service_account.prod.json",
        "secrets.yaml",
        "config/secrets.prod.yml",
        "secrets.sh",
        "k8s/app-secret.yaml",
        "passwords.txt",
        ".netrc",
        "_netrc",
        ".npmrc",
        ".pypirc",
        ".pgpass",
        ".git-credentials",
        "kubeconfig",
        "kubeconfig.yaml",
        "home/.kube/config",
        "home/.ssh/config",
        "home/.aws/credentials",
        ".docker/config.json",
        "terraform.tfstate",
        "prod.tfvars",
        "vault.kdbx",
        "secrets/database.yml",
        "secrets.py.bak",
        "token.json",
        "config/master.key",
    ],
)
def test_a_file_of_secrets_is_known_by_its_name(path):
    assert is_secret_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "credentials.py",
        "src/credentials.ts",
        "secrets.rs",
        "pkg/secrets/manager.go",
        "secrets_test.go",
        "docs/secrets.md",
        "id_rsa.pub",
        "id_generator.py",
        "environment.yml",
        "env.py",
        "environments/prod.yaml",
        "tokenizer.json",
        "tokens.json",
        "secretary.json",
        "keyboard.json",
        "monkey.txt",
        "password_reset.html",
        "PasswordField.tsx",
        "package.json",
        "Makefile",
        "kubeconfig.go",
        "src/aws/client.py",
    ],
)
def test_code_is_no_file_of_secrets_whatever_it_is_called(path):
    assert not is_secret_path(path)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f'gh = "ghp_{BODY}"', f"ghp_{BODY}"),
        (f"# use ghs_{BODY} here", f"ghs_{BODY}"),
        (f"x = 'github_pat_{'11ABCDEFG0' * 2}_{BODY}'", "github_pat_"),
        (f"k: glpat-{BODY[:20]}", BODY[:20]),
        ("AWS = 'AKIA" + "IOSFODNN7QRSTUVW'", "AKIA"),
        ("AWS = 'ASIA" + "IOSFODNN7QRSTUVW'", "ASIA"),
        (f'client = OpenAI("sk-{BODY}")', f"sk-{BODY}"),
        (f'c = A("sk-ant-api03-{BODY}-{BODY}_x")', BODY),
        (f'c = A("sk-proj-{BODY[:11]}_{BODY[:12]}-x")', BODY[:11]),
        ("slack('xoxb-" + "123456789012-1234567890123-" + BODY[:24] + "')", "xoxb-"),
        ("slack('xoxp-" + "1234567890-abcdef')", "xoxp-"),
        ("'eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0In0.c2lnbmF0dXJl-_x'", "c2lnbmF0dXJl"),
        ("AIza" + "SyA1234567890abcdefghijklmnopqrstu_", "SyA12"),
        (f"npm_{BODY}", BODY),
        (f"hf_{BODY}", BODY),
        ("stripe('sk_live_" + BODY[:24] + "')", BODY[:24]),
        ("SG." + BODY[:22] + "." + BODY, BODY[:22]),
        ('password = "hunter2"', "hunter2"),
        ("password='s3cr3t!'", "s3cr3t!"),
        ('"password": "correct-horse"', "correct-horse"),
        ('DB_PASSWORD = "sw0rdfish"', "sw0rdfish"),
        ('val password: String = "sw0rdfish"', "sw0rdfish"),
        ('    private static final String PASSWORD = "sw0rdfish";', "sw0rdfish"),
        ("password => 'sw0rdfish',", "sw0rdfish"),
        ("passwd := `sw0rdfish`", "sw0rdfish"),
        ('connect(password="sw0rdfish", host="db")', "sw0rdfish"),
        ('set("password", "sw0rdf1sh12")', "sw0rdf1sh12"),
        ("DB_PASSWORD=sw0rdfish22\nHOST=db\n", "sw0rdfish22"),
        ("export API_TOKEN=ab12cd34ef56\n", "ab12cd34ef56"),
        ("password: sw0rdfish22\n", "sw0rdfish22"),
        ('api_key = "0123456789abcdef0123456789abcdef"', "0123456789abcdef"),
        ('apiKey: "ab12-cd34-ef56"', "ab12-cd34-ef56"),
        ('const clientSecret = "ab12cd34ef56"', "ab12cd34ef56"),
        ('{"access_token": "ab12cd34ef56"}', "ab12cd34ef56"),
        ("Authorization: Bearer ab12cd34ef56ab12cd34", "ab12cd34ef56ab12cd34"),
        ('h = {"Authorization": "Basic dXNlcjpwYXNzd29yZDE="}', "dXNlcjpwYXNzd29yZDE="),
        ("postgres://bob:sw0rdfish@db.local/x", "sw0rdfish"),
        ("url = 'https://bob:s%40crt@example.org/'", "s%40crt"),
        ("redis://:sw0rdfish@cache:6379", "sw0rdfish"),
        (f'x = "{RANDOM}"', RANDOM),
        (f"x={RANDOM}", RANDOM),
        (f"curl https://host/files/{RANDOM}/raw", RANDOM),
        (f"seed: '{RANDOM}+/{RANDOM}=='", RANDOM),
    ],
)
def test_a_secret_is_taken_out_and_the_rest_stays(text, secret):
    result = redact(text)

    assert secret not in result
    assert REDACTED in result
    assert result.count("\n") == text.count("\n")
    assert redact(result) == result


@pytest.mark.parametrize(
    "text",
    [
        "",
        "password = getpass()",
        "password: str",
        'password = ""',
        'password = os.environ["DB_PASSWORD"]',
        "password: Uint8Array",
        "password = request.form.password2",
        'label = { password: "Passwort" }',
        '"password": "Mot de passe"',
        'password = "${DB_PASSWORD}"',
        "password = '{{ vault.password }}'",
        'PASSWORD_FIELD = "password"',
        'form.password = "user_password"',
        "if password == stored_password:",
        'token = "comment.line"',
        '{ token: "keyword.operator", regex: "x" }',
        'token_type = "Bearer"',
        "secret: [u8; 32],",
        "let token = lexer.next_token();",
        "apiKey: config.apiKey2,",
        "AbstractSingletonProxyFactoryBean2Implementation",
        "test_that_utf8_decoding_of_big5_2003_works_as_intended",
        "server/inkling/index/watchers2/registration/handlers.py",
        "convertBase64ToUtf8StringWithPadding2",
        "_ZN4core3fmt9Formatter9write_str17h0123456789abcdefE",
        "0xcbf29ce484222325ULL * 0x9e3779b97f4a7c15u64",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "c2c53d66948214258a26ca9ca845d7ac0c17f8e7",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        f'"integrity": "sha512-{RANDOM}/{RANDOM}+{RANDOM}=="',
        f"golang.org/x/net v0.1.0 h1:{RANDOM}{RANDOM[:19]}=",
        "550e8400-e29b-41d4-a716-446655440000",
        'expected = "SGVsbG8gV29ybGQhIFRoaXMgaXM="',
        f'icon = "data:image/png;base64,{RANDOM * 2}"',
        'data = "' + RANDOM * 20 + '"',
        "https://example.org/a/b?c=d",
        "git@github.com:owner/name.git",
        "https://user@example.org/x",
        "postgres://user:${PASSWORD}@host/db",
        "2024-01-01T00:00:00.000000000Z20240101",
        "!function(e,t){var n=e.x2,r=t.y3;return a1b2(n,r)}(window,document);",
        "-----BEGIN-----",
    ],
)
def test_ordinary_code_stays(text):
    assert redact(text) == text


def test_a_text_without_secrets_is_the_same_object():
    text = "def f():\n    return 1\n"

    assert redact(text) is text


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\\n"])
def test_of_a_pem_block_only_its_ends_stay(kind, line_end):
    lines = [RANDOM * 2 + "abcdefghijklmnop", "B" * 64, "C9" * 11 + "=="]
    block = line_end.join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"])

    result = redact(f'KEY = """{block}"""\nafter = 1\n')

    assert not any(line in result for line in lines)
    assert result.endswith(f'-----END {kind}-----"""\nafter = 1\n')
    assert redact(result) == result


def test_a_pem_block_that_was_cut_off_is_taken_out_up_to_the_cut():
    lines = [RANDOM * 2 + "abcdefghijklmnop"] * 5
    text = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines])

    assert RANDOM not in redact(text)


def test_the_lines_of_a_key_without_its_head_are_taken_out():
    line = RANDOM + "/" + RANDOM[::-1] + "+" + RANDOM[:14]

    assert redact(f"{line}\n{line}\n").count(REDACTED) == 2


def test_our_own_code_stays():
    """Some 15,000 lines of ordinary code: names, paths, regular expressions, messages."""
    changed = [
        path.relative_to(SERVER).as_posix()
        for path in sorted(SERVER.rglob("*.py"))
        if redact(text := path.read_text("utf-8")) != text
    ]

    assert changed == []


@given(st.text() | st.text(alphabet="aZ0 =:\"'\n/@-+password"))
def test_redacting_never_raises_and_is_done_after_once(text):
    once = redact(text)

    assert redact(once) == once


@given(st.integers(0, 2**32))
def test_a_random_key_is_nearly_always_found_without_any_name(seed):
    chance = random.Random(seed)
    keys = ["".join(chance.choices(string.ascii_letters + string.digits, k=40)) for _ in range(20)]
    text = "".join(f"use({key!r})\n" for key in keys)

    assert redact(text).count(REDACTED) >= 14


@given(
    st.sampled_from(["password", "API_TOKEN", "clientSecret"]),
    st.sampled_from(["{} = '{}'", '"{}": "{}",', 'let {}: String = "{}";']),
    st.text(alphabet=string.ascii_letters + string.digits, min_size=10, max_size=60).filter(
        lambda value: sum(c.isdigit() for c in value) > 1 and sum(c.isalpha() for c in value) > 1
    ),
)
def test_what_a_name_calls_a_secret_is_one(name, form, value):
    if "xxx" in value.lower() or "example" in value.lower():
        return

    assert value not in redact(form.format(name, value))


@given(st.sampled_from(["é", "İ", "漢", "\U0001d4b3", "\u2028"]), st.integers(0, 40))
def test_letters_of_all_scripts_do_not_shift_what_is_taken_out(letter, count):
    head = letter * count

    assert redact(f'{head}password = "hunter2"{head}') == f'{head}password = "REDACTED"{head}'


@pytest.mark.parametrize(
    "path",
    [
        "/home/me/project/.docker/Dockerfile",
        "/home/me/project/.aws/task-definition.json",
        "/home/me/secrets/app/values.yaml",
        "/p/views/forgot-password.hbs",
        "/p/.github/workflows/rotate-secrets.yml",
        "/p/chart/templates/secret.yaml",
        "/p/create-secret.sh",
        "/p/.environment.js",
        "/p/src/credentials.py",
    ],
)
def test_people_write_in_files_that_are_only_called_after_secrets(path):
    assert not is_secret_name(path)


@pytest.mark.parametrize(
    "path",
    [
        "/p/.env",
        "/p/.env.local",
        "/p/.env.js",
        "/home/me/.ssh/id_rsa",
        "/p/server.pem",
        "/p/credentials.json",
    ],
)
def test_nothing_is_suggested_in_files_of_secrets(path):
    assert is_secret_name(path)
