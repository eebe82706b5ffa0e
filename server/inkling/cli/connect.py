"""How to connect each editor, as short as it goes; the whole story is in editors/*/README.md."""

import shutil
import sys
from pathlib import Path

# Neovim inserts at the place it asked for; what was typed since belongs to the suggestion.
ACCEPT = """\
vim.keymap.set('i', '<Tab>', function()
  local function from_cursor(item)
    local row, col, last, stop = item.range:to_extmark()
    local cursor = vim.api.nvim_win_get_cursor(0)
    if cursor[1] - 1 ~= row or cursor[2] < col then return end
    local line = vim.api.nvim_get_current_line()
    local typed = line:sub(col + 1, cursor[2])
    if not vim.startswith(item.insert_text, typed) then return end
    stop = last == row and stop + #typed or stop
    item.range = vim.range.extmark(0, row, col, last, stop)
    return item
  end
  local got = vim.lsp.inline_completion.get({ on_accept = from_cursor })
  if not got then return '<Tab>' end
end, { expr = true })"""


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
            neovim + "vim.lsp.inline_completion.enable(true)\n" + ACCEPT,
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
