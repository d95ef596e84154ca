#include "core/policy/streaming_llm_policy.h"

#include <algorithm>
#include <numeric>

namespace qaq {
namespace {

class StartAndRecent : public LayerRetention {
 public:
  explicit StartAndRecent(const StreamingLlmParams& params) : params_(params) {}

  void prompt(const PromptView&, const NdView<std::uint8_t, 2>& kept) override { evict(kept); }
  void step(const StepView&, const NdView<std::uint8_t, 2>& kept) override { evict(kept); }

 private:
  void evict(const NdView<std::uint8_t, 2>& kept) const {
    for (std::int64_t head = 0; head < kept.shape(0); ++head) {
      make_room(params_, 1, kept.sub(head).span());
    }
  }

  StreamingLlmParams params_;
};

}  // namespace

void make_room(const StreamingLlmParams& params, std::int64_t n_coming,
               std::span<std::uint8_t> kept) {
  const auto n_cached = std::accumulate(kept.begin(), kept.end(), std::int64_t{0});
  if (n_cached + n_coming <= params.start_size + params.recent_size) return;
  const std::int64_t n_recent = std::max<std::int64_t>(0, params.recent_size - n_coming);
  std::int64_t place = 0;
  for (std::uint8_t& each : kept) {
    if (!each) continue;
    if (place >= params.start_size && place < n_cached - n_recent) each = 0;
    ++place;
  }
}

std::unique_ptr<LayerRetention> StreamingLlmPolicy::open_layer(std::int64_t, const CacheShape&,
                                                               std::int64_t) const {
  return std::make_unique<StartAndRecent>(params());
}

}  // namespace qaq
