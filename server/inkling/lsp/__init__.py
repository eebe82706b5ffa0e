"""The language server: LSP on stdin and stdout, and nothing else that LSP knows of.

The only room that imports pygls and lsprotocol, and the only one where positions are lines
and characters: inside, they are byte offsets. Everything here runs on the event loop's
thread, except the thread that reads stdin.
"""
