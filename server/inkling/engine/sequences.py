"""How the context's sequences are shared out.

Sequence 0 holds the prompt and the greedy candidate, the next ones hold other candidates, and
the last one is for looking aside: it is always empty between two calls.
"""

MAX_SEQUENCES = 8
SPARE_SEQUENCE = MAX_SEQUENCES - 1
MAX_CANDIDATES = MAX_SEQUENCES - 1
