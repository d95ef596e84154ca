// How fast plans and the mixed-bit cache are, on shapes of LLaMA-2-7B at 4096 tokens. Bytes are
// those that must move: every number read or written once.
#include <optional>

#include "core/policy/bit_rule.h"
#include "core/quant/unit_layout.h"
#include "gpu/codec/mixed_cache.h"
#include "gpu/cuda/kernels/half_attention.h"
#include "gpu/cuda/kernels/importance.h"
#include "gpu/cuda/kernels/key_scores.h"
#include "gpu/cuda/kernels/plan_bits.h"
#include "gpu/cuda/kernels/unit_stats.h"
#include "gpu/cuda/kernels/value_mix.h"
#include "tests/gpu_check/timing.h"

namespace qaq::gpu_check {
namespace {

using cases::DeviceArray;
using cases::require;
using cases::shape_text;

// Shares of the datasheet's rate.
constexpr double kGoalElementwise = 0.75;
constexpr double kGoalPages = 0.80;
constexpr double kGoalFewBits = 0.65;  // up to three
// Of the time of 16-bit attention to the same tokens.
constexpr double kGoalOneSequence = 0.8;

constexpr std::int64_t kMoreThanL2 = std::int64_t{256} << 20;  // bytes of pages that a launch reads

// One cache of 7B in 16 bits, keys or values.
CacheShape shape_7b(const Context& context) {
  if (context.options.shim) return {2, 2, 40, 32};
  return {32, 32, 4096, 128};
}

std::int64_t n_rows(const CacheShape& s) { return s.n_layers * s.n_kv_heads * s.n_tokens; }

std::string text_of(const CacheShape& s) {
  return shape_text(
      {{"layers", s.n_layers}, {"heads", s.n_kv_heads}, {"T", s.n_tokens}, {"D", s.head_dim}});
}

Timed memory_bound(double bytes, double goal = 0) {
  return {.limit = Limit::memory, .bytes = bytes, .goal = goal};
}

// Units are rows.
cuda::UnitStatsCall stats_call(const CacheShape& s, const void* values, UnitStats* stats,
                               double outliers_ratio) {
  return {.values = values,
          .dtype = DType::f16,
          .stats = stats,
          .n_layers = s.n_layers,
          .n_kv_heads = s.n_kv_heads,
          .cache_stride = s.n_tokens,
          .head_dim = s.head_dim,
          .units_per_token = s.n_layers * s.n_kv_heads,
          .n_tokens = s.n_tokens,
          .outliers_ratio = outliers_ratio};
}

/// Rows of one cache with the statistics of their units.
class Rows {
 public:
  Rows(const CacheShape& shape, double outliers_ratio)
      : values_(static_cast<std::size_t>(n_rows(shape) * shape.head_dim)),
        stats_(static_cast<std::size_t>(n_rows(shape))),
        first_bad_(std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max()}) {
    fill_from_seed(values_.data(), n_rows(shape) * shape.head_dim, DType::f16, 5);
    cuda::UnitStatsCall call = stats_call(shape, values_.data(), stats_.data(), outliers_ratio);
    call.first_bad = first_bad_.data();
    require(cuda::unit_stats(call, nullptr), "unit_stats");
    cases::wait("unit_stats");
  }

  const void* values() const { return values_.data(); }
  UnitStats* stats() const { return stats_.data(); }

 private:
  DeviceArray<std::uint16_t> values_;
  DeviceArray<UnitStats> stats_;
  DeviceArray<std::int64_t> first_bad_;
};

/// A mixed-bit cache of its own memory.
class Pages {
 public:
  explicit Pages(const cuda::MixedCacheLimits& limits)
      : stride_(limits.shape.n_tokens),
        lengths_(std::vector<cuda::CacheLengths>(
            1, {static_cast<std::int32_t>(stride_), static_cast<std::int32_t>(stride_)})),
        arena_(cuda::plan_mixed_cache(limits).total()),
        cache_(limits, arena_, stream_) {}

  void clear() { cache_.clear(stream_); }
  void follow(const Rows& rows, const std::uint8_t* n_bits) {
    const cuda::RowSource source{.rows = rows.values(), .list_stride = stride_};
    cache_.follow({.n_bits = n_bits,
                   .stats = rows.stats(),
                   .lengths = lengths_.data(),
                   .fresh = source,
                   .exact = source},
                  stream_);
  }
  DeviceCacheBytes bytes() const { return cache_.bytes(stream_); }
  /// Of codes, scales and bases, and 4 bytes a token that say where in the sequence it is.
  double page_bytes() const {
    const DeviceCacheBytes all = bytes();
    return static_cast<double>(all.codes + all.scales + all.scales / 2);
  }
  const cuda::PagedCache& pages() const { return cache_.pages(); }
  const cuda::CacheLengths* lengths() const { return lengths_.data(); }
  const cuda::Stream& stream() const { return stream_; }

 private:
  std::int64_t stride_;
  DeviceArray<cuda::CacheLengths> lengths_;
  cuda::Arena arena_;
  cuda::Stream stream_;
  cuda::MixedCache cache_;
};

cuda::MixedCacheLimits limits_of(const CacheShape& shape, cuda::Side side, int least, int most,
                                 double outliers_ratio) {
  return {.side = side,
          .shape = shape,
          .quantizer = {.outliers_ratio = outliers_ratio},
          .dtype = DType::f16,
          .n_bits_min = least,
          .n_bits_max = most};
}

/// Keys and values of so many layers, all of them of one width, and what attends to them.
class OneWidth {
 public:
  OneWidth(const CacheShape& shape, int bits)
      : shape_(shape),
        n_heads_(shape.n_kv_heads),
        keys_(limits_of(shape, cuda::Side::key, bits, bits, 0)),
        values_(limits_of(shape, cuda::Side::value, bits, bits, 0)),
        query_(static_cast<std::size_t>(n_heads_ * shape.head_dim)),
        scores_(static_cast<std::size_t>(n_heads_ * shape.n_tokens)),
        out_(static_cast<std::size_t>(n_heads_ * shape.head_dim)) {
    fill_from_seed(query_.data(), n_heads_ * shape.head_dim, DType::f16, 6);
    const Rows rows(shape, 0);
    const DeviceArray<std::uint8_t> n_bits(std::vector<std::uint8_t>(
        static_cast<std::size_t>(n_rows(shape)), static_cast<std::uint8_t>(bits)));
    for (Pages* side : {&keys_, &values_}) {
      side->follow(rows, n_bits.data());
      side->stream().wait();
    }
    workspace_.emplace(static_cast<std::size_t>(cuda::value_mix_workspace(mix_call(0))));
  }

  void key_scores(std::size_t layer) const {
    require(cuda::key_scores(scores_call(layer), stream()), "key_scores");
  }
  void softmax(std::size_t layer) const {
    require(cuda::softmax_scores(scores_call(layer), stream()), "softmax_scores");
  }
  void value_mix(std::size_t layer) const {
    cuda::ValueMixCall call = mix_call(layer);
    call.workspace = workspace_->data();
    require(cuda::value_mix(call, stream()), "value_mix");
  }

  /// Of a layer.
  double key_bytes() const { return keys_.page_bytes() / static_cast<double>(shape_.n_layers); }
  double value_bytes() const { return values_.page_bytes() / static_cast<double>(shape_.n_layers); }
  std::string text() const {
    return shape_text({{"heads", n_heads_}, {"T", shape_.n_tokens}, {"D", shape_.head_dim}});
  }
  std::size_t n_layers() const { return static_cast<std::size_t>(shape_.n_layers); }
  cudaStream_t stream() const { return keys_.stream().get(); }

 private:
  std::int64_t first_list(std::size_t layer) const {
    return static_cast<std::int64_t>(layer) * shape_.n_kv_heads;
  }
  cuda::KeyScoresCall scores_call(std::size_t layer) const {
    return {.cache = keys_.pages(),
            .first_list = first_list(layer),
            .query = query_.data(),
            .query_dtype = DType::f16,
            .lengths = keys_.lengths(),
            .scores = scores_.data(),
            .score_stride = shape_.n_tokens,
            .n_heads = n_heads_,
            .max_pages = keys_.pages().max_pages};
  }
  cuda::ValueMixCall mix_call(std::size_t layer) const {
    return {.cache = values_.pages(),
            .first_list = first_list(layer),
            .probability = scores_.data(),
            .score_stride = shape_.n_tokens,
            .lengths = values_.lengths(),
            .rounded_out = out_.data(),
            .rounded_dtype = DType::f16,
            .n_heads = n_heads_,
            .max_pages = values_.pages().max_pages};
  }

  CacheShape shape_;
  std::int64_t n_heads_;
  Pages keys_, values_;
  DeviceArray<std::uint16_t> query_;
  DeviceArray<float> scores_;
  DeviceArray<std::uint16_t> out_;
  std::optional<DeviceArray<float>> workspace_;
};

void time_part(Context& context, const OneWidth& cache, const std::string& name, const Timed& timed,
               std::function<void(std::size_t)> launch) {
  measure(context, {.section = "fast",
                    .name = name,
                    .shape = cache.text(),
                    .timed = timed,
                    .n_sets = cache.n_layers(),
                    .launch = std::move(launch),
                    .stream = cache.stream()});
}

// So many sequences of 4096 tokens that a launch reads more than the L2 cache holds.
void time_width(Context& context, int bits) {
  const CacheShape one = shape_7b(context);
  const std::int64_t list_bytes = one.n_tokens * (one.head_dim * bits / 8 + 12);
  const std::int64_t sequences =
      context.options.shim ? 1 : kMoreThanL2 / (list_bytes * one.n_kv_heads) + 1;
  const OneWidth cache({1, sequences * one.n_kv_heads, one.n_tokens, one.head_dim}, bits);
  const double goal = bits <= 3 ? kGoalFewBits : kGoalPages;
  const std::string of = ", " + std::to_string(bits) + " bits";
  const double keys = cache.key_bytes(), values = cache.value_bytes();
  time_part(context, cache, "mixed attention" + of, memory_bound(keys + values, goal),
            [&](std::size_t layer) {
              cache.key_scores(layer);
              cache.softmax(layer);
              cache.value_mix(layer);
            });
  time_part(context, cache, "value_mix" + of, memory_bound(values),
            [&](std::size_t layer) { cache.value_mix(layer); });
  time_part(context, cache, "key_scores" + of, memory_bound(keys),
            [&](std::size_t layer) { cache.key_scores(layer); });
}

// One sequence, unquantized: gives the seconds.
double time_half_attention_to(Context& context, const CacheShape& s) {
  const std::int64_t n_cache = s.n_kv_heads * s.n_tokens * s.head_dim;
  const std::int64_t n_out = s.n_kv_heads * s.head_dim;
  cuda::HalfAttentionCall call{.dtype = DType::f16,
                               .query_stride = 1,
                               .cache_stride = s.n_tokens,
                               .n_heads = s.n_kv_heads,
                               .n_kv_heads = s.n_kv_heads,
                               .head_dim = s.head_dim,
                               .first_position = s.n_tokens - 1,
                               .n_rows = 1};
  const Sets sets({{n_out, DType::f16},
                   {n_cache, DType::f16},
                   {n_cache, DType::f16},
                   {n_out, DType::f16},
                   cuda::half_attention_workspace(call)},
                  context.options.shim);
  measure(context,
          fast_job("16-bit attention, one sequence",
                   shape_text({{"heads", s.n_kv_heads}, {"T", s.n_tokens}, {"D", s.head_dim}}),
                   memory_bound(static_cast<double>(4 * (n_cache + n_out))), sets,
                   [&](std::size_t set) {
                     call.query = sets.data(set, 0);
                     call.key = sets.data(set, 1);
                     call.value = sets.data(set, 2);
                     call.out = sets.data(set, 3);
                     call.workspace = sets.at(set, 4);
                     require(cuda::half_attention(call, {0, s.n_kv_heads, 0, 1}, nullptr, nullptr),
                             "half_attention");
                   }));
  return context.report.rows.back().timed->seconds;
}

void time_one_sequence(Context& context) {
  const CacheShape shape = shape_7b(context);
  const double half_seconds = time_half_attention_to(context, shape);
  const OneWidth cache(shape, 4);
  Timed timed = memory_bound(cache.key_bytes() + cache.value_bytes());
  timed.most_seconds = kGoalOneSequence * half_seconds;
  time_part(context, cache, "mixed attention, 4 bits, one sequence", timed, [&](std::size_t layer) {
    cache.key_scores(layer);
    cache.softmax(layer);
    cache.value_mix(layer);
  });
}

}  // namespace

void time_unit_stats(Context& context) {
  const CacheShape s = shape_7b(context);
  const std::int64_t n = n_rows(s);
  const Sets sets({{n * s.head_dim, DType::f16}}, context.options.shim);
  const DeviceArray<UnitStats> stats(static_cast<std::size_t>(n));
  const DeviceArray<std::int64_t> first_bad(
      std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::max()});
  const double bytes = static_cast<double>(n) *
                       static_cast<double>(2 * s.head_dim + std::int64_t{sizeof(UnitStats)});
  measure(context,
          fast_job("unit_stats", text_of(s), memory_bound(bytes), sets, [&](std::size_t set) {
            cuda::UnitStatsCall call = stats_call(s, sets.data(set, 0), stats.data(), 0.01);
            call.first_bad = first_bad.data();
            require(cuda::unit_stats(call, nullptr), "unit_stats");
          }));
}

void time_importance(Context& context) {
  const CacheShape s = shape_7b(context);
  constexpr std::int64_t kRing = 5;
  const std::int64_t n = n_rows(s);
  const Sets sets({n, n, kRing * n}, context.options.shim);
  measure(context,
          fast_job("importance", text_of(s),
                   memory_bound(static_cast<double>(4 * n * (1 + kRing + 1)), kGoalElementwise),
                   sets, [&](std::size_t set) {
                     require(cuda::importance({.scores = sets.at(set, 0),
                                               .importance = sets.at(set, 1),
                                               .ring = sets.at(set, 2),
                                               .score_stride = s.n_kv_heads * s.n_tokens,
                                               .head_stride = s.n_tokens,
                                               .stride = s.n_tokens,
                                               .n_layers = s.n_layers,
                                               .n_heads = s.n_kv_heads,
                                               .n_kv_heads = s.n_kv_heads,
                                               .n_rows = 1,
                                               .n_ring = kRing,
                                               .step = {.position = s.n_tokens - 1},
                                               .max_tokens = s.n_tokens},
                                              nullptr),
                             "importance");
                   }));
}

void time_plan_bits(Context& context) {
  const CacheShape s = shape_7b(context);
  const std::int64_t n = n_rows(s);
  const Rows rows(s, 0.01);
  const QaqSideParams params;
  const DeviceArray<cuda::PlanStep> step(
      std::vector<cuda::PlanStep>{{bit_rule(params, CacheSide::value, s), s.n_tokens, s.n_tokens}});
  const Sets importance({n}, context.options.shim);
  const DeviceArray<std::uint8_t> n_bits(static_cast<std::size_t>(n));
  // Statistics alone are 117 MB.
  const double bytes = static_cast<double>(n) * (sizeof(UnitStats) + 4 + 1);
  measure(context,
          fast_job("plan_bits", text_of(s), memory_bound(bytes), importance, [&](std::size_t set) {
            require(cuda::plan_bits({.step = step.data(),
                                     .stats = rows.stats(),
                                     .importance = importance.at(set, 0),
                                     .n_layers = s.n_layers,
                                     .n_kv_heads = s.n_kv_heads,
                                     .stride = s.n_tokens,
                                     .units_per_token = s.n_layers * s.n_kv_heads,
                                     .max_tokens = s.n_tokens,
                                     .n_bits = n_bits.data()},
                                    nullptr),
                    "plan_bits");
          }));
}

// Slots and codes of a prompt whose units have 1 to 8 bits, as many of each.
void time_write_pages(Context& context) {
  const CacheShape s = shape_7b(context);
  const std::int64_t n = n_rows(s);
  const Rows rows(s, 0.01);
  std::vector<std::uint8_t> widths(static_cast<std::size_t>(n));
  cases::Numbers numbers(7);
  for (std::uint8_t& width : widths) width = static_cast<std::uint8_t>(1 + 8 * numbers.uniform());
  const DeviceArray<std::uint8_t> n_bits(widths);
  Pages pages(limits_of(s, cuda::Side::key, 1, 8, 0.01));
  pages.follow(rows, n_bits.data());
  const DeviceCacheBytes held = pages.bytes();
  // Of a unit: its row, statistics, bits; where it lies, twice.
  const double bytes =
      static_cast<double>(n) *
          static_cast<double>(2 * s.head_dim + std::int64_t{sizeof(UnitStats)} + 1 + 9) +
      static_cast<double>(held.codes + held.scales + held.outliers);
  measure(context, {.section = "fast",
                    .name = "write_pages of a prompt",
                    .shape = text_of(s),
                    .timed = memory_bound(bytes),
                    .launch = [&](std::size_t) { pages.follow(rows, n_bits.data()); },
                    .before = [&] { pages.clear(); },
                    .stream = pages.stream().get()});
}

void time_mixed_attention(Context& context) {
  for (const int bits : {2, 3, 4, 8}) time_width(context, bits);
  time_one_sequence(context);
}

}  // namespace qaq::gpu_check
