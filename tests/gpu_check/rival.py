#!/usr/bin/env python3
"""rival.py [--out DIR]: PyTorch on the shapes that gpu_check times, in the same table.

Without PyTorch or a GPU it says so and ends well. Writes DIR/rival.json.
"""
import argparse
import json
import statistics
import sys
from pathlib import Path

WARMUPS = 3
SAMPLES = 21
MORE_THAN_L2 = 256 << 20  # bytes that a pass touches, as gpu_check
HEADS, HEAD_DIM = 32, 128
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
        operations = 0 if n_rows == 1 else 2 * n_rows * n * k
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

    def run(self):
        torch = self.torch
        self.copy()
        for dtype, label in ((torch.float32, "f32"), (torch.float16, "f16")):
            for n in (4096, 11008, 32000):
                self.matmul(dtype, label, 1, n, 4096)
            for n in (4096, 11008):
                self.matmul(dtype, label, 1024, n, 4096)
            self.attention(dtype, label, 1, 4096)
            self.attention(dtype, label, 1024, 1024)


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
        bench.run()
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
