"""Which files hold secrets, by their names alone. Pure.

A file that a program is written in is code, whatever its name and folder: `credentials.py` and
`secrets.ts` are indexed, and what is secret inside of them is redacted. Only `.env*` is a secret
in every case.
"""

import re

# Names and extensions that tools give to nothing else. Names are lower-cased.
_NAME = re.compile(
    r"\.env.*"
    r"|.*\.env"
    r"|id_(?:rsa|dsa|ecdsa|ed25519|ecdsa_sk|ed25519_sk|xmss)(?:[._-](?!pub$).*)?"
    r"|.*\.(?:pem|key|p8|p12|pk8|pfx|pkcs12|jks|jceks|bks|keystore|truststore|keytab|kdbx?|ppk"
    r"|ovpn|gpg|pgp|agekey|snk|secrets?|token|credentials?|tfstate|tfstate\.backup|tfvars"
    r"|tfvars\.json|htpasswd|netrc|kubeconfig|pgpass|wallet|keychain|keychain-db)"
    r"|[._]netrc|\.npmrc|\.yarnrc|\.yarnrc\.yml|\.pypirc|\.pgpass|\.htpasswd|\.dockercfg"
    r"|\.git-credentials|\.my\.cnf|\.mylogin\.cnf|\.s3cfg|\.boto|\.vault-token|\.terraformrc"
    r"|\.(?:bash|zsh|python|psql|mysql|sqlite|node_repl|irb)_history|\.(?:rediscli|dbshell)"
    r"|kubeconfig(?:[._-].*)?|kube\.config|\.dockerconfigjson|\.databrickscfg|\.esmtprc|\.msmtprc"
)
# Names that people give.
_WORD = re.compile(
    r"[._]?credentials?(?:[^a-z].*)?|credentials.*"
    r"|(?:.*[._-])?(?:secrets?|credentials?|passwords?|passwd)(?:[._-].*)?"
    r"|(?:.*[._-])?(?:service[-_]?account|client[-_]?secret|private[-_]?key|api[-_]?keys?)"
    r"(?:[._-].*)?"
    r"|token\.json|application_default_credentials.*|shadow|htpasswd"
)
_FOLDERS = frozenset(
    (
        *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store"),
        *("secrets", ".secrets", "credentials", ".credentials"),
    )
)
# Shell scripts are left out on purpose: a `secrets.sh` is a list of exports.
_PROGRAMS = frozenset(
    (
        *("py", "pyi", "pyw", "pyx", "pxd", "ipynb", "js", "mjs", "cjs", "jsx", "ts", "mts"),
        *("cts", "tsx", "vue", "svelte", "astro", "rs", "go", "java", "kt", "kts", "scala"),
        *("groovy", "clj", "cljs", "c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx", "inl", "m"),
        *("mm", "cs", "fs", "fsx", "vb", "rb", "rake", "erb", "php", "swift", "dart", "lua"),
        *("pl", "pm", "r", "jl", "ex", "exs", "erl", "hrl", "hs", "ml", "mli", "elm", "nim", "zig"),
        *("v", "d", "pas", "ada", "adb", "ads", "f90", "cu", "cl", "asm", "s", "sql", "proto"),
        *("graphql", "gql", "thrift", "tf", "nix", "css", "scss", "sass", "less"),
        *("html", "htm", "md", "mdx", "rst", "adoc", "tex", "wgsl", "glsl", "sol", "cmake"),
        *("gradle", "bzl"),
    )
)


def is_secret_path(path: str) -> bool:
    """Whether the file at `path`, relative to its workspace, is not read unless somebody opens it.

    Guesses rather too often: one file less in the index is no loss.
    """
    folders, _, name = path.lower().rpartition("/")
    if _is_program(name):
        return False
    if _NAME.fullmatch(name) or _WORD.fullmatch(name):
        return True
    return bool(folders) and not _FOLDERS.isdisjoint(folders.split("/"))


def is_secret_name(path: str) -> bool:
    """Whether a file that somebody has opened holds nothing but secrets, as far as its name tells.

    Only names that tools give, and `credentials*`: people write in `rotate-secrets.yml` and in
    `.docker/Dockerfile`, and what is secret there is taken out of the text.
    """
    name = path.lower().rpartition("/")[2]
    if _is_program(name):
        return False
    return name.lstrip("._").startswith("credentials") or _NAME.fullmatch(name) is not None


def _is_program(name: str) -> bool:
    stem, _, extension = name.rpartition(".")
    return bool(stem) and extension in _PROGRAMS and not re.match(r"\.env($|\.)", name)
