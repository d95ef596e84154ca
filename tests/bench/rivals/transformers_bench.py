#!/usr/bin/env python3
"""transformers as a rival: a float32 LLaMA, run as those who capture with it run it.

    transformers_bench.py MODEL.gguf [--threads N] [--output CAPTURE.h5]

Commands: `prefill T`, `decode DEPTH N` and `capture T` (see README.md). A capture is eager
attention with `output_attentions`, queries and keys after RoPE, written by h5py.
"""

import argparse
import os
import resource

import h5py
import torch
import transformers
from transformers import DynamicCache
from transformers.models.llama import modeling_llama

import gguf_llama
from protocol import Stopwatch, serve, token_ids


class QueryTap:
    """Keeps the queries that enter the scores: (1, n_heads, T, D) a layer, while it is on."""

    def __init__(self):
        self.eager = modeling_llama.eager_attention_forward
        self.queries = None
        modeling_llama.eager_attention_forward = self

    def __call__(self, module, query, *arguments, **named):
        if self.queries is not None:
            self.queries.append(query)
        return self.eager(module, query, *arguments, **named)


class Transformers:
    def __init__(self, options):
        torch.set_num_threads(options.threads)
        self.options = options
        self.tap = QueryTap()
        watch = Stopwatch()
        self.model = gguf_llama.load(options.model)
        self.load_seconds = watch.seconds()
        self.cache = DynamicCache()
        self.commands = {"prefill": self.prefill, "decode": self.decode, "capture": self.capture}

    def hello(self):
        return {
            "program": "transformers",
            "version": transformers.__version__,
            "torch": torch.__version__,
            "model": self.options.model,
            "threads": torch.get_num_threads(),
            "load_seconds": self.load_seconds,
        }

    @torch.inference_mode()
    def run(self, n_tokens, logits_to_keep=1, **named):
        first = self.cache.get_seq_length()
        ids = token_ids(first + n_tokens, self.model.config.vocab_size)[first:]
        return self.model(torch.tensor([ids]), past_key_values=self.cache,
                          logits_to_keep=logits_to_keep, **named)

    def prefill(self, n_tokens):
        self.cache = DynamicCache()
        watch = Stopwatch()
        self.run(n_tokens)
        return {"tokens": n_tokens, "seconds": watch.seconds()}

    def decode(self, depth, n_tokens):
        self.cache = DynamicCache()
        if depth > 0:
            self.run(depth)
        watch = Stopwatch()
        for _ in range(n_tokens):
            self.run(1)
        return {"depth": depth, "tokens": n_tokens, "seconds": watch.seconds()}

    def capture(self, n_tokens):
        self.cache = DynamicCache()
        watch = Stopwatch()
        self.tap.queries = []
        try:  # logits of every token, as our captures summarize them
            result = self.run(n_tokens, logits_to_keep=0, output_attentions=True)
            queries = self.tap.queries
        finally:
            self.tap.queries = None
        run_seconds = watch.seconds()
        with h5py.File(self.options.output, "w") as file:
            for layer, attention in enumerate(result.attentions):
                group = file.create_group(f"layer{layer:02d}")
                key, value = self.cache[layer]
                for name, tensor in (("query", queries[layer]), ("key", key), ("value", value),
                                     ("attention", attention)):
                    group[name] = tensor[0].numpy()
        return {
            "tokens": n_tokens,
            "seconds": watch.seconds(),
            "run_seconds": run_seconds,
            "bytes": os.path.getsize(self.options.output),
            "peak_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", default="transformers_capture.h5")
    serve(Transformers(parser.parse_args()))


if __name__ == "__main__":
    main()
