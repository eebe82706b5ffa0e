"""How the context's sequences are shared out.

Sequence 0 holds the prompt that is worked on and the greedy candidate, the next ones hold other
candidates. Of the last three one keeps a prompt that was left for another, one the part of a
prompt that is about to be moved, and one is for looking aside: it is empty between two calls.
"""

MAX_CANDIDATES = 7
MAX_SEQUENCES = MAX_CANDIDATES + 3
LEFT_SEQUENCE = MAX_CANDIDATES
MOVING_SEQUENCE = MAX_CANDIDATES + 1
SPARE_SEQUENCE = MAX_CANDIDATES + 2
