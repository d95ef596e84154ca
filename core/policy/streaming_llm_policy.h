#pragma once

#include <array>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/evicting_policy.h"

namespace qaq {

/// Where RoPE sees a kept key: at the token's own position, or at its place in the cache.
enum class Reposition { original, cache };
template <>
struct ChoiceNames<Reposition> {
  static constexpr std::array<std::string_view, 2> names{"original", "cache"};
};

struct StreamingLlmParams {
  std::int64_t start_size = 4;
  std::int64_t recent_size = 2000;
  Reposition reposition = Reposition::original;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "start_size",
                    .help = "First tokens that stay: attention sinks",
                    .unit = "tokens",
                    .min = 0,
                    .max = 1 << 24},
      self.start_size);
    v(ParameterInfo{.name = "recent_size",
                    .help = "Newest tokens that stay, the one that asks among them",
                    .unit = "tokens",
                    .min = 1,
                    .max = 1 << 24},
      self.recent_size);
    v(ParameterInfo{.name = "reposition",
                    .help = "Positions of kept keys: the tokens' own, or their places in the cache "
                            "as in StreamingLLM's own code, which is refused: no replay carries it "
                            "out yet"},
      self.reposition);
  }
};
inline void validate(const StreamingLlmParams& params) {
  if (params.start_size + params.recent_size < 2) {
    refuse_usage({.place = "recent_size",
                  .what = "a cache of one token has no room beside the one that asks",
                  .cure = "raise recent_size or start_size"});
  }
  if (params.reposition == Reposition::cache) {
    refuse_usage({.place = "reposition",
                  .what = "cache is not carried out in a replay yet",
                  .cure = "set reposition=original"});
  }
}

/// Makes room for `n_coming` tokens in a cache of start + recent: where they do not fit beside the
/// cached ones, the first `start` of these stay and the last max(0, recent - n_coming). `kept` (T)
/// has 1 at cached tokens.
void make_room(const StreamingLlmParams& params, std::int64_t n_coming,
               std::span<std::uint8_t> kept);

/// Keeps the first tokens and the newest (arXiv 2309.17453), the same in every head. Room for a
/// token is made before it comes, so after the prompt and after each step one less than start +
/// recent stay. Section 8 of the mathematics, streaming_llm.
class StreamingLlmPolicy : public EvictingPolicy<StreamingLlmParams> {
 public:
  static constexpr std::string_view kHelp =
      "Keeps the first tokens and the newest (arXiv 2309.17453)";
  static std::span<const PolicyPreset> presets() {
    static const std::array kAll{
        PolicyPreset{"class",
                     "defaults of StartRecentKVCache in mit-han-lab/streaming-llm",
                     {"recent_size=512"}}};
    return kAll;
  }

  static PolicyBudget budget() {
    return {.range = BudgetRange{.names = {"recent_size"},
                                 .least = 1,
                                 .most = 1 << 20,
                                 .log_scale = true,
                                 .whole = true}};
  }

  using EvictingPolicy::EvictingPolicy;
  std::string_view name() const override { return "streaming_llm"; }
  RetentionNeeds retention_needs() const override { return {}; }
  std::unique_ptr<LayerRetention> open_layer(std::int64_t, const CacheShape&,
                                             std::int64_t) const override;
};

}  // namespace qaq
