#include "core/analysis/violation_summary.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/text.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

// The smallest value that at least a share p of the sorted values do not exceed.
double quantile(const std::vector<double>& sorted, double p) {
  const auto rank = static_cast<std::size_t>(std::ceil(p * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

std::vector<TokenViolations> by_token(const ViolationReport& report) {
  std::map<std::int32_t, TokenViolations> tokens;
  for (const Violation& v : report.violations) {
    TokenViolations& own =
        tokens.try_emplace(v.token, TokenViolations{v.token, 0, v.step}).first->second;
    ++own.count;
    own.first_step = std::min(own.first_step, v.step);
  }
  std::vector<TokenViolations> out;
  for (const auto& [token, own] : tokens) out.push_back(own);
  return out;
}

Json number_or_null(const std::optional<double>& number) {
  return number && std::isfinite(*number) ? Json(*number) : Json(nullptr);
}

template <class T>
Json matrix_json(const NdArray<T, 2>& matrix) {
  Json out = Json::array();
  for (std::int64_t row = 0; row < matrix.shape(0); ++row) out.push_back(matrix.sub(row).span());
  return out;
}

Json deficit_json(const std::optional<DeficitSummary>& deficit) {
  if (!deficit) return nullptr;
  Json histogram = Json::object();
  for (const auto& [bits, count] : deficit->histogram) histogram[cat(bits)] = count;
  return {{"count", deficit->count},
          {"positive", deficit->n_positive},
          {"mean", deficit->mean},
          {"max", deficit->max},
          {"histogram", std::move(histogram)}};
}

Json persistence_json(const std::optional<Persistence>& persistence) {
  if (!persistence) return nullptr;
  return {{"ratio", matrix_json(persistence->ratio)}, {"share", matrix_json(persistence->share)}};
}

}  // namespace

ViolationSummary summarize(const ViolationReport& report, const CaptureInfo& info) {
  ViolationSummary out;
  out.per_head = NdArray<std::int64_t, 2>({info.n_captured_layers(), info.shape.n_heads});
  out.per_step.assign(static_cast<std::size_t>(info.n_tokens), 0);
  out.tokens = by_token(report);
  std::vector<double> ratios;
  double mass = 0;
  for (const Violation& v : report.violations) {
    ++out.per_head(v.layer, v.head);
    ++out.per_step[static_cast<std::size_t>(v.step)];
    ratios.push_back(jump_ratio(v));
    mass += v.score;
  }
  if (report.n_rows > 0) out.violated_mass = mass / static_cast<double>(report.n_rows);
  if (ratios.empty()) return out;
  std::ranges::sort(ratios);
  out.jump_ratio_p50 = quantile(ratios, 0.5);
  out.jump_ratio_p99 = quantile(ratios, 0.99);
  return out;
}

std::optional<DeficitSummary> summarize(const std::vector<std::optional<int>>& deficits) {
  DeficitSummary out;
  double sum = 0;
  for (const std::optional<int>& bits : deficits) {
    if (!bits) continue;
    out.max = out.count == 0 ? *bits : std::max(out.max, *bits);
    ++out.count;
    out.n_positive += *bits > 0 ? 1 : 0;
    ++out.histogram[*bits];
    sum += *bits;
  }
  if (out.count == 0) return {};
  out.mean = sum / static_cast<double>(out.count);
  return out;
}

Json violations_json(const ViolationReport& report, const CaptureInfo& info,
                     const std::vector<std::optional<int>>& deficits,
                     const std::optional<Persistence>& persistence) {
  const ViolationSummary summary = summarize(report, info);
  Json tokens = Json::array();
  for (const TokenViolations& own : summary.tokens) {
    tokens.push_back({{"token", own.token}, {"count", own.count}, {"first_step", own.first_step}});
  }
  return {{"window", report.window},
          {"count", report.violations.size()},
          {"eligible", report.n_eligible},
          {"rate", report.rate()},
          {"jump_ratio_p50", number_or_null(summary.jump_ratio_p50)},
          {"jump_ratio_p99", number_or_null(summary.jump_ratio_p99)},
          {"violated_mass", number_or_null(summary.violated_mass)},
          {"layers", info.layers},
          {"per_head", matrix_json(summary.per_head)},
          {"per_step", summary.per_step},
          {"tokens", std::move(tokens)},
          {"bits_deficit", deficit_json(summarize(deficits))},
          {"persistence", persistence_json(persistence)}};
}

}  // namespace qaq
