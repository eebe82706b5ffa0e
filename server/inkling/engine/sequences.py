"""How the context's sequences are shared out.

Sequence 0 holds the prompt that is worked on and the greedy candidate, the next ones hold other
candidates. Then come those that keep a prompt that was left for another, the one for the part of
a prompt that is about to be moved, and one for looking aside: it is empty between two calls.
"""

MAX_CANDIDATES = 7
LEFT_SEQUENCES = tuple(range(MAX_CANDIDATES, MAX_CANDIDATES + 3))
"""Two wide prompts to go back to, and the quick one that stands in for the one worked on."""
MOVING_SEQUENCE = MAX_CANDIDATES + 3
SPARE_SEQUENCE = MAX_CANDIDATES + 4
MAX_SEQUENCES = MAX_CANDIDATES + 5
