#include "core/analysis/head_statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/analysis/diagnosis_limits.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/query_norms.h"

namespace qaq {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kPaperQuantile = 0.9, kTailQuantile = 0.99;

double ratio_of(double sum, std::int64_t n) {
  return n == 0 ? kUnknown : sum / static_cast<double>(n);
}

double norm_quantile(const HeadFacts& head, double quantile) {
  if (head.query_norm.empty()) return kUnknown;
  float out = 0;
  norm_quantiles(head.query_norm, head.query_norm.shape(1), quantile, {&out, 1});
  return out;
}

double excess_kurtosis(std::span<const float> numbers) {
  const auto n = static_cast<double>(numbers.size());
  double sum = 0, second = 0, fourth = 0;
  for (const float x : numbers) sum += x;
  for (const float x : numbers) {
    const double square = (x - sum / n) * (x - sum / n);
    second += square;
    fourth += square * square;
  }
  return second > 0 ? n * fourth / (second * second) - 3 : 0;
}

double mean_squared_range(const NdView<const float, 2>& rows) {
  double sum = 0;
  for (std::int64_t token = 0; token < rows.shape(0); ++token) {
    const auto [least, most] = std::ranges::minmax(rows.sub(token).span());
    sum += (double{most} - least) * (double{most} - least);
  }
  return sum / static_cast<double>(rows.shape(0));
}

}  // namespace

void AttentionSums::add_row(std::span<const float> scores, std::int64_t step,
                            std::int64_t n_visible) {
  if (step >= kSinkTokens) {
    for (const float score : scores.first(kSinkTokens)) sink_mass += score;
    ++n_sink_rows;
  }
  if (n_visible < 2) return;
  double sum = 0;
  for (const float score : scores.first(static_cast<std::size_t>(step + 1))) {
    if (score > 0) sum -= score * std::log(double{score});
  }
  entropy += sum / std::log(static_cast<double>(n_visible));
  ++n_entropy_rows;
}

double sink_mass(const HeadFacts& head) {
  return ratio_of(head.attention.sink_mass, head.attention.n_sink_rows);
}

double attention_entropy(const HeadFacts& head) {
  return ratio_of(head.attention.entropy, head.attention.n_entropy_rows);
}

double violation_rate(const HeadFacts& head) {
  return ratio_of(static_cast<double>(head.attention.n_violations), head.attention.n_eligible);
}

double query_norm(const HeadFacts& head) { return norm_quantile(head, kPaperQuantile); }

double query_norm_tail(const HeadFacts& head) {
  const double median = norm_quantile(head, 0.5);
  return median > 0 ? norm_quantile(head, kTailQuantile) / median : kUnknown;
}

double key_bias(const HeadFacts& head) {
  const std::int64_t n_tokens = head.key.shape(0), head_dim = head.key.shape(1);
  std::vector<double> mean(static_cast<std::size_t>(head_dim));
  double squares = 0;
  for (std::int64_t token = 0; token < n_tokens; ++token) {
    for (std::int64_t d = 0; d < head_dim; ++d) {
      const double x = head.key(token, d);
      mean[static_cast<std::size_t>(d)] += x / static_cast<double>(n_tokens);
      squares += x * x / static_cast<double>(n_tokens);
    }
  }
  double of_mean = 0;
  for (const double x : mean) of_mean += x * x;
  return squares > 0 ? of_mean / squares : 0;
}

double key_kurtosis(const HeadFacts& head) { return excess_kurtosis(head.key.span()); }
double value_kurtosis(const HeadFacts& head) { return excess_kurtosis(head.value.span()); }
double key_range(const HeadFacts& head) { return mean_squared_range(head.key); }
double value_range(const HeadFacts& head) { return mean_squared_range(head.value); }

std::span<const HeadStatistic> head_statistics() {
  static constexpr std::array kAll{
      HeadStatistic{"sink_mass", "attention on the first 4 tokens, mean over rows behind them",
                    sink_mass},
      HeadStatistic{"attention_entropy", "entropy of a row over that of equal scores, mean",
                    attention_entropy, true},
      HeadStatistic{"violation_rate", "share of scores that jump above the window before them",
                    violation_rate},
      HeadStatistic{"query_norm", "0.9 quantile of squared query norms", query_norm},
      HeadStatistic{"query_norm_tail", "0.99 quantile of squared query norms over their median",
                    query_norm_tail},
      HeadStatistic{"key_bias", "squared norm of the mean key over the mean squared norm",
                    key_bias},
      HeadStatistic{"key_kurtosis", "excess kurtosis of all keys", key_kurtosis},
      HeadStatistic{"value_kurtosis", "excess kurtosis of all values", value_kurtosis},
      HeadStatistic{"key_range", "squared range of a key's channels, mean over tokens", key_range},
      HeadStatistic{"value_range", "squared range of a value's channels, mean over tokens",
                    value_range}};
  return kAll;
}

const char* riskiest_of(const HeadStatistic& statistic) {
  return statistic.low_is_risky ? "smallest" : "largest";
}

std::size_t head_statistic_named(std::string_view name) {
  const auto all = head_statistics();
  const auto found = std::ranges::find(all, name, &HeadStatistic::name);
  if (found != all.end()) return static_cast<std::size_t>(found - all.begin());
  std::vector<std::string> names;
  std::string list;
  for (const HeadStatistic& each : all) {
    names.emplace_back(each.name);
    list += cat(list.empty() ? "" : ", ", each.name);
  }
  const auto near = nearest_name(name, names);
  refuse_usage({.place = "--by",
                .what = cat("'", name, "' is no statistic"),
                .cure = near ? cat("did you mean '", *near, "'?") : cat("take one of ", list)});
}

}  // namespace qaq
