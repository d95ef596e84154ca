#include "core/analysis/byte_budget.h"

#include <cmath>

namespace qaq {
namespace {

// Beyond these targets every unit has its most, or its fewest bits.
constexpr double kLeastTarget = 1e-6, kMostTarget = 1e6;
constexpr int kBisections = 40;  // of the decades between them: far finer than a unit's bits

QaqParams with_target(QaqParams params, double target) {
  params.key.target_quantization_error = params.value.target_quantization_error = target;
  return params;
}

}  // namespace

std::int64_t packed_total(const ReplayResult& result) {
  return result.key.packed.total() + result.value.packed.total();
}

std::optional<QaqParams> at_byte_budget(Replayer& replayer, const QaqParams& params,
                                        std::int64_t prefix, std::int64_t most_bytes,
                                        const Work& work) {
  const auto fits = [&](double target) {
    work.throw_if_stopped();
    const auto planned =
        replayer.planned({with_target(params, target), prefix}, Work(nullptr, work.stop_token()));
    return packed_total(*planned) <= most_bytes;
  };
  if (!fits(kMostTarget)) return std::nullopt;
  double below = std::log(kLeastTarget), above = std::log(kMostTarget);
  if (fits(kLeastTarget)) return with_target(params, kLeastTarget);
  for (int i = 0; i < kBisections; ++i) {
    const double middle = (below + above) / 2;
    (fits(std::exp(middle)) ? above : below) = middle;
  }
  return with_target(params, std::exp(above));
}

}  // namespace qaq
