#include "core/replay/calibrate.h"

#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {

std::shared_ptr<const CachePolicy> calibrated_on(const CachePolicy& policy,
                                                 const CaptureView& capture, const Work& work) {
  const CaptureInfo& info = capture.info();
  std::vector<SharedArray<float, 3>> held;
  std::vector<CacheLayer> key, value;
  for (std::int64_t layer = 0; layer < info.n_captured_layers(); ++layer) {
    work.report({"calibration", layer, info.n_captured_layers(), "layers"});
    work.throw_if_stopped();
    held.push_back(capture.key(layer));
    key.push_back(held.back()->view());
    held.push_back(capture.value(layer));
    value.push_back(held.back()->view());
  }
  auto out = policy.calibrated({info.n_tokens, key, value, info.rope_frequencies});
  if (!out) {
    refuse_usage({.place = "--calibration",
                  .what = cat(policy.name(), " learns nothing from a capture"),
                  .cure = "leave it out, or --policy kvquant"});
  }
  return out;
}

}  // namespace qaq
