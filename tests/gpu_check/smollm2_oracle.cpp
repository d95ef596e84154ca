#include "tests/gpu_check/smollm2_oracle.h"

#include <span>

#include "core/base/text.h"
#include "tests/gpu_check/comparison.h"

namespace qaq::gpu_check {
namespace {

using cases::CaseRow;

// tests/data/oracle/README.md; of queries, keys and values as shares of the largest.
constexpr double kBound = 2e-5, kAttentionBound = 4e-5, kRmsBound = 1e-6;

// The first n rows of each head, and of each the first n_cols numbers, of (heads, T, columns).
std::vector<float> first_rows(const NpyArray& array, std::int64_t n, std::int64_t n_cols) {
  const std::vector<float> all = array.floats();
  const std::vector<std::int64_t>& shape = array.shape();
  std::vector<float> some;
  for (std::int64_t head = 0; head < shape.at(0); ++head) {
    for (std::int64_t row = 0; row < n; ++row) {
      const auto from = all.begin() + (head * shape.at(1) + row) * shape.at(2);
      some.insert(some.end(), from, from + n_cols);
    }
  }
  return some;
}

}  // namespace

std::vector<OraclePrompt> oracle_prompts(const OracleFolder& oracle) {
  std::vector<OraclePrompt> all;
  for (const char* name : {"narrative", "code", "mix"}) {
    const std::string file = std::string("smollm2_forward_") + name;
    all.push_back({file, oracle.read(file, "token_ids").integers()});
  }
  return all;
}

std::vector<CaseRow> compare_layers(const OracleFolder& oracle, const OraclePrompt& prompt,
                                    const std::vector<std::int64_t>& layers,
                                    const test::TapRecorder& taps) {
  const auto n = std::ssize(prompt.tokens);
  std::vector<CaseRow> rows;
  const auto add = [&](const std::string& name, std::int64_t layer, std::span<const float> ours) {
    const std::string array = cat(name, layer);
    const bool attention = name == "attention";
    const NpyArray reference = oracle.read(prompt.file, array);
    const std::vector<float> numbers =
        first_rows(reference, n, attention ? n : reference.shape().at(2));
    // The oracle's bounds are shares of the largest of all layers that it stores.
    const double largest = oracle.read(prompt.file, name + "_largest").floats().at(0);
    const std::string of = prompt.file + ", " + array;
    rows.push_back(compare(of, ours, numbers,
                           {.most = attention ? kAttentionBound : kBound,
                            .of_largest = !attention,
                            .largest = largest}));
    rows.push_back(compare(of + ", rms", ours, numbers,
                           {.most = kRmsBound,
                            .measure = Bound::Measure::rms,
                            .of_largest = !attention,
                            .largest = largest}));
  };
  for (const std::int64_t layer : layers) {
    add("query", layer, taps.query.sub(layer).span());
    add("key", layer, taps.key.sub(layer).span());
    add("value", layer, taps.value.sub(layer).span());
    add("attention", layer, taps.attention.sub(layer).span());
  }
  return rows;
}

}  // namespace qaq::gpu_check
