"""How to connect each editor, as short as it goes; the whole story is in editors/*/README.md."""

import shutil
import sys
from pathlib import Path


def command_path() -> str:
    """The `inkling` command as an editor has to name it: short where PATH has this very one."""
    beside = Path(sys.executable).parent / ("inkling.exe" if sys.platform == "win32" else "inkling")
    found = shutil.which("inkling")
    if found is not None and Path(found).resolve() == beside.resolve():
        return "inkling"
    return str(beside) if beside.exists() else found or "inkling"


def connections(command: str) -> tuple[tuple[str, str], ...]:
    """(Editor, what to put where) for a command path."""
    quoted = command.replace("\\", "\\\\")
    neovim = (
        f"vim.lsp.config('inkling', {{ cmd = {{ '{quoted}', 'serve' }},\n"
        "  filetypes = { 'python' } })\n"
        "vim.lsp.enable('inkling')\n"
    )
    return (
        (
            "Neovim 0.12, init.lua",
            neovim + "vim.lsp.inline_completion.enable(true)\n"
            "vim.keymap.set('i', '<Tab>', function()\n"
            "  if not vim.lsp.inline_completion.get() then return '<Tab>' end\n"
            "end, { expr = true })",
        ),
        (
            "Neovim 0.11, init.lua (completion menu)",
            neovim + "vim.api.nvim_create_autocmd('LspAttach', { callback = function(event)\n"
            "  vim.lsp.completion.enable(true, event.data.client_id, event.buf,\n"
            "    { autotrigger = true })\n"
            "end })",
        ),
        (
            "Helix, languages.toml (completion menu)",
            f'[language-server.inkling]\ncommand = "{quoted}"\nargs = ["serve"]\n'
            '[[language]]\nname = "python"\n'
            "# those you use already, and Inkling\n"
            'language-servers = ["basedpyright", "ruff", "inkling"]',
        ),
        (
            "Emacs with lsp-mode 10",
            "(require 'lsp-inline-completion)\n"
            "(lsp-register-client (make-lsp-client :server-id 'inkling :add-on? t\n"
            '  :activation-fn (lsp-activate-on "python")\n'
            f'  :new-connection (lsp-stdio-connection \'("{quoted}" "serve"))))\n'
            "(add-hook 'lsp-managed-mode-hook #'lsp-inline-completion-mode)",
        ),
        (
            "Emacs with eglot (completion list)",
            "(with-eval-after-load 'eglot\n"
            "  (add-to-list 'eglot-server-programs\n"
            f'    \'(python-mode . ("{quoted}" "serve"))))',
        ),
        ("VS Code", "needs an extension, which is not there yet"),
    )
