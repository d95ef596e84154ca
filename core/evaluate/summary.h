#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/evaluate/item_result.h"
#include "core/evaluate/statistics.h"

namespace qaq {

/// How many questions were answered rightly.
struct Accuracy {
  std::int64_t n_right = 0;
  std::int64_t n = 0;
  double accuracy = 0;
  double confidence = 0;              ///< half of the 95 % interval, the authors' formula
  Interval wilson;                    ///< the 95 % interval of few items
  double answer_log_probability = 0;  ///< mean over questions, of the right choice
};

/// Distributions behind quantized prefixes, over all positions of all items.
struct Divergences {
  std::int64_t n_positions = 0;
  double kl_mean = 0, kl_median = 0, kl_p99 = 0, kl_max = 0;  ///< nat
  double same_top = 0;                                        ///< share
  std::int64_t n_flips = 0;                                   ///< positions with another top token
  std::int64_t n_close_flips = 0;  ///< those of a reference margin under kCloseMargin
  double margin_median = 0;        ///< of the reference
};
/// A flip under this reference margin is a coin-flip.
inline constexpr double kCloseMargin = 0.1;

/// exp(mean NLL) over the positions whose next token is known.
struct Perplexity {
  std::int64_t n = 0;
  double reference = 0;
  double quantized = 0;
};

/// What a setting did to a whole evaluation. Bits and sizes are weighted by prefix length, errors
/// are means over items (the authors' averages, section 2.7).
struct SettingSummary {
  CacheFigures cache;
  double attention_error = 0;
  double logit_error = 0;
  double max_abs_logit_change = 0;
  Divergences divergences;
  std::optional<Accuracy> accuracy;      ///< of questions
  std::optional<Perplexity> perplexity;  ///< of texts
  RunSeconds seconds;                    ///< the setting's own

  double ratio_paper() const { return 1 / cache.share_paper; }
  double ratio_nominal() const { return 1 / cache.share_nominal; }
  double ratio_packed() const { return 1 / cache.share_packed; }
};

SettingSummary summarize(std::span<const ItemResult> items, std::size_t setting);
/// Accuracy with the whole cache; nothing where items are no questions.
std::optional<Accuracy> reference_accuracy(std::span<const ItemResult> items);
RunSeconds reference_seconds(std::span<const ItemResult> items);

/// Two ways on the same questions.
struct PairedTest {
  std::int64_t both = 0, only_first = 0, only_second = 0, neither = 0;
  double p = 1;  ///< exact McNemar, two-sided
};
/// `second` is nothing for the whole cache.
PairedTest paired_test(std::span<const ItemResult> items, std::size_t first,
                       std::optional<std::size_t> second);

/// Seconds of the evaluation with the whole cache, and with a setting: what scoring takes, without
/// comparing.
struct Cost {
  double unquantized = 0;
  double quantized = 0;
  double ratio() const { return quantized / unquantized; }
};
Cost cost_of(const RunSeconds& reference, const RunSeconds& setting);

}  // namespace qaq
