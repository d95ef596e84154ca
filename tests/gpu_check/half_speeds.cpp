// How fast the kernels of the 16-bit modes are, on shapes of LLaMA-2-7B. Bytes are those that must
// move: every number read or written once.
#include "core/base/text.h"
#include "core/tensor/weight_block.h"
#include "gpu/cuda/kernels/activate.h"
#include "gpu/cuda/kernels/dequantize_weights.h"
#include "gpu/cuda/kernels/half_attention.h"
#include "gpu/cuda/kernels/half_linear.h"
#include "gpu/cuda/kernels/logits_top.h"
#include "gpu/cuda/kernels/norm.h"
#include "gpu/cuda/kernels/rotate_append.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/device/cublas.h"
#include "gpu/engine/products.h"
#include "tests/gpu_check/timing.h"

namespace qaq::gpu_check {
namespace {

using cases::require;
using cases::shape_text;

// Shares of the datasheet's rates.
constexpr double kGoalFewRows = 0.80;
constexpr double kGoalElementwise = 0.75;
constexpr double kGoalOwnProduct = 0.30;
constexpr double kGoalLibrary = 0.65;
constexpr double kGoalPrefill = 0.30;  // of 4096 rows and more

constexpr DType kHalf = DType::f16;

Timed memory_bound(std::int64_t bytes, double goal = 0) {
  return {.limit = Limit::memory, .bytes = static_cast<double>(bytes), .goal = goal};
}

Timed tensor_bound(std::int64_t bytes, double operations, double goal = 0) {
  return {.limit = Limit::half_arithmetic,
          .bytes = static_cast<double>(bytes),
          .operations = operations,
          .goal = goal};
}

// A matrix product of 7B, or in the shim one of a 64th of its sides.
struct Product {
  std::int64_t n_rows, n, k;

  Product(const Context& context, std::int64_t rows, std::int64_t outputs, std::int64_t inputs)
      : n_rows(context.options.shim ? std::min<std::int64_t>(rows, 16) : rows),
        n(context.options.shim ? outputs / 64 : outputs),
        k(context.options.shim ? inputs / 64 : inputs) {}

  Sets sets(const Context& context) const {
    return Sets({{n_rows * k, kHalf}, {n * k, kHalf}, n_rows * n}, context.options.shim);
  }
  std::int64_t bytes() const { return 2 * (n_rows * k + n * k) + 4 * n_rows * n; }
  double operations() const {
    return 2 * static_cast<double>(n_rows) * static_cast<double>(n) * static_cast<double>(k);
  }
  std::string shape() const { return shape_text({{"T", n_rows}, {"n", n}, {"k", k}}); }
  cuda::HalfLinearCall call(const Sets& sets, std::size_t set) const {
    return {.in = sets.data(set, 0),
            .weight = sets.data(set, 1),
            .out = sets.at(set, 2),
            .n_rows = n_rows,
            .n = n,
            .k = k,
            .dtype = kHalf};
  }
};

void time_own(Context& context, const Product& p) {
  const Sets sets = p.sets(context);
  const bool few = p.n_rows <= 8;
  const Timed timed = few ? memory_bound(p.bytes(), kGoalFewRows)
                          : tensor_bound(p.bytes(), p.operations(), kGoalOwnProduct);
  measure(context, fast_job(few ? "half_linear, few rows" : "half_linear", p.shape(), timed, sets,
                            [&](std::size_t set) {
                              require(cuda::half_linear(p.call(sets, set), nullptr), "half_linear");
                            }));
}

void time_library(Context& context, cuda::CublasLt& library, const Product& p) {
  const Sets sets = p.sets(context);
  const cases::DeviceArray<std::byte> space(cuda::Products::kWorkspaceBytes);
  const cuda::CublasWorkspace workspace{space.data(), cuda::Products::kWorkspaceBytes};
  const Timed timed = tensor_bound(p.bytes(), p.operations(), kGoalLibrary);
  measure(context, fast_job("cuBLASLt", p.shape(), timed, sets, [&](std::size_t set) {
            if (!library.matmul(p.call(sets, set), workspace, nullptr)) {
              throw std::runtime_error("cuBLASLt has no algorithm for " + p.shape());
            }
          }));
}

struct HalfAttention {
  std::int64_t n_rows;
  std::int64_t n_keys;
  bool with_scores = false;
};

// Heads of 7B. The last rows of so many positions.
void time_attention_of(Context& context, const HalfAttention& a) {
  const bool shim = context.options.shim;
  const std::int64_t heads = shim ? 2 : 32, d = shim ? 16 : 128, first = a.n_keys - a.n_rows;
  const std::int64_t n_out = heads * a.n_rows * d, n_cache = heads * a.n_keys * d;
  const std::int64_t n_scores = a.with_scores ? heads * cuda::triangle_size(first, a.n_rows) : 0;
  cuda::HalfAttentionCall call{.dtype = kHalf,
                               .query_stride = a.n_rows,
                               .cache_stride = a.n_keys,
                               .n_heads = heads,
                               .n_kv_heads = heads,
                               .head_dim = d,
                               .first_position = first,
                               .n_rows = a.n_rows};
  const Sets sets({{n_out, kHalf},
                   {n_cache, kHalf},
                   {n_cache, kHalf},
                   {n_out, kHalf},
                   cuda::half_attention_workspace(call),
                   n_scores},
                  shim);
  const std::int64_t bytes = 2 * (2 * n_out + 2 * n_cache) + 4 * n_scores;
  const double n_seen = static_cast<double>(a.n_rows) * static_cast<double>(first) +
                        static_cast<double>(a.n_rows) * static_cast<double>(a.n_rows + 1) / 2;
  // With scores keys are multiplied twice.
  const double operations = (a.with_scores ? 6 : 4) * static_cast<double>(heads * d) * n_seen;
  const bool decode = a.n_rows == 1, long_run = !a.with_scores && a.n_rows >= 4096;
  const std::string name = decode          ? "half_attention, 1 row"
                           : a.with_scores ? "half_attention, with scores"
                                           : "half_attention";
  measure(
      context,
      fast_job(name, shape_text({{"T", a.n_rows}, {"keys", a.n_keys}, {"heads", heads}, {"D", d}}),
               decode ? memory_bound(bytes)
                      : tensor_bound(bytes, operations, long_run ? kGoalPrefill : 0),
               sets, [&](std::size_t set) {
                 call.query = sets.data(set, 0);
                 call.key = sets.data(set, 1);
                 call.value = sets.data(set, 2);
                 call.out = sets.data(set, 3);
                 call.workspace = sets.at(set, 4);
                 require(cuda::half_attention(call, {0, heads, 0, a.n_rows},
                                              a.with_scores ? sets.at(set, 5) : nullptr, nullptr),
                         "half_attention");
               }));
}

// Blocks have their scales at even bytes, where the seed's halves are: all numbers are finite.
void time_dequantize(Context& context, WeightType type) {
  const bool shim = context.options.shim;
  const std::int64_t rows = shim ? 4 : 11008, cols = shim ? 256 : 4096;
  const std::int64_t stored = rows * row_bytes(type, cols);
  const Sets sets({{stored / 2, kHalf}, {rows * cols, kHalf}}, shim);
  const cases::DeviceArray<unsigned long long> bad(std::vector<unsigned long long>{cuda::kNoneBad});
  measure(context, fast_job("dequantize_weights, " + std::string(weight_type_info(type).name),
                            shape_text({{"n", rows}, {"k", cols}}),
                            memory_bound(stored + 2 * rows * cols), sets, [&](std::size_t set) {
                              require(cuda::dequantize_weights({.blocks = sets.data(set, 0),
                                                                .type = type,
                                                                .rows = rows,
                                                                .cols = cols,
                                                                .out = sets.data(set, 1),
                                                                .dtype = kHalf,
                                                                .bad = bad.data()},
                                                               nullptr),
                                      "dequantize_weights");
                            }));
}

}  // namespace

void time_half_linear(Context& context) {
  for (const std::int64_t n_rows : {1, 8}) {
    time_own(context, {context, n_rows, 4096, 4096});
    time_own(context, {context, n_rows, 11008, 4096});
    time_own(context, {context, n_rows, 4096, 11008});
    time_own(context, {context, n_rows, 32000, 4096});
  }
  for (const std::int64_t n_rows : {1024, 4096}) {
    time_own(context, {context, n_rows, 4096, 4096});
    time_own(context, {context, n_rows, 11008, 4096});
    time_own(context, {context, n_rows, 4096, 11008});
  }
}

void time_cublas(Context& context) {
  std::string why_not;
  const auto library = cuda::CublasLt::open(why_not);
  if (!library) return context.report.skip("fast", "cublas", why_not);
  for (const std::int64_t n_rows : {1024, 4096}) {
    time_library(context, *library, {context, n_rows, 4096, 4096});
    time_library(context, *library, {context, n_rows, 11008, 4096});
    time_library(context, *library, {context, n_rows, 4096, 11008});
  }
}

void time_half_attention(Context& context) {
  const bool shim = context.options.shim;
  time_attention_of(context, {.n_rows = 1, .n_keys = shim ? 64 : 4096});
  for (const std::int64_t n : {1024, 4096}) {
    const std::int64_t n_rows = shim ? n / 64 : n;
    time_attention_of(context, {n_rows, n_rows, false});
    time_attention_of(context, {n_rows, n_rows, true});
  }
}

void time_dequantize_weights(Context& context) {
  for (const WeightType type : {WeightType::f16, WeightType::q8_0, WeightType::q4_1,
                                WeightType::q4_k, WeightType::q6_k, WeightType::iq4_xs}) {
    time_dequantize(context, type);
  }
}

void time_logits_top(Context& context) {
  const bool shim = context.options.shim;
  const std::int64_t n_rows = shim ? 2 : 256, vocab = shim ? 500 : 32000, k = 32;
  const Sets sets({n_rows * vocab, n_rows * (3 + 2 * k)}, shim);
  measure(context,
          fast_job("logits_top", shape_text({{"T", n_rows}, {"vocabulary", vocab}, {"k", k}}),
                   memory_bound(4 * n_rows * vocab + 4 * n_rows * (3 + 2 * k)), sets,
                   [&](std::size_t set) {
                     float* to = sets.at(set, 1);
                     auto* ids = reinterpret_cast<std::int32_t*>(to);
                     require(cuda::logits_top({.logits = sets.at(set, 0),
                                               .argmax = ids,
                                               .argmax_logit = to + 1,
                                               .logsumexp = to + 2,
                                               .topk_ids = ids + 3,
                                               .topk_logits = to + 3 + k,
                                               .row_stride = 3 + 2 * k,
                                               .n_rows = n_rows,
                                               .vocab_size = vocab,
                                               .k = k},
                                              nullptr),
                             "logits_top");
                   }));
}

void time_half_norm(Context& context) {
  const std::int64_t n_rows = context.options.shim ? 4 : 4096, n_cols = n_rows;
  const std::int64_t n = n_rows * n_cols;
  const Sets sets({n, {n, kHalf}, n_cols}, context.options.shim);
  measure(context,
          fast_job("norm, f16", shape_text({{"T", n_rows}, {"n", n_cols}}),
                   memory_bound(6 * n + 4 * n_cols, kGoalElementwise), sets, [&](std::size_t set) {
                     require(cuda::rms_norm({.in = sets.at(set, 0),
                                             .weight = sets.at(set, 2),
                                             .out = sets.data(set, 1),
                                             .n_rows = n_rows,
                                             .n_cols = n_cols,
                                             .epsilon = 1e-5f,
                                             .dtype = kHalf},
                                            nullptr),
                             "rms_norm");
                   }));
}

void time_half_activate(Context& context) {
  const std::int64_t n = context.options.shim ? 1024 : std::int64_t{2048} * 11008;
  const Sets sets({n, n, {n, kHalf}}, context.options.shim);
  measure(context, fast_job("activate, f16", shape_text({{"n", n}}),
                            memory_bound(10 * n, kGoalElementwise), sets, [&](std::size_t set) {
                              require(cuda::silu_times({.gate = sets.at(set, 0),
                                                        .up = sets.at(set, 1),
                                                        .out = sets.data(set, 2),
                                                        .n = n,
                                                        .dtype = kHalf},
                                                       nullptr),
                                      "silu_times");
                            }));
}

void time_half_rotate(Context& context) {
  const bool shim = context.options.shim;
  const std::int64_t n_rows = shim ? 4 : 4096, heads = shim ? 2 : 32, d = shim ? 16 : 128;
  const std::int64_t n = n_rows * heads * d, n_angles = n_rows * d / 2;
  const Sets sets({n, n, n, n_angles, n_angles, {n, kHalf}, {n, kHalf}, {n, kHalf}}, shim);
  measure(context, fast_job("rotate_append, f16",
                            shape_text({{"T", n_rows}, {"heads", heads}, {"kv", heads}, {"D", d}}),
                            memory_bound(18 * n + 8 * n_angles, kGoalElementwise), sets,
                            [&](std::size_t set) {
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
                                                           .dtype = kHalf,
                                                           .query_heads = sets.data(set, 5),
                                                           .query_stride = n_rows,
                                                           .key_cache = sets.data(set, 6),
                                                           .value_cache = sets.data(set, 7),
                                                           .cache_stride = n_rows},
                                                          nullptr),
                                      "rotate_append");
                            }));
}

}  // namespace qaq::gpu_check
