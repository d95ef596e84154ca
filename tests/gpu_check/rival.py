#!/usr/bin/env python3
"""rival.py [--out DIR] [--quick]: PyTorch on the shapes that gpu_check times, in the same table.

Without PyTorch or a GPU it says so and ends well. Writes DIR/rival.json.
"""
import argparse
import json
import math
import statistics
import sys
from pathlib import Path

WARMUPS = 3
SAMPLES = 21
MORE_THAN_L2 = 256 << 20  # bytes that a pass touches, as gpu_check
LAYERS, HEADS, HEAD_DIM = 32, 32, 128
COLUMNS = ("name", "shape", "time", "bytes", "GB/s", "% of datasheet", "% of measured copy", "goal", "ok")
TERA = 1e12


def datasheet(name):
    """Bytes, float32 and float16 operations a second; None where the card is not known."""
    words = name.split()
    if {"PCIe", "NVL", "MIG"} & set(words):
        return None
    memory = {"H100": 3.35 * TERA, "H200": 4.8 * TERA}
    return next(((memory[w], 67 * TERA, 989 * TERA) for w in words if w in memory), None)


class Bench:
    def __init__(self, torch):
        self.torch = torch
        self.device = torch.cuda.get_device_name()
        self.rates = datasheet(self.device)
        self.rows = []
        self.copy_rate = None

    def numbers(self, dtype, *shape):
        return self.torch.randn(*shape, device="cuda", dtype=self.torch.float32).to(dtype)

    def sets(self, dtype, *shapes):
        """Arrays of more bytes together than the L2 cache holds, taken in turn."""
        def one():
            return [self.numbers(dtype, *shape) for shape in shapes]

        first = one()
        n_bytes = sum(a.numel() * a.element_size() for a in first)
        return [first] + [one() for _ in range(max(1, MORE_THAN_L2 // n_bytes))]

    def seconds(self, sets, run):
        """Median of passes over all sets, each between two events; of one call."""
        def event():
            return self.torch.cuda.Event(enable_timing=True)

        for _ in range(WARMUPS):
            for arrays in sets:
                run(*arrays)
        pairs = [(event(), event()) for _ in range(SAMPLES)]
        for start, end in pairs:
            start.record()
            for arrays in sets:
                run(*arrays)
            end.record()
        self.torch.cuda.synchronize()
        return statistics.median(s.elapsed_time(e) for s, e in pairs) / 1e3 / len(sets)

    def row(self, name, shape, dtype, sets, run, n_bytes, operations=0):
        """Rates are of operations where there are any, else of bytes."""
        seconds = self.seconds(sets, run)
        rate = (operations or n_bytes) / seconds
        full = None
        if self.rates:
            half = dtype == self.torch.float16
            full = self.rates[(2 if half else 1) if operations else 0]
        self.rows.append({
            "name": name,
            "shape": shape,
            "seconds": seconds,
            "bytes": n_bytes,
            "operations": operations or None,
            "rate": rate,
            "share_of_datasheet": rate / full if full else None,
            "share_of_measured_copy": None if operations or not self.copy_rate else rate / self.copy_rate,
        })
        return rate

    def copy(self):
        n = 1 << 28
        sets = [[self.numbers(self.torch.float32, n), self.torch.empty(n, device="cuda")]]
        rate = self.row("torch copy on the device", "1024 MiB", self.torch.float32, sets,
                        lambda a, b: b.copy_(a), 2 * 4 * n)
        self.copy_rate = rate
        self.rows[-1]["share_of_measured_copy"] = 1.0

    def matmul(self, dtype, label, n_rows, n, k):
        size = self.torch.finfo(dtype).bits // 8
        sets = self.sets(dtype, (n_rows, k), (n, k))
        operations = 0 if n_rows <= 8 else 2 * n_rows * n * k
        self.row(f"torch linear {label}", f"T {n_rows}, n {n}, k {k}", dtype, sets,
                 self.torch.nn.functional.linear, size * (n_rows * k + n * k + n_rows * n), operations)

    def attention(self, dtype, label, n_rows, n_keys):
        size = self.torch.finfo(dtype).bits // 8
        query, cache = (1, HEADS, n_rows, HEAD_DIM), (1, HEADS, n_keys, HEAD_DIM)
        sets = self.sets(dtype, query, cache, cache)
        causal = n_rows > 1
        seen = n_rows * (n_rows + 1) / 2  # all keys are rows' own where there are several rows

        def run(q, k, v):
            return self.torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

        n_bytes = size * HEADS * HEAD_DIM * 2 * (n_rows + n_keys)
        self.row(f"torch attention {label}", f"T {n_rows}, keys {n_keys}, heads {HEADS}, D {HEAD_DIM}",
                 dtype, sets, run, n_bytes, 4 * HEADS * HEAD_DIM * seen if causal else 0)

    def eager_attention(self, n_rows):
        """A layer of a prompt whose probabilities go to the host, as models give them away."""
        torch = self.torch
        shape = (1, HEADS, n_rows, HEAD_DIM)
        sets = self.sets(torch.float16, shape, shape, shape)
        hidden = torch.ones(n_rows, n_rows, device="cuda", dtype=torch.bool).triu(1)
        host = torch.empty(1, HEADS, n_rows, n_rows, dtype=torch.float16, pin_memory=True)

        def run(q, k, v):
            scores = (q @ k.transpose(2, 3) / HEAD_DIM ** 0.5).masked_fill(hidden, float("-inf"))
            weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(torch.float16)
            host.copy_(weights, non_blocking=True)
            return weights @ v

        self.row("torch eager attention to the host f16", f"T {n_rows}, heads {HEADS}, D {HEAD_DIM}",
                 torch.float16, sets, run, 2 * HEADS * n_rows * n_rows)

    def quantized_cache(self, n_tokens):
        """One cache of a prompt, quantized by PyTorch in the authors' order of work."""
        torch = self.torch
        cache = self.numbers(torch.float16, LAYERS, 1, HEADS, n_tokens, HEAD_DIM)
        n_bits = torch.randint(1, 9, (1, n_tokens, LAYERS, HEADS, 1), device="cuda")
        n_bytes = 2 * 2 * cache.numel()  # read and written once
        self.row("torch quantization of a cache f16",
                 f"layers {LAYERS}, heads {HEADS}, T {n_tokens}, D {HEAD_DIM}", torch.float16,
                 [[cache, n_bits]], lambda *a: quantize_cache(torch, *a), n_bytes)

    def run(self, quick):
        torch = self.torch
        lengths = (1024,) if quick else (1024, 4096)
        self.copy()
        for dtype, label in ((torch.float32, "f32"), (torch.float16, "f16")):
            for n in (4096, 11008, 32000):
                self.matmul(dtype, label, 1, n, 4096)
            self.attention(dtype, label, 1, 4096)
        for n in (4096, 11008):
            self.matmul(torch.float32, "f32", 1024, n, 4096)
        self.attention(torch.float32, "f32", 1024, 1024)
        self.matmul(torch.float16, "f16", 8, 11008, 4096)
        for n_rows in lengths:
            for n, k in ((4096, 4096), (11008, 4096), (4096, 11008)):
                self.matmul(torch.float16, "f16", n_rows, n, k)
            self.attention(torch.float16, "f16", n_rows, n_rows)
            self.eager_attention(n_rows)
            self.quantized_cache(n_rows)


def quantize_cache(torch, cache, n_bits, outliers=0.01):
    """cache (layers, batch, heads, T, D); n_bits (batch, T, layers, heads, 1). Bits are given: the
    rest is what Quantizer does, outliers first, then all units of each number of bits in turn."""
    x = cache.permute(1, 3, 0, 2, 4)
    n = x.shape[-1]
    ordered = x.sort(dim=-1).values
    low = ordered[..., math.ceil(outliers / 2 * n) - 1].unsqueeze(-1)
    high = ordered[..., math.floor((1 - outliers / 2) * n) - 1].unsqueeze(-1)
    outlier = (x <= low) | (x > high)
    inliers = x.masked_fill(outlier, 0)
    mean = inliers.sum(-1, keepdim=True) / (~outlier).sum(-1, keepdim=True)
    most = x.masked_fill(outlier, float("-inf")).amax(-1, keepdim=True)
    least = x.masked_fill(outlier, float("inf")).amin(-1, keepdim=True)
    out = x.clone()
    for bits in range(1, 9):
        units = (n_bits == bits).squeeze(-1)
        scale = (most - least)[units] / 2 ** bits
        codes = ((x[units] - mean[units]) / scale).round().clamp(-2 ** (bits - 1), 2 ** (bits - 1) - 1)
        out[units] = torch.where(outlier[units], x[units], codes * scale + mean[units])
    return out.permute(2, 0, 3, 1, 4)


def cells(row):
    def percent(share):
        return "" if share is None else f"{share * 100:.1f}"

    seconds, n_bytes = row["seconds"], row["bytes"]
    time = f"{seconds * 1e6:.1f} us" if seconds < 1e-3 else f"{seconds * 1e3:.3f} ms"
    size = f"{n_bytes / 1e9:.2f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"
    rate = f"{row['rate'] / TERA:.1f} TFLOP/s" if row["operations"] else f"{row['rate'] / 1e9:.1f}"
    return (row["name"], row["shape"], time, size, rate, percent(row["share_of_datasheet"]),
            percent(row["share_of_measured_copy"]), "", "")


def print_table(rows):
    lines = [COLUMNS] + [cells(row) for row in rows]
    widths = [max(len(line[c]) for line in lines) for c in range(len(COLUMNS))]
    for line in lines:
        padded = [text.rjust(w) if 2 <= c <= 6 else text.ljust(w)
                  for c, (text, w) in enumerate(zip(line, widths))]
        print("  ".join(padded).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", help="folder of rival.json")
    parser.add_argument("--quick", action="store_true", help="prompts of 1024 tokens alone")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        print("rival.py: PyTorch is not installed: no rows of a rival")
        return
    if not torch.cuda.is_available():
        print("rival.py: PyTorch finds no GPU: no rows of a rival")
        return
    # float32 means float32 in both programs.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(1)
    bench = Bench(torch)
    with torch.inference_mode():
        bench.run(arguments.quick)
    print(f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, {bench.device}")
    print_table(bench.rows)
    if arguments.out:
        folder = Path(arguments.out)
        folder.mkdir(parents=True, exist_ok=True)
        report = {"device": bench.device, "torch": torch.__version__, "cuda": torch.version.cuda,
                  "rows": bench.rows}
        (folder / "rival.json").write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
