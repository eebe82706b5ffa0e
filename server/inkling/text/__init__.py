"""Open documents as text: bytes, lines, positions. Pure: standard library only, no input or output.

Inside Inkling a place in a document is a byte offset into an immutable `Document`; LSP's
lines and characters are converted at the edge with `position` and `DocumentStore`.
"""
