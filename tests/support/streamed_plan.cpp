#include "tests/support/streamed_plan.h"

namespace qaq::test {

Plan held_plan(const Plan& like, const StreamedFinal& streamed, std::int64_t n_tokens) {
  Plan plan = like;
  CacheShape shape = like.layout.shape();
  shape.n_tokens = n_tokens;
  plan.layout = UnitLayout(like.layout.level(), shape);
  plan.n_bits.resize(static_cast<std::size_t>(plan.layout.n_units()));
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      for (std::int64_t token = 0; token < n_tokens; ++token) {
        plan.n_bits[static_cast<std::size_t>(plan.layout.unit(layer, head, token))] =
            streamed.bits(layer, head, token);
      }
    }
  }
  return plan;
}

}  // namespace qaq::test
