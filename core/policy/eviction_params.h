#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/parameters.h"

namespace qaq {

/// What becomes of an evicted token: it is gone, or the host keeps it for when it is asked for.
enum class EvictMode { drop, offload };
template <>
struct ChoiceNames<EvictMode> {
  static constexpr std::array<std::string_view, 2> names{"drop", "offload"};
};

/// Which tokens `qaq` evicts beside quantizing the others (`hybrid` of section 9 of the
/// mathematics): token t of a KV head once its importance stayed below factor / (s + 1) in
/// `patience` successive steps s, unless it is one of the first n_sink or of the newest n_recent.
struct EvictionParams {
  double factor = 0;  ///< 0: nothing is evicted
  int patience = 8;
  std::int64_t n_sink = 4;
  std::int64_t n_recent = 32;
  EvictMode mode = EvictMode::drop;

  bool evicts() const { return factor > 0; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "evict_factor",
                    .help = "A KV head evicts a token whose importance stays below this share of "
                            "even attention (hybrid: 0.1); 0: nothing is evicted",
                    .min = 0,
                    .max = 1e6,
                    .slider_min = 0,
                    .slider_max = 1},
      self.factor);
    v(ParameterInfo{.name = "evict_patience",
                    .help = "evict_factor: successive steps that it has to stay below",
                    .unit = "steps",
                    .min = 1,
                    .max = 1e6,
                    .slider_min = 1,
                    .slider_max = 64},
      self.patience);
    v(ParameterInfo{.name = "n_sink",
                    .help = "evict_factor: first tokens that are never evicted",
                    .unit = "tokens",
                    .min = 0,
                    .max = 1e9,
                    .slider_min = 0,
                    .slider_max = 64},
      self.n_sink);
    v(ParameterInfo{.name = "n_recent",
                    .help = "evict_factor: newest tokens that are never evicted",
                    .unit = "tokens",
                    .min = 0,
                    .max = 1e9,
                    .slider_min = 0,
                    .slider_max = 256},
      self.n_recent);
    v(ParameterInfo{.name = "evict_mode",
                    .help = "evict_factor: what is evicted is dropped for good; offload, which "
                            "would fetch it back, is refused"},
      self.mode);
  }
};

}  // namespace qaq
