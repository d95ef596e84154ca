#!/usr/bin/env python3
"""llama.cpp as a rival: prefill and decode on a GGUF file, commanded through standard input.

    llama_cpp_bench.py MODEL.gguf [--threads N] [--context N] [--flash auto|on|off]

Commands: `prefill T` and `decode DEPTH N` (see README.md). Ids are given, so that no sampling is
timed; logits are made for the last token of a prompt and for each decoded one, as in our engine.
"""

import argparse
import ctypes

import llama_cpp as api
from protocol import Stopwatch, serve, token_ids

# llama.cpp's usual batch, and the most rows that it computes at a time.
BATCH = 512
FLASH = {"auto": -1, "off": 0, "on": 1}


class LlamaCpp:
    def __init__(self, options):
        self.silence = api.llama_log_callback(lambda level, text, data: None)
        api.llama_log_set(self.silence, ctypes.c_void_p())
        api.llama_backend_init()
        watch = Stopwatch()
        self.model = api.llama_model_load_from_file(
            options.model.encode(), api.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"{options.model}: llama.cpp cannot load it")
        params = api.llama_context_default_params()
        params.n_ctx = options.context
        params.n_batch = params.n_ubatch = BATCH
        params.n_threads = params.n_threads_batch = options.threads
        params.flash_attn_type = FLASH[options.flash]
        params.no_perf = True
        self.context = api.llama_init_from_model(self.model, params)
        if not self.context:
            raise SystemExit(f"{options.model}: no context of {options.context} tokens")
        self.load_seconds = watch.seconds()
        self.options = options
        self.n_cached = 0
        self.ids = token_ids(
            options.context, api.llama_vocab_n_tokens(api.llama_model_get_vocab(self.model)))
        self.batch = api.llama_batch_init(BATCH, 0, 1)
        self.commands = {"prefill": self.prefill, "decode": self.decode}

    def hello(self):
        return {
            "program": "llama.cpp",
            "version": api.__version__,
            "model": self.options.model,
            "threads": self.options.threads,
            "flash_attention": self.options.flash,
            "system": api.llama_print_system_info().decode(),
            "load_seconds": self.load_seconds,
        }

    def keep(self, n_tokens):
        """Forgets all but the first n_tokens of the cache."""
        api.llama_memory_seq_rm(api.llama_get_memory(self.context), 0, n_tokens, -1)
        self.n_cached = n_tokens

    def run(self, n_tokens):
        """Runs the next n_tokens, in batches; logits of the last one alone."""
        end = self.n_cached + n_tokens
        if end > self.options.context:
            raise ValueError(f"{end} tokens, but the context is {self.options.context}")
        while self.n_cached < end:
            n = min(BATCH, end - self.n_cached)
            for row in range(n):
                position = self.n_cached + row
                self.batch.token[row] = self.ids[position]
                self.batch.pos[row] = position
                self.batch.n_seq_id[row] = 1
                self.batch.seq_id[row][0] = 0
                self.batch.logits[row] = position == end - 1
            self.batch.n_tokens = n
            if api.llama_decode(self.context, self.batch) != 0:
                raise RuntimeError("llama_decode failed")
            self.n_cached += n
        api.llama_synchronize(self.context)

    def prefill(self, n_tokens):
        self.keep(0)
        watch = Stopwatch()
        self.run(n_tokens)
        return {"tokens": n_tokens, "seconds": watch.seconds()}

    def decode(self, depth, n_tokens):
        if self.n_cached > depth:
            self.keep(depth)
        self.run(depth - self.n_cached)
        watch = Stopwatch()
        for _ in range(n_tokens):
            self.run(1)
        return {"depth": depth, "tokens": n_tokens, "seconds": watch.seconds()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--context", type=int, default=8192)
    parser.add_argument("--flash", choices=FLASH, default="auto")
    serve(LlamaCpp(parser.parse_args()))


if __name__ == "__main__":
    main()
