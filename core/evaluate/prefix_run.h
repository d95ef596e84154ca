#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/progress.h"
#include "core/engine/engine.h"
#include "core/evaluate/position_score.h"
#include "core/policy/cache_policy.h"
#include "core/replay/memory_capture.h"
#include "core/replay/replay_result.h"
#include "core/replay/replayer.h"

namespace qaq {

/// Where the time of an evaluation went, in seconds.
struct RunSeconds {
  double prefix = 0;      ///< forward passes of prefixes with the whole cache
  double tail = 0;        ///< forward passes behind them
  double quantizing = 0;  ///< planning, quantizing, and putting the cache back
  double comparing = 0;   ///< logits, scores and caches held against the reference's

  RunSeconds& operator+=(const RunSeconds& other);
};

/// What tokens behind a prefix gave under one setting, beside the whole cache.
struct TailScores {
  std::vector<PositionScore> positions;  ///< one a token of the tail
  /// Sum over layers, heads, rows of the tail and columns of the prefix of the squared change of
  /// scores, and how many there are; 0 where they were not asked for.
  double attention_squares = 0;
  std::int64_t n_attention = 0;
};

/// Tokens behind the prefix. next[i] is what follows ids[i]; -1: not known.
struct Tail {
  std::span<const std::int32_t> ids;
  std::span<const std::int32_t> next;
  bool with_attention = true;
};

/// A model run with its whole cache and, in step, on quantized ones: the prefix is run once, its
/// keys and values are quantized by each setting (from the prefix's own attention), and the tokens
/// behind it meet that cache (of a setting with sparse_top_k, as many of its keys), layer by layer,
/// so that errors carry; tokens of the prefix that a setting evicts they do not meet. Keys and
/// values behind the prefix stay exact, and all of them are kept (section 10, prefix mode). One
/// engine a setting and one for the whole cache,
/// which share the weights where the backend reads them as stored. Not thread safe.
class PrefixRun {
 public:
  using Settings = std::vector<std::shared_ptr<const CachePolicy>>;
  using OpenEngine = std::function<std::unique_ptr<Engine>()>;
  /// Prefixes are captured as `dtype`: quantized caches are made of numbers that were rounded to
  /// it, hold their outliers in it, and count their bytes in it, as a replay of such a capture
  /// does. Throws Error{usage} for bad parameters, and what `open` throws.
  PrefixRun(const OpenEngine& open, Settings settings, DType dtype = DType::f32);
  /// QAQ by these parameters.
  PrefixRun(const OpenEngine& open, const std::vector<QaqParams>& settings,
            DType dtype = DType::f32);

  std::size_t n_settings() const { return settings_.size(); }
  /// Other settings, however many, from the next prefix on; seconds so far are forgotten. Engines
  /// stay open. Throws as the constructor.
  void set_settings(Settings settings);
  void set_settings(const std::vector<QaqParams>& settings);
  const ModelSpec& spec() const { return full_->spec(); }

  /// Runs a prefix, forgets what was before, and quantizes its cache by every setting.
  void set_prefix(std::span<const std::int32_t> ids, const Work& work);
  std::span<const std::int32_t> prefix() const { return prefix_; }
  /// Logits (vocab_size) of the prefix's last token with the whole cache.
  std::span<const float> prefix_logits() const { return prefix_logits_; }
  /// The same token run on the quantized cache of the tokens before it (those of a prefix one token
  /// shorter); of a prefix of one token, that of prefix_logits(). To be called before tails.
  std::vector<float> requantized_prefix_logits(std::size_t setting, const Work& work);
  /// Bits, sizes and errors of the quantized prefix, and what of it is kept.
  const ReplayResult& cache(std::size_t setting) const { return *caches_[setting]; }

  /// Runs a tail right behind the prefix, whatever tail was run before: one result a setting.
  std::vector<TailScores> run_tail(const Tail& tail, const Work& work);

  /// Runs tokens right behind those that were run last, on all engines, and compares nothing: the
  /// engines' logits are of the last one.
  void step(std::span<const std::int32_t> ids, const Work& work);

  /// The engine with the whole cache, and those with quantized ones.
  Engine& full() { return *full_; }
  Engine& quantized(std::size_t setting) { return *quantized_[setting]; }

  /// Seconds since the last call: of the whole cache, and of each setting.
  struct Spent {
    RunSeconds full;
    std::vector<RunSeconds> settings;
  };
  Spent take_seconds();

 private:
  void quantize(std::size_t setting, std::int64_t n_tokens, const Work& work);

  OpenEngine open_;
  DType dtype_;
  Settings settings_;
  std::unique_ptr<Engine> full_;
  std::vector<std::unique_ptr<Engine>> quantized_;  // at least one a setting
  std::vector<std::int32_t> prefix_;
  std::vector<float> prefix_logits_;
  std::unique_ptr<MemoryCapture> capture_;
  std::unique_ptr<Replayer> replayer_;  // of capture_
  std::vector<SharedReplay> caches_;
  Spent spent_;
};

}  // namespace qaq
