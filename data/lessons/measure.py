#!/usr/bin/env python3
"""Makes measured.json, the stored results that lessons 2, 6, 7, 8 and 9 show, with the real program.

    data/lessons/measure.py build/release/app/qaq MODEL.gguf

Every run quantizes the first 40 tokens of data/samples/letter.txt and scores the other 24 on them. `set` of a run is what
follows `command`; nothing in the file was typed. `diagnoses` are of causes that were planted, by a setting or, where no
setting can, by plant_key_bias.py in a copy of the model (`qaq model list` says where SmolLM2-135M is kept).
"""
import json
import math
import pathlib
import shlex
import subprocess
import sys
import tempfile

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


ONLY_K, ONLY_V = "value.level=no-quantization", "key.level=no-quantization"
WIDE = ["n_bits_min=0", "n_bits_max=8"]  # so that no limit acts
FLAT = ["use_attentions=false", "range_rule=midpoint"]

SINK_PROMPT = ["--prompt", "The letter had no stamp and no name"]  # the text's first words

# Cause, setting, flags, and a prompt of its own, of the model as it is.
PLANTED = [
    ("bits_clamped", ["n_bits_max=2", "target_quantization_error=0.1", ONLY_K], []),
    ("target_loose", ["variant=paper", *WIDE, "target_quantization_error=10", ONLY_V], []),
    ("outlier_missed", ["use_attentions=false", "symmetric=true", "n_bits_uniform=4", "outliers_ratio=0", ONLY_K], []),
    ("importance_jumped", ["variant=paper", *WIDE, "target_quantization_error=0.01", "last_n_attentions=1", ONLY_V], []),
    ("query_norm", [*WIDE, "q_norm=1", ONLY_K], []),
    ("range_clipped", [*WIDE, "target_quantization_error=10", ONLY_V], []),
    ("sink_token", ["variant=paper", *WIDE, "target_quantization_error=100", ONLY_K], [], SINK_PROMPT),
    ("carried_error", ["range_rule=midpoint", *WIDE, "target_quantization_error=10", "last_n_attentions=1", ONLY_V], []),
]
# The same of the model with a bias of its keys. What is kept in bfloat16 differs before any of it is quantized.
PLANTED_IN_MODEL = [
    ("key_bias", [*FLAT, "n_bits_uniform=4", ONLY_K], []),
    ("not_quantization", ["n_bits_max=8"], ["--dtype", "bf16"]),
]
PLANTED_MODEL = "planted.gguf"


def shown(text):
    return text.strip(" ").replace("\n", "↵")


def diagnosis(program, folder, model, name, assignments, flags, prompt=("--prompt-file", TEXT)):
    """What `qaq diagnose` finds of a planted cause, which must be what was planted."""
    words = [word for each in assignments for word in ("--set", each)] + flags
    command = ["diagnose", "--model", model, *prompt, "--generate", "16", *words]

    def run(arguments):
        path = [str(folder / each) if each == PLANTED_MODEL else each for each in arguments]
        return json.loads(subprocess.run([program, *path, "--json", "--quiet"], check=True, cwd=FOLDER.parent.parent,
                                         capture_output=True).stdout)
    result = run(command)
    step = result["steps"][result["step"]]
    out = {"name": name, "command": "qaq " + shlex.join(command), "set": " ".join(words), "outcome": result["outcome"],
           "expected": shown(step["expected_text"]), "got": shown(step["got_text"]), "exact_kl": result["exact_kl"], "tokens": result["prompt_tokens"]}
    if model == PLANTED_MODEL:
        out["model_by"] = f"data/lessons/plant_key_bias.py smollm2-135m.gguf {PLANTED_MODEL}"
    if name == "not_quantization":
        assert result["outcome"] == "not quantization", result["outcome"]
        exact = run([each for each in command if each not in flags])
        return out | {"cause": result["outcome"], "counterfactual": "the cache's numbers in float32",
                      "kl_before": result["exact_kl"], "kl_after": exact["exact_kl"], "others": "none"}
    confirmed = [cause for cause in result["causes"] if cause["verdict"] == "confirmed"]
    found = next(cause for cause in confirmed if cause["name"] == name)
    out |= {"cause": found["title"], "counterfactual": found["counterfactual"], "evidence": found["evidence"],
            "others": ", ".join(cause["title"] for cause in confirmed if cause is not found) or "none"}
    out |= {key: result["cells"][0][key] for key in ["cache", "layer", "kv_head", "token"]}
    return out | {key: found[key] for key in ["n_cells", "kl_before", "kl_after"]}


def diagnoses(program, model):
    for planted in PLANTED:
        yield diagnosis(program, None, "smollm2-135m", *planted)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        subprocess.run([sys.executable, FOLDER / "plant_key_bias.py", model, path / PLANTED_MODEL], check=True)
        for planted in PLANTED_IN_MODEL:
            yield diagnosis(program, path, PLANTED_MODEL, *planted)


def main(program, model):
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
    out["diagnoses"] = list(diagnoses(program, model))
    (FOLDER / "measured.json").write_text(json.dumps(out, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2])
