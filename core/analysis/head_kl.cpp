#include "core/analysis/head_kl.h"

#include <algorithm>

#include "core/analysis/setting_caches.h"

namespace qaq {

NdArray<double, 2> head_kl(MixedRun& run, const QaqParams& params,
                           std::span<const std::int32_t> layers, const Work& work) {
  constexpr std::uint8_t kQuantized = 1;
  const Work silent(nullptr, work.stop_token());
  SettingQuantizer quantizer(run.capture(), run.n_prefix());
  run.set_source(kQuantized, quantizer.quantize({.params = params}, silent).source);
  NdArray<double, 2> out({std::ssize(layers), run.spec().shape.n_kv_heads});
  for (std::int64_t i = 0; i < out.size(); ++i) {
    work.throw_if_stopped();
    work.report({"heads", i, out.size(), "replays"});
    const std::int64_t layer = layers[static_cast<std::size_t>(i / out.shape(1))];
    Mix mix = run.mix(MixedRun::kExact);
    for (const std::int64_t side : {0, 1}) {
      std::ranges::fill(mix.sub(side, layer, i % out.shape(1)).span(), kQuantized);
    }
    double& mean = out.span()[static_cast<std::size_t>(i)];
    for (const MixedScore& row : run.replay_rows(mix, silent)) mean += row.score.kl;
    mean /= static_cast<double>(run.n_rows());
  }
  work.report({"heads", out.size(), out.size(), "replays"});
  return out;
}

}  // namespace qaq
