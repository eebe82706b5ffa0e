"""The `inkling` command: one module per sub-command, imported only when it is called.

May import every other room; nothing imports it. The only room that prints.
"""
