#include "core/analysis/bits_deficit.h"

#include <algorithm>

#include "core/policy/bit_rule.h"
#include "core/replay/capture_rows.h"

namespace qaq {

std::vector<std::optional<int>> bits_deficits(const ViolationReport& report,
                                              const CaptureInfo& info, const PlannedCache& value,
                                              const QaqSideParams& params) {
  std::vector<std::optional<int>> out(report.violations.size());
  if (value.plan.keeps_all() || value.plan.codec || !params.use_attentions) return out;
  const std::int64_t prefix = value.plan.layout.shape().n_tokens;
  const bool in_sample = first_row_behind(info, prefix) == info.n_query_rows();
  const std::int64_t group = info.shape.n_heads / info.shape.n_kv_heads;
  BitRule rule = bit_rule(params, CacheSide::value, value.plan.layout.shape());
  rule.first_forced = prefix;
  rule.measured = false;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Violation& v = report.violations[i];
    if (v.token >= prefix || (v.step < prefix && !in_sample)) continue;
    const auto unit =
        static_cast<std::size_t>(value.plan.layout.unit(v.layer, v.head / group, v.token));
    const float range = value.stats[unit].range(params.symmetric);
    out[i] = rule.n_bits(range, v.score, v.token) - value.plan.n_bits[unit];
  }
  return out;
}

std::optional<BitsDeficit> bits_deficit(const Plan& wanted, const Plan& given,
                                        std::int64_t n_tokens) {
  if (wanted.n_bits.empty() || wanted.n_bits.size() != given.n_bits.size()) return {};
  BitsDeficit out;
  const auto n_units = std::max<std::int64_t>(0, n_tokens * wanted.layout.units_per_token());
  for (std::size_t unit = 0; unit < static_cast<std::size_t>(n_units); ++unit) {
    if (!given.keeps_unit(unit)) continue;
    ++out.n_units;
    const int lacks = wanted.n_bits[unit] - given.n_bits[unit];
    if (lacks <= 0) continue;
    ++out.n_short;
    out.n_bits += lacks;
  }
  return out;
}

}  // namespace qaq
