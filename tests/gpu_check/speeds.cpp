// How fast the kernels are. Bytes are those that must move: every number read or written once.
#include "gpu/cuda/kernels/activate.h"
#include "gpu/cuda/kernels/attention.h"
#include "gpu/cuda/kernels/linear.h"
#include "gpu/cuda/kernels/norm.h"
#include "gpu/cuda/kernels/rotate_append.h"
#include "tests/gpu_check/timing.h"

namespace qaq::gpu_check {
namespace {

using cases::require;
using cases::shape_text;

// Shares of the datasheet's rate.
constexpr double kGoalOneRow = 0.80;
constexpr double kGoalElementwise = 0.75;

double bytes_of(std::int64_t n_numbers) { return static_cast<double>(n_numbers) * sizeof(float); }

Timed memory_bound(std::int64_t n_numbers, double goal) {
  return {.limit = Limit::memory, .bytes = bytes_of(n_numbers), .goal = goal};
}

Timed arithmetic_bound(std::int64_t n_numbers, double operations) {
  return {.limit = Limit::arithmetic, .bytes = bytes_of(n_numbers), .operations = operations};
}

void time_linear_shape(Context& context, std::int64_t n_rows, std::int64_t n, std::int64_t k) {
  const Sets sets({n_rows * k, n * k, n_rows * n}, context.options.shim);
  const std::int64_t n_numbers = n_rows * k + n * k + n_rows * n;
  const bool one = n_rows == 1;
  const Timed timed =
      one ? memory_bound(n_numbers, kGoalOneRow)
          : arithmetic_bound(n_numbers, 2.0 * static_cast<double>(n_rows) * static_cast<double>(n) *
                                            static_cast<double>(k));
  measure(context, fast_job(one ? "linear, 1 row" : "linear",
                            shape_text({{"T", n_rows}, {"n", n}, {"k", k}}), timed, sets,
                            [&](std::size_t set) {
                              require(cuda::linear({.in = sets.at(set, 0),
                                                    .weight = sets.at(set, 1),
                                                    .out = sets.at(set, 2),
                                                    .n_rows = n_rows,
                                                    .n = n,
                                                    .k = k},
                                                   nullptr),
                                      "linear");
                            }));
}

// Heads of LLaMA-2-7B over a cache of as many tokens as there are positions.
void time_attention_shape(Context& context, std::int64_t n_rows, std::int64_t n_keys,
                          bool with_scores) {
  const std::int64_t heads = context.options.shim ? 2 : 32, d = context.options.shim ? 16 : 128;
  const std::int64_t n_rows_all = heads * n_rows * d, n_cache = heads * n_keys * d;
  const std::int64_t n_scores = with_scores ? heads * n_rows * n_keys : 0;
  const Sets sets({n_rows_all, n_cache, n_cache, n_rows_all, n_scores}, context.options.shim);
  const std::int64_t n_numbers = 2 * n_rows_all + 2 * n_cache + n_scores;
  const std::int64_t first = n_keys - n_rows;
  // A product and a sum a channel, for the score and for the value, of each key that is seen.
  const double n_seen = static_cast<double>(n_rows) * static_cast<double>(first) +
                        static_cast<double>(n_rows) * static_cast<double>(n_rows + 1) / 2;
  const double operations = 4 * static_cast<double>(heads * d) * n_seen;
  const Timed timed =
      n_rows == 1 ? memory_bound(n_numbers, 0) : arithmetic_bound(n_numbers, operations);
  const std::string name = n_rows == 1   ? "attention, 1 row"
                           : with_scores ? "attention, with scores"
                                         : "attention";
  const auto launch = [&](std::size_t set) {
    const cuda::AttentionCall call{.query = sets.at(set, 0),
                                   .key = sets.at(set, 1),
                                   .value = sets.at(set, 2),
                                   .out = sets.at(set, 3),
                                   .query_stride = n_rows,
                                   .cache_stride = n_keys,
                                   .n_heads = heads,
                                   .n_kv_heads = heads,
                                   .head_dim = d,
                                   .first_position = first,
                                   .n_rows = n_rows};
    require(cuda::attention(call, {0, heads, 0, n_rows}, with_scores ? sets.at(set, 4) : nullptr,
                            nullptr),
            "attention");
  };
  measure(context,
          fast_job(name, shape_text({{"T", n_rows}, {"keys", n_keys}, {"heads", heads}, {"D", d}}),
                   timed, sets, launch));
}

}  // namespace

void time_linear(Context& context) {
  const bool shim = context.options.shim;
  const std::int64_t k = shim ? 64 : 4096;
  for (const std::int64_t n : {4096, 11008, 32000}) {
    time_linear_shape(context, 1, shim ? n / 64 : n, k);
  }
  for (const std::int64_t n : {4096, 11008}) {
    time_linear_shape(context, shim ? 16 : 1024, shim ? n / 64 : n, k);
  }
}

void time_norm(Context& context) {
  const std::int64_t n_rows = context.options.shim ? 4 : 4096, n_cols = n_rows;
  const std::int64_t n = n_rows * n_cols;
  const Sets sets({n, n, n_cols}, context.options.shim);
  measure(context,
          fast_job("norm", shape_text({{"T", n_rows}, {"n", n_cols}}),
                   memory_bound(2 * n + n_cols, kGoalElementwise), sets, [&](std::size_t set) {
                     require(cuda::rms_norm({sets.at(set, 0), sets.at(set, 2), sets.at(set, 1),
                                             n_rows, n_cols, 1e-5f},
                                            nullptr),
                             "rms_norm");
                   }));
}

void time_activate(Context& context) {
  const std::int64_t n = context.options.shim ? 1024 : std::int64_t{2048} * 11008;
  const Sets sets({n, n, n}, context.options.shim);
  Job job = fast_job(
      "activate", shape_text({{"n", n}}), memory_bound(3 * n, kGoalElementwise), sets,
      [&](std::size_t set) {
        require(cuda::silu_times({sets.at(set, 0), sets.at(set, 1), sets.at(set, 0), n}, nullptr),
                "silu_times");
      });
  // It works in place: over and over it would end at zeros.
  job.before = [&] {
    for (std::size_t set = 0; set < sets.count(); ++set) {
      require(cudaMemcpyAsync(sets.at(set, 0), sets.at(set, 2),
                              static_cast<std::size_t>(n) * sizeof(float), cudaMemcpyDeviceToDevice,
                              nullptr),
              "copy on the device");
    }
  };
  measure(context, job);
}

void time_rotate_append(Context& context) {
  const std::int64_t n_rows = context.options.shim ? 4 : 2048;
  const std::int64_t heads = context.options.shim ? 2 : 32, d = context.options.shim ? 16 : 128;
  const std::int64_t n = n_rows * heads * d, n_angles = n_rows * d / 2;
  const Sets sets({n, n, n, n_angles, n_angles, n, n, n}, context.options.shim);
  const auto launch = [&](std::size_t set) {
    require(cuda::rotate_append({.query = sets.at(set, 0),
                                 .key = sets.at(set, 1),
                                 .value = sets.at(set, 2),
                                 .cos = sets.at(set, 3),
                                 .sin = sets.at(set, 4),
                                 .n_rows = n_rows,
                                 .n_heads = heads,
                                 .n_kv_heads = heads,
                                 .head_dim = d,
                                 .n_rotary = d,
                                 .query_heads = sets.at(set, 5),
                                 .query_stride = n_rows,
                                 .key_cache = sets.at(set, 6),
                                 .value_cache = sets.at(set, 7),
                                 .cache_stride = n_rows},
                                nullptr),
            "rotate_append");
  };
  measure(context, fast_job("rotate_append",
                            shape_text({{"T", n_rows}, {"heads", heads}, {"kv", heads}, {"D", d}}),
                            memory_bound(6 * n + 2 * n_angles, kGoalElementwise), sets, launch));
}

void time_attention(Context& context) {
  const bool shim = context.options.shim;
  time_attention_shape(context, 1, shim ? 64 : 4096, false);
  const std::int64_t n_prefilled = shim ? 16 : 1024;
  time_attention_shape(context, n_prefilled, n_prefilled, false);
  time_attention_shape(context, n_prefilled, n_prefilled, true);
}

}  // namespace qaq::gpu_check
