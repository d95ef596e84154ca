// How fast captures are replayed, on shapes of LLaMA-2-7B at 1024 tokens, all of whose rows are
// compared.
#include <algorithm>
#include <numeric>

#include "core/base/stopwatch.h"
#include "core/replay/memory_capture.h"
#include "core/replay/sweep.h"
#include "gpu/backend.h"
#include "gpu/cuda/kernels/replay_error.h"
#include "tests/gpu_check/seeded_model.h"
#include "tests/gpu_check/timing.h"

namespace qaq::gpu_check {
namespace {

using cases::DeviceArray;
using cases::require;
using cases::shape_text;

constexpr double kGoalReplay = 0.5;      // of the datasheet's float32 rate
constexpr double kGoalSweep = 10;        // seconds
constexpr std::int64_t kSettings = 444;  // of the sweep

ModelShape model_shape(const Context& context) {
  return context.options.shim ? shim_shape() : llama_7b_shape();
}
std::int64_t n_tokens(const Context& context) { return context.options.shim ? 24 : 1024; }

std::vector<std::int32_t> positions(std::int64_t n) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

// Exact scores, those of the plan and what either gives are made for each pair of row and key.
double operations(const ModelShape& s, std::int64_t n) {
  return 8 * static_cast<double>(s.head_dim * s.n_heads) * static_cast<double>(n * (n + 1) / 2);
}

// Of a layer.
std::string text_of(const ModelShape& s, std::int64_t n) {
  return shape_text({{"heads", s.n_heads}, {"T", n}, {"D", s.head_dim}});
}

// The same numbers in every array, each from another place on.
NdArray<float, 3> seeded(const std::vector<float>& numbers, std::int64_t n_heads, std::int64_t n,
                         std::int64_t head_dim, std::size_t seed) {
  NdArray<float, 3> out({n_heads, n, head_dim});
  std::size_t at = seed * 7919 % numbers.size();
  for (float& x : out.span()) {
    x = numbers[at];
    at = at + 1 == numbers.size() ? 0 : at + 1;
  }
  return out;
}

MemoryCapture seeded_capture(const ModelShape& s, std::int64_t n) {
  CaptureInfo info;
  info.name = "seeded";
  info.shape = s;
  info.layers = positions(s.n_layers);
  info.n_tokens = info.n_prompt = n;
  info.profile = AttentionProfile::derive;
  info.token_ids = info.query_token = positions(n);
  const std::vector<float> numbers = cases::Numbers(8).bells(1 << 20);
  MemoryCapture::Arrays arrays;
  for (std::size_t layer = 0; layer < info.layers.size(); ++layer) {
    arrays.query.push_back(seeded(numbers, s.n_heads, n, s.head_dim, 3 * layer));
    arrays.key.push_back(seeded(numbers, s.n_kv_heads, n, s.head_dim, 3 * layer + 1));
    arrays.value.push_back(seeded(numbers, s.n_kv_heads, n, s.head_dim, 3 * layer + 2));
  }
  return {std::move(info), std::move(arrays)};
}

// Bits by attention, all of them different.
std::vector<QaqParams> settings(std::int64_t n) {
  std::vector<QaqParams> out;
  for (std::int64_t i = 0; i < n; ++i) {
    QaqParams params;
    for (QaqSideParams* side : {&params.key, &params.value}) {
      side->outliers_ratio = 0.01 * static_cast<double>(i % 4);
      side->target_quantization_error = 0.002 * static_cast<double>(i / 4 + 1);
    }
    out.push_back(params);
  }
  return out;
}

}  // namespace

void time_replay(Context& context) {
  const ModelShape s = model_shape(context);
  const std::int64_t n = n_tokens(context), n_rows = s.n_heads * n;
  const std::int64_t n_query = n_rows * s.head_dim, n_cache = s.n_kv_heads * n * s.head_dim;
  const Sets sets({n_query, n_cache, n_cache, n_cache, n_cache, 2 * n_rows, n_query},
                  context.options.shim);
  const DeviceArray<std::int32_t> rows(positions(n));
  const auto sums = static_cast<std::size_t>(n_rows);
  const DeviceArray<double> attention(sums), prefix_attention(sums), output_error(sums);
  const auto call_of = [&](std::size_t set) {
    return cuda::ReplayCall{.query = sets.at(set, 0),
                            .positions = rows.data(),
                            .exact = {sets.at(set, 1), sets.at(set, 2)},
                            .softmax = reinterpret_cast<cuda::RowSoftmax*>(sets.data(set, 5)),
                            .output = sets.at(set, 6),
                            .plans = {{sets.at(set, 3), sets.at(set, 4)}},
                            .attention = attention.data(),
                            .prefix_attention = prefix_attention.data(),
                            .output_error = output_error.data(),
                            .n_plans = 1,
                            .n_heads = s.n_heads,
                            .n_kv_heads = s.n_kv_heads,
                            .n_rows = n,
                            .n_tokens = n,
                            .head_dim = s.head_dim,
                            .stride = s.head_dim,
                            .prefix = n};
  };
  for (std::size_t set = 0; set < sets.count(); ++set) {
    require(cuda::replay_exact(call_of(set), nullptr), "replay_exact");
  }
  const Timed timed{
      .limit = Limit::arithmetic, .operations = operations(s, n), .goal = kGoalReplay};
  measure(context,
          fast_job("replay of one plan, a layer", text_of(s, n), timed, sets, [&](std::size_t set) {
            require(cuda::replay_error(call_of(set), nullptr), "replay_error");
          }));
}

void time_sweep(Context& context) {
  if (context.options.quick) return context.report.skip("fast", "sweep", "left out by --quick");
  const ModelShape s = model_shape(context);
  const std::int64_t n = n_tokens(context);
  const MemoryCapture capture = seeded_capture(s, n);
  const std::vector<QaqParams> all = settings(context.options.shim ? 5 : kSettings);
  const Stopwatch watch;
  Sweeper(capture, {.n_rows = n}, {}, make_cuda_replay()).run(all);
  const double layers = static_cast<double>(s.n_layers * std::ssize(all));
  add_row(
      context, "sweep",
      shape_text({{"settings", std::ssize(all)}, {"layers", s.n_layers}}) + ", " + text_of(s, n),
      Timed{.limit = Limit::arithmetic,
            .seconds = watch.seconds(),
            .operations = layers * operations(s, n),
            .most_seconds = kGoalSweep});
}

}  // namespace qaq::gpu_check
