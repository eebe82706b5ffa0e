"""Prompts as pure functions: what the model is asked, as pieces of text and token ids."""
