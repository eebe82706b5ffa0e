"""What the grammar says: which language, where a line stands, whether a suggestion parses.

The rules (`languages`, `scope`, `scan`, `gate`) are pure; parsing happens in a process of its
own (`worker`), since tree-sitter holds the interpreter's lock for a whole parse and a
grammar may crash. `client` is the event loop's side of that process.
"""
