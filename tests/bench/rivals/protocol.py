"""What the rivals have in common: the tokens that are run, and commands on standard input.

README.md describes the protocol. A rival is an object with `hello()`, which describes it, and
`commands`, a table from a command's name to a function of its arguments, whole numbers or words. Both give a
dictionary, which is answered as one line of JSON.
"""

import json
import sys
import time


def token_ids(n_tokens, vocab_size):
    """The ids that every program of the benchmark runs: any, but the same."""
    return [(i * 7919 + 504) % vocab_size for i in range(n_tokens)]


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self):
        self.start = time.perf_counter()

    def seconds(self):
        return time.perf_counter() - self.start


def serve(rival):
    """Answers commands until `quit` or the end of the input; a failed one is answered too."""

    def answer(document):
        print(json.dumps(document), flush=True)

    answer({"ready": True, **rival.hello()})
    for line in sys.stdin:
        words = line.split()
        if not words:
            continue
        if words[0] == "quit":
            return
        try:
            result = rival.commands[words[0]](*(int(w) if w.isdigit() else w for w in words[1:]))
            answer({"command": line.strip(), **result})
        except Exception as error:  # the driver decides what a failure means
            answer({"command": line.strip(), "error": f"{type(error).__name__}: {error}"})
