#include "core/replay/known_rope.h"

#include "core/base/error.h"

namespace qaq {

std::span<const double> known_rope(const CaptureInfo& info) {
  if (info.rope_theta > 0 && info.rope_frequencies.empty()) {
    refuse_input({.file = info.name,
                  .place = "/entry/model@config_json",
                  .what = "stretches RoPE in a way that cannot be turned back here, which this "
                          "policy asks for",
                  .cure = "choose another --policy"});
  }
  return info.rope_frequencies;
}

}  // namespace qaq
