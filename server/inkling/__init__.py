"""Inkling: inline completions and refactorings from a local model, over LSP."""

__version__ = "0.1.0"
