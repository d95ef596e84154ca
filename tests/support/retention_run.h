#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/policy/retention.h"
#include "tests/support/test_captures.h"

namespace qaq::test {

/// One layer of a run, all its tokens: what a prompt and the steps behind it are cut from.
struct RetainedLayer {
  NdArray<float, 3> query;      ///< (n_heads, T, D)
  NdArray<float, 3> key;        ///< (n_kv_heads, T, D)
  NdArray<float, 3> value;      ///< (n_kv_heads, T, D)
  NdArray<float, 3> attention;  ///< (n_heads, T, T)
  std::vector<double> rope{};
  std::int64_t layer = 0;
  std::int64_t n_layers = 1;
};

RetainedLayer synthetic_layer(const SyntheticShape& shape, std::uint32_t seed);

/// Plays a policy that evicts on one layer, with what it asks for and nothing else: the prompt,
/// then tokens that attend to what is left, and to themselves. Throws std::logic_error where a
/// token returns or `kept` is neither 0 nor 1.
class RetentionRun {
 public:
  /// The prompt are the first `n_prompt` tokens. `input` outlives it.
  RetentionRun(const RetainedLayer& input, std::int64_t n_prompt, const TokenRetention& policy);
  /// The next token; false: there is none left.
  bool step();

  LayerRetention& layer() { return *layer_; }
  /// (n_kv_heads, tokens so far)
  NdView<const std::uint8_t, 2> kept() const { return kept_.view(); }
  std::vector<std::int64_t> kept_tokens(std::int64_t kv_head) const;

 private:
  template <class Change>
  void change(const Change& change);

  const RetainedLayer& input_;
  std::unique_ptr<LayerRetention> layer_;
  NdArray<std::uint8_t, 2> kept_;
};

}  // namespace qaq::test
