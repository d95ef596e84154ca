#include "core/replay/bound_rows.h"

#include <algorithm>

#include "core/replay/score_rows.h"
#include "core/tensor/matmul.h"

namespace qaq {
namespace {

void add_squares(const NdArray<float, 2>& a, const NdArray<float, 2>& b, SquaredErrors& out) {
  if (out.empty()) out = SquaredErrors(a.shape());
  for (std::size_t i = 0; i < a.span().size(); ++i) {
    const double difference = static_cast<double>(a.span()[i]) - b.span()[i];
    out.span()[i] += difference * difference;
  }
}

NdArray<float, 2> product(const NdArray<float, 2>& scores, const NdView<const float, 2>& value) {
  NdArray<float, 2> out({scores.shape(0), value.shape(1)});
  matmul_nn(scores.view(), value, out.view());
  return out;
}

}  // namespace

BlockMeter::BlockMeter(const BoundBlock& block)
    : block_(block), scores_({block.scores.shape(0), block.key.shape(0)}) {
  for (std::int64_t row = 0; row < scores_.shape(0); ++row) {
    std::copy_n(block.scores.sub(row).data(), scores_.shape(1), scores_.sub(row).data());
  }
  output_ = product(scores_, block.value);
}

void BlockMeter::add(const NdView<const float, 2>& key, const NdView<const float, 2>& value,
                     const std::array<bool, kPromises>& wanted, PromiseErrors& errors) const {
  const auto wants = [&](Promise p) { return wanted[static_cast<std::size_t>(p)]; };
  const auto of = [&](Promise p) -> SquaredErrors& { return errors[static_cast<std::size_t>(p)]; };
  if (wants(Promise::value_outputs)) {
    add_squares(product(scores_, value), output_, of(Promise::value_outputs));
  }
  if (!wants(Promise::scores) && !wants(Promise::key_outputs) && !wants(Promise::outputs)) return;
  NdArray<float, 2> scores(scores_.shape());
  score_rows(block_.query, {key, scores.shape(0)}, block_.positions, {.window = block_.window},
             scores.view());
  if (wants(Promise::scores)) add_squares(scores, scores_, of(Promise::scores));
  if (wants(Promise::key_outputs)) {
    add_squares(product(scores, block_.value), output_, of(Promise::key_outputs));
  }
  if (wants(Promise::outputs)) add_squares(product(scores, value), output_, of(Promise::outputs));
}

}  // namespace qaq
