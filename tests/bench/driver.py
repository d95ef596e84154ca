"""What the drivers of this folder have in common: programs that take turns, and a table of ratios."""

import json
import statistics
import subprocess


class Program:
    """One of the programs, driven by the protocol of rivals/README.md."""

    def __init__(self, words, environment):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=environment)
        self.about = self.read()
        self.samples = {}

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args}: ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.read()
        if "error" in answer:
            raise SystemExit(f"{command}: {answer['error']}")
        return answer

    def sample(self, command):
        self.samples.setdefault(command, []).append(self.ask(command))

    def median(self, command, field="seconds"):
        return statistics.median(answer[field] for answer in self.samples[command])

    def quit(self):
        self.process.stdin.close()
        self.process.wait()


class Table:
    def __init__(self):
        self.rows = []

    def add(self, work, ours, theirs, ratio, least="", want=""):
        self.rows.append((work, ours, theirs, f"{ratio:.2f}", least, want))

    def print(self):
        head = ("work", "ours", "against", "ratio", "at least", "want")
        rows = [head] + self.rows
        widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def rate(tokens, seconds):
    return f"{tokens / seconds:.0f} tok/s"
