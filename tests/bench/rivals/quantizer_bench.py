#!/usr/bin/env python3
"""QAQ's quantizer in torch, in the order of work of the authors' code: the rival of replays.

    quantizer_bench.py CAPTURE.h5 [--threads N] [--plain]

Commands: `quantize KIND LEVEL` quantizes keys and values of the whole capture. KIND is `uniform` (2 bits),
`uniform_outliers` (2 bits, 1 % outliers), `attention` (bits by the error bound) or `attention_outliers`; LEVEL is
`token`, `layer` or `head`. Answered by seconds, mean bits and mean squared errors, so that both sides can be seen to
have done the same.

The authors permute the cache to (T, n_layers, n_kv_heads, D), find outliers with two kthvalue, take means and ranges of the
rest with torch.masked, choose bits, and then quantize once for every number of bits that occurs, on whole tensors and
masks. --plain does the same with ordinary tensors, which is as fast as this order of work can be in torch.
"""

import argparse
import math
import warnings

import h5py
import torch

from torch.masked import masked_tensor

from protocol import Stopwatch, serve

warnings.filterwarnings("ignore", message=".*MaskedTensors.*")

LEVEL_AXES = {"token": (1, 2, 3), "layer": (2, 3), "head": (3,)}


class Quantizer:
    """One cache's quantizer. Caches are (n_layers, n_kv_heads, T, D), attention (n_layers, n_kv_heads, rows, T)."""

    def __init__(self, is_key, level, outliers_ratio, use_attentions, plain):
        self.is_key, self.level, self.plain = is_key, level, plain
        self.outliers_ratio, self.use_attentions = outliers_ratio, use_attentions
        self.n_bits_uniform, self.n_bits_min, self.n_bits_max = 2, 1, 8
        self.last_n, self.error, self.q_norm = 5, 1.0, 300.0

    def units(self, cache):
        """(units..., N): a unit's values side by side."""
        return cache.flatten(-len(LEVEL_AXES[self.level]))

    def outliers(self, cache):
        values = self.units(cache)
        n = values.shape[-1]
        low = values.kthvalue(math.ceil(self.outliers_ratio / 2 * n), dim=-1).values
        high = values.kthvalue(math.floor((1 - self.outliers_ratio / 2) * n), dim=-1).values
        mask = (values <= low[..., None]) | (values > high[..., None])
        return mask.reshape(cache.shape)

    def statistics(self, cache, mask):
        axes = LEVEL_AXES[self.level]
        if not self.plain:
            masked = masked_tensor(cache, torch.ones_like(cache, dtype=torch.bool) if mask is None else ~mask)
            shape = [1 if axis in axes else n for axis, n in enumerate(cache.shape)]
            return (masked.mean(axes).get_data().reshape(shape), masked.amin(axes).get_data().reshape(shape),
                    masked.amax(axes).get_data().reshape(shape))
        if mask is None:
            return cache.mean(axes, keepdim=True), cache.amin(axes, keepdim=True), cache.amax(axes, keepdim=True)
        count = (~mask).sum(axes, keepdim=True)
        mean = cache.masked_fill(mask, 0).sum(axes, keepdim=True) / count
        return (mean, cache.masked_fill(mask, math.inf).amin(axes, keepdim=True),
                cache.masked_fill(mask, -math.inf).amax(axes, keepdim=True))

    def bits(self, spread, attention):
        n_tokens = spread.shape[0]
        if not self.use_attentions:
            return torch.full_like(spread, self.n_bits_uniform)
        if self.is_key:
            error = math.sqrt(12 / self.q_norm * math.log(n_tokens**3 / (n_tokens - 1) * self.error**2 + 1))
        else:
            seen = attention.amax(2).permute(2, 0, 1)[..., None]  # (T, n_layers, n_kv_heads, 1)
            axes = [axis for axis in LEVEL_AXES[self.level] if axis < 3]
            if axes:
                seen = seen.amax(axes, keepdim=True)
            error = (1 / seen) * (math.sqrt(12 / n_tokens) * self.error)
        bits = torch.ceil(torch.log2(spread / (2 * error) + 1)).clamp(self.n_bits_min, self.n_bits_max)
        bits[-self.last_n + 1:] = self.n_bits_max
        return bits

    def steps(self, cache, mask, mean, scale):
        if self.plain:
            return (cache - mean) / scale
        kept = torch.ones_like(cache, dtype=torch.bool) if mask is None else ~mask
        wide = [masked_tensor(x.expand_as(cache).contiguous(), kept) for x in (mean, scale)]
        return ((masked_tensor(cache, kept) - wide[0]) / wide[1]).get_data()

    def quantize(self, cache, attention):
        cache = cache.permute(2, 0, 1, 3).contiguous()
        mask = self.outliers(cache) if self.outliers_ratio > 0 else None
        mean, low, high = self.statistics(cache, mask)
        spread = high - low
        bits = self.bits(spread, attention)
        out = torch.empty_like(cache)
        for b in range(int(bits.min()), int(bits.max()) + 1):
            chosen = (bits == b).expand_as(cache)
            if not chosen.any():
                continue
            scale = spread / 2**b
            codes = self.steps(cache, mask, mean, scale).round().clamp(-(2 ** (b - 1)), 2 ** (b - 1) - 1)
            out = torch.where(chosen, codes * scale + mean, out)
        if mask is not None:
            out = torch.where(mask, cache, out)
        return out.permute(1, 2, 0, 3).contiguous(), bits.mean()


class Program:
    def __init__(self, options):
        torch.set_num_threads(options.threads)
        self.options = options
        with h5py.File(options.capture) as file:
            entry = file["entry"]
            self.key = torch.from_numpy(entry["kv/key"][...].astype("float32"))
            self.value = torch.from_numpy(entry["kv/value"][...].astype("float32"))
            rows = torch.from_numpy(entry["attention/scores"][:, :, -5:, :].astype("float32"))
        n_layers, n_kv_heads = self.key.shape[:2]
        self.attention = rows.reshape(n_layers, n_kv_heads, -1, *rows.shape[2:]).amax(2)
        self.commands = {"quantize": self.quantize}

    def hello(self):
        return {"program": "torch", "version": torch.__version__, "threads": torch.get_num_threads(),
                "tokens": self.key.shape[2]}

    @torch.inference_mode()
    def quantize(self, kind, level):
        ratio = 0.01 if kind.endswith("outliers") else 0.0

        def both():
            return [Quantizer(is_key, level, ratio, kind.startswith("attention"),
                              self.options.plain).quantize(cache, self.attention)
                    for is_key, cache in ((True, self.key), (False, self.value))]

        both()  # brings threads and memory back from whoever ran before, as our side does
        watch = Stopwatch()
        results = both()
        seconds = watch.seconds()
        errors = [float(((values - cache) ** 2).mean(dtype=torch.float64))
                  for (values, _), cache in zip(results, (self.key, self.value))]
        return {"seconds": seconds, "bits": [float(bits) for _, bits in results], "errors": errors}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("capture")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--plain", action="store_true")
    serve(Program(parser.parse_args()))


if __name__ == "__main__":
    main()
