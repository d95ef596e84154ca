#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/tensor/nd_array.h"

namespace qaq {

/// What is counted over the rows of attention of a KV head, those of all query heads of its group
/// together.
struct AttentionSums {
  double sink_mass = 0;             ///< scores of the first kSinkTokens tokens
  std::int64_t n_sink_rows = 0;     ///< rows behind these tokens, which alone are counted
  double entropy = 0;               ///< of a row, over the logarithm of the tokens that it sees
  std::int64_t n_entropy_rows = 0;  ///< rows that see more than one
  std::int64_t n_violations = 0;    ///< see find_violations()
  std::int64_t n_eligible = 0;

  /// A row of attention, (at least step + 1), of which the last n_visible up to `step` are seen.
  void add_row(std::span<const float> scores, std::int64_t step, std::int64_t n_visible);
};

/// What the first T tokens show of one KV head before anything is quantized.
struct HeadFacts {
  NdView<const float, 2> key, value;   ///< (T, D)
  NdView<const double, 2> query_norm;  ///< (group, T), squared 2-norms; empty: no queries
  AttentionSums attention{};
};

// Each is a number of one KV head; NaN where the head does not tell (no queries, too few rows).
// None of them is negative but the kurtoses.

/// Mean over rows s >= kSinkTokens of the scores of the first kSinkTokens tokens together
/// (StreamingLLM, arXiv 2309.17453, section 3).
double sink_mass(const HeadFacts& head);
/// Mean over rows of -sum_t S_s[t] ln S_s[t] / ln n, n the tokens that row s sees: 0 where one
/// token takes all, 1 where all take the same (Shannon 1948).
double attention_entropy(const HeadFacts& head);
/// Violations of importance persistence over the pairs (s, t) that were looked at (arXiv
/// 2403.04643, section 3.2; see find_violations()).
double violation_rate(const HeadFacts& head);
/// The 0.9 quantile of ||q||^2, which the bits of keys follow (arXiv 2403.04643, section 4.2).
double query_norm(const HeadFacts& head);
/// The 0.99 quantile of ||q||^2 over its median: how far a query's norm may exceed what is assumed.
double query_norm_tail(const HeadFacts& head);
/// ||m||^2 / mean_t ||k_t||^2 with the mean key m: the share of the keys that does not change from
/// token to token. With r the norm of the mean over the spread about it this is r^2 / (1 + r^2). A
/// bias of the key projection shows here as far as RoPE does not turn it away (KVQuant, arXiv
/// 2401.18079, section 3.2, on keys before RoPE). 0 where all keys are.
double key_bias(const HeadFacts& head);
/// Fourth central moment over the squared second of all T D keys, less 3 of a normal distribution;
/// large where few numbers stand out (Pearson 1905). 0 where all are the same.
double key_kurtosis(const HeadFacts& head);
/// The same of values.
double value_kurtosis(const HeadFacts& head);
/// Mean over tokens of (max - min)^2 of a key's channels: b bits a token round with an error of 1 /
/// (12 (2^b - 1)^2) of it (arXiv 2403.04643, section 3.1).
double key_range(const HeadFacts& head);
/// The same of values.
double value_range(const HeadFacts& head);

/// A warning that a head gives before it is quantized.
struct HeadStatistic {
  std::string_view name;     ///< "sink_mass"
  std::string_view formula;  ///< in words, one line
  double (*of)(const HeadFacts&) = nullptr;
  bool low_is_risky = false;  ///< the smallest is ranked first
};

/// All of them. To add one: its function, its line in head_statistics.cpp and its value by hand in
/// the test.
std::span<const HeadStatistic> head_statistics();
/// "largest" or "smallest": what is ranked first.
const char* riskiest_of(const HeadStatistic& statistic);
/// Its index there. Throws Error{usage} with the nearest name.
std::size_t head_statistic_named(std::string_view name);
/// The one that predicts best what quantizing a head does to its outputs on SmolLM2; README.md has
/// the table, and says that KL is another matter.
inline constexpr std::string_view kDefaultHeadStatistic = "value_range";

}  // namespace qaq
