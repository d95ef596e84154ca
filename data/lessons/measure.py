#!/usr/bin/env python3
"""Makes measured.json, the stored results that lessons 2, 6, 7 and 8 show, with the real program.

    data/lessons/measure.py build/release/app/qaq

Every run quantizes the first 40 tokens of data/samples/letter.txt and scores the other 24 on them. `set` of a run is what
follows `command`; nothing in the file was typed.
"""
import json
import math
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
TEXT = "data/samples/letter.txt"
COMMAND = ["evaluate", "--model", "smollm2-135m", "--text", TEXT, "--prefix", "40"]
METRICS = ["kl_mean", "same_top", "average_n_bits", "key_average_n_bits", "value_average_n_bits",
           "ratio_paper", "ratio_nominal", "ratio_packed"]


def runs():
    for level in ["head", "layer", "token"]:
        for side, other in [("key", "value"), ("value", "key")]:
            for bits in range(1, 9):
                yield (f"{side} {level} {bits}",
                       ["use_attentions=false", "outliers_ratio=0", f"level={level}", f"n_bits_uniform={bits}",
                        f"{other}.level=no-quantization"])
    paper = ["outliers_ratio=0.01", "last_n_attentions=5", "n_bits_min=1", "n_bits_max=4", "q_norm=300"]
    for error in ["0.1", "0.3", "1", "3", "10", "30"]:
        budget = f"target_quantization_error={error}"
        yield f"qaq {error}", paper + [budget]
        yield f"window 1 at {error}", paper + [budget, "last_n_attentions=1"]
        yield f"no outliers at {error}", paper + [budget, "outliers_ratio=0"]
    for bits in [1, 2, 3, 4, 6, 8]:
        yield (f"flat {bits}", ["use_attentions=false", "outliers_ratio=0.01", "level=head", f"n_bits_uniform={bits}"])


def interval(kls):
    """Half the 95 % interval of the mean."""
    mean = sum(kls) / len(kls)
    variance = sum((kl - mean) ** 2 for kl in kls) / (len(kls) - 1)
    return 1.96 * math.sqrt(variance / len(kls))


def main(program):
    out = {"format": "qaq-lesson-results", "version": 1, "command": "qaq " + " ".join(COMMAND)}
    measured = []
    for name, assignments in runs():
        flags = [word for each in assignments for word in ("--set", each)]
        result = json.loads(subprocess.run([program, *COMMAND, *flags, "--json", "--quiet"], check=True,
                                           cwd=FOLDER.parent.parent, capture_output=True).stdout)
        for key in ["model", "text", "n_tokens", "prefix"]:
            out[key] = result[key]
        out["n_positions"] = result["metrics"]["n_positions"]
        run = {"name": name, "set": " ".join(flags)}
        run.update((key, result["metrics"][key]) for key in METRICS)
        run["kl_interval"] = interval(result["positions"]["kl"])
        measured.append(run)
    out["runs"] = measured
    (FOLDER / "measured.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main(str(pathlib.Path(sys.argv[1]).resolve()))
