// How long the bits of a whole capture of LLaMA-2-7B's size take when a target error changes: what
// the window shows first.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <vector>

#include "core/analysis/maps.h"
#include "core/base/stopwatch.h"
#include "core/replay/replayer.h"

namespace qaq {
namespace {

constexpr std::int64_t kLayers = 32, kHeads = 32, kHeadDim = 128;
constexpr int kRounds = 15;

/// Two layers of random numbers that every layer reads in turn: the whole would take gigabytes.
class RepeatedCapture : public CaptureView {
 public:
  explicit RepeatedCapture(std::int64_t n_tokens) {
    info_.name = "repeated";
    info_.shape = {
        .n_layers = kLayers, .n_heads = kHeads, .n_kv_heads = kHeads, .head_dim = kHeadDim};
    info_.n_tokens = n_tokens;
    for (std::int32_t layer = 0; layer < kLayers; ++layer) info_.layers.push_back(layer);
    for (std::int32_t row = 0; row < n_tokens; ++row) info_.query_token.push_back(row);
    std::mt19937 bits(1);
    std::normal_distribution<float> normal;
    for (auto& layer : layers_) {
      auto numbers = std::make_shared<NdArray<float, 3>>(Shape<3>{kHeads, n_tokens, kHeadDim});
      for (float& x : numbers->span()) x = normal(bits);
      layer = numbers;
    }
  }

  const CaptureInfo& info() const override { return info_; }
  SharedArray<float, 3> key(std::int64_t layer) const override { return layers_[layer % 2]; }
  SharedArray<float, 3> value(std::int64_t layer) const override { return layers_[layer % 2]; }
  SharedArray<float, 3> query(std::int64_t layer) const override { return layers_[layer % 2]; }
  SharedArray<float, 3> attention(std::int64_t, std::int64_t, std::int64_t n_rows) const override {
    return std::make_shared<NdArray<float, 3>>(Shape<3>{kHeads, n_rows, info_.n_tokens}, 1e-3f);
  }

 private:
  CaptureInfo info_;
  SharedArray<float, 3> layers_[2];
};

void measure(std::int64_t n_tokens) {
  const RepeatedCapture capture(n_tokens);
  Replayer replayer(capture);
  ReplayOptions options;
  replayer.planned(options);  // statistics, which a target error leaves alone
  std::vector<double> seconds;
  for (int round = 1; round <= kRounds; ++round) {
    for (QaqSideParams* side : {&options.params.key, &options.params.value}) {
      side->target_quantization_error = round;
    }
    const Stopwatch watch;
    const SharedReplay planned = replayer.planned(options);
    for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
      bit_map(*planned, capture.info(), side);
    }
    seconds.push_back(watch.seconds());
  }
  std::ranges::sort(seconds);
  std::printf("%5lld tokens  %8.1f ms (least %.1f)\n", static_cast<long long>(n_tokens),
              1e3 * seconds[kRounds / 2], 1e3 * seconds.front());
}

}  // namespace
}  // namespace qaq

int main() {
  for (const std::int64_t n_tokens : {1024, 4096}) qaq::measure(n_tokens);
  return 0;
}
