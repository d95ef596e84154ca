#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/engine/tap.h"
#include "data/capture/capture_writer.h"

namespace qaq::test {

/// A run that no model made: seeded normal queries, keys, values and logits, and the attention that
/// follows from them, delivered as an engine does. Layers of the model run from 0 to n_layers - 1.
struct SyntheticRun {
  ModelShape shape;
  std::int64_t n_prompt = 0;
  std::int64_t n_tokens = 0;
  NdArray<float, 4> query;      ///< (n_layers, n_heads, T, D)
  NdArray<float, 4> key;        ///< (n_layers, n_kv_heads, T, D)
  NdArray<float, 4> value;      ///< (n_layers, n_kv_heads, T, D)
  NdArray<float, 4> attention;  ///< (n_layers, n_heads, T, T)
  NdArray<float, 2> logits;     ///< (T, vocab_size)
  CaptureTokens tokens;
};

/// Small, with grouped queries: heads 2 apart share a KV head.
inline ModelShape small_shape() {
  return {.n_layers = 3,
          .n_heads = 4,
          .n_kv_heads = 2,
          .head_dim = 8,
          .hidden_size = 32,
          .intermediate_size = 64,
          .vocab_size = 50,
          .context_length = 128};
}

inline void fill_attention(SyntheticRun& run) {
  const std::int64_t group = run.shape.group_size();
  for (std::int64_t l = 0; l < run.shape.n_layers; ++l) {
    for (std::int64_t h = 0; h < run.shape.n_heads; ++h) {
      for (std::int64_t s = 0; s < run.n_tokens; ++s) {
        double sum = 0;
        for (std::int64_t t = 0; t <= s; ++t) {
          double logit = 0;
          for (std::int64_t d = 0; d < run.shape.head_dim; ++d) {
            logit += static_cast<double>(run.query(l, h, s, d)) * run.key(l, h / group, t, d);
          }
          const double e = std::exp(logit / std::sqrt(static_cast<double>(run.shape.head_dim)));
          run.attention(l, h, s, t) = static_cast<float>(e);
          sum += e;
        }
        for (std::int64_t t = 0; t <= s; ++t) {
          run.attention(l, h, s, t) = static_cast<float>(run.attention(l, h, s, t) / sum);
        }
      }
    }
  }
}

inline SyntheticRun make_run(const ModelShape& shape, std::int64_t n_prompt, std::int64_t n_tokens,
                             std::uint32_t seed = 7) {
  SyntheticRun run{
      .shape = shape,
      .n_prompt = n_prompt,
      .n_tokens = n_tokens,
      .query = NdArray<float, 4>({shape.n_layers, shape.n_heads, n_tokens, shape.head_dim}),
      .key = NdArray<float, 4>({shape.n_layers, shape.n_kv_heads, n_tokens, shape.head_dim}),
      .value = NdArray<float, 4>({shape.n_layers, shape.n_kv_heads, n_tokens, shape.head_dim}),
      .attention = NdArray<float, 4>({shape.n_layers, shape.n_heads, n_tokens, n_tokens}),
      .logits = NdArray<float, 2>({n_tokens, shape.vocab_size}),
      .tokens = {}};
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, 1.5f);
  for (auto* numbers : {&run.query, &run.key, &run.value}) {
    for (float& x : numbers->span()) x = normal(random);
  }
  for (float& x : run.logits.span()) x = normal(random);
  fill_attention(run);
  for (std::int64_t t = 0; t < n_tokens; ++t) {
    run.tokens.ids.push_back(static_cast<std::int32_t>(t * 7 % shape.vocab_size));
    run.tokens.text.push_back(t % 3 == 0 ? "\xc3\xa9t\xc3\xa9" : "t" + std::to_string(t));
    // Bytes may hold anything, a NUL and broken UTF-8 too.
    run.tokens.bytes.push_back(t % 3 == 0 ? std::string("\xc3\0\xff", 3) : std::string(1, 'a'));
  }
  return run;
}

/// A plan that captures `layers` of the run.
inline CapturePlan plan_of(const SyntheticRun& run, std::vector<std::int32_t> layers) {
  CapturePlan plan;
  plan.info.model_name = "synthetic";
  plan.info.architecture = "llama";
  plan.info.model_sha256 = std::string(64, 'a');
  plan.info.weights_dtype = "f32";
  plan.info.config_json = R"({"model_type": "llama"})";
  plan.info.rope_theta = 10000;
  plan.info.shape = run.shape;
  plan.info.layers = std::move(layers);
  plan.info.n_prompt = run.n_prompt;
  plan.info.prompt_text = "na\xc3\xafve \xe2\x86\x92 text";
  plan.info.special_ids = {0, 2};
  plan.info.creator = "qaq 0.1.0";
  plan.info.command_line = "qaq capture --model m.gguf";
  plan.info.created_utc = "2026-01-02T03:04:05Z";
  plan.tokenizer_kind = "byte-level-bpe";
  plan.tokenizer_sha256 = std::string(64, 'b');
  plan.max_tokens = run.n_tokens;
  plan.top_k = 5;
  return plan;
}

/// Hands heads [first_head, first_head + n_heads) and rows [first, end) to the sink, if wanted.
inline void put_rows(TapSink& sink, TapBlock block, const NdArray<float, 4>& from,
                     std::int64_t n_cols) {
  const std::int64_t end = block.first_row + block.n_rows;
  if (!sink.wants(block.what, block.layer, block.first_row, block.n_rows)) return;
  std::vector<float> numbers;
  for (std::int64_t h = block.first_head; h < block.first_head + block.n_heads; ++h) {
    for (std::int64_t row = block.first_row; row < end; ++row) {
      const auto of_row = from.sub(block.layer, h, row).span();
      numbers.insert(numbers.end(), of_row.begin(), of_row.begin() + n_cols);
    }
  }
  block.n_cols = n_cols;
  block.bytes = std::as_bytes(std::span<const float>(numbers));
  sink.put(block);
}

/// Rows [first, end) of all layers and of the logits, as an engine gives one batch: attention in
/// blocks of one group's heads, logits in blocks of 3 rows.
inline void put_batch(const SyntheticRun& run, std::int64_t first, std::int64_t end,
                      TapSink& sink) {
  const ModelShape& s = run.shape;
  const auto block = [&](TapKind what, std::int64_t layer, std::int64_t head,
                         std::int64_t n_heads) {
    return TapBlock{.what = what,
                    .layer = layer,
                    .first_head = head,
                    .n_heads = n_heads,
                    .first_row = first,
                    .n_rows = end - first,
                    .bytes = {}};
  };
  for (std::int64_t l = 0; l < s.n_layers; ++l) {
    put_rows(sink, block(TapKind::query, l, 0, s.n_heads), run.query, s.head_dim);
    put_rows(sink, block(TapKind::key, l, 0, s.n_kv_heads), run.key, s.head_dim);
    put_rows(sink, block(TapKind::value, l, 0, s.n_kv_heads), run.value, s.head_dim);
    for (std::int64_t h = 0; h < s.n_heads; h += s.group_size()) {
      put_rows(sink, block(TapKind::attention, l, h, s.group_size()), run.attention, end);
    }
  }
  for (std::int64_t row = first; row < end; row += 3) {
    const std::int64_t n = std::min<std::int64_t>(3, end - row);
    const auto numbers = run.logits.span().subspan(static_cast<std::size_t>(row * s.vocab_size),
                                                   static_cast<std::size_t>(n * s.vocab_size));
    sink.put({.what = TapKind::logits,
              .layer = s.n_layers,
              .first_head = 0,
              .n_heads = 1,
              .first_row = row,
              .n_rows = n,
              .n_cols = s.vocab_size,
              .bytes = std::as_bytes(numbers)});
  }
}

/// The whole run: the prompt in one batch, then token by token.
inline void put_run(const SyntheticRun& run, TapSink& sink) {
  put_batch(run, 0, run.n_prompt, sink);
  for (std::int64_t t = run.n_prompt; t < run.n_tokens; ++t) put_batch(run, t, t + 1, sink);
}

}  // namespace qaq::test
