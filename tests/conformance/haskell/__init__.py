"""Reads and runs the part of Haskell that PostgREST's specification is written in.

`lexer` makes tokens, `parser` makes a tree of them, `evaluate` runs the tree. What the functions of a library do is
not known here: the evaluator is given them by name.
"""


class Unsupported(Exception):
    """Something that is read or run is beyond the part of the language, or of the libraries, that is known."""
