"""The model catalogue, the downloads, and the installation of the engine's native library.

With `engine/openai.py` this is the only room that opens a connection, and it does so only
when someone asked it to: `inkling pull`, `inkling setup`, or the server after the user's yes.
"""
