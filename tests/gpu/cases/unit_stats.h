#pragma once

#include "core/base/half.h"
#include "core/quant/unit_stats.h"
#include "gpu/cuda/kernels/unit_stats.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

constexpr std::int64_t kNothingBad = std::numeric_limits<std::int64_t>::max();

/// A cache of `shape` whose heads are `stride` tokens apart; the statistics of tokens [first, T),
/// of all of their units or of some.
struct StatsProblem {
  CacheShape shape;
  std::int64_t stride = 0;
  Level level = Level::head;
  DType dtype = DType::f32;
  double ratio = 0;
  Method method = Method::uniform;
  std::int64_t first = 0;
  std::int64_t first_unit = 0;  ///< of each token
  std::int64_t n_units = -1;
  std::vector<float> values = {};  ///< (n_layers, n_kv_heads, stride, D), as `dtype` has them

  UnitLayout layout() const { return UnitLayout(level, shape); }
  bool takes(std::int64_t unit) const {
    const std::int64_t in_token = unit % layout().units_per_token();
    return unit / layout().units_per_token() >= first && in_token >= first_unit &&
           (n_units < 0 || in_token < first_unit + n_units);
  }
};

/// What values are like: bells; few steps, so that many are equal, zeros of both signs among them;
/// one value a unit; magnitudes over all of float16's range; large numbers that cancel each other
/// in the end, so that the order of sums shows.
enum class ValueKind { bells, steps, constant, wide, cancelling };

inline float stats_value(Numbers& numbers, ValueKind kind) {
  const float x = numbers.bell();
  switch (kind) {
    case ValueKind::bells:
    case ValueKind::cancelling:
      break;
    case ValueKind::steps:
      return std::copysign(std::round(2 * std::abs(x)) / 2, x);
    case ValueKind::constant:
      return 0.75f;
    case ValueKind::wide:
      return x * std::exp2(static_cast<float>(20 * numbers.uniform() - 14));
  }
  return x;
}

inline StatsProblem stats_problem(StatsProblem p, ValueKind kind = ValueKind::bells) {
  Numbers numbers(11);
  p.stride = p.shape.n_tokens + 2;
  p.values.resize(static_cast<std::size_t>(p.shape.n_layers * p.shape.n_kv_heads * p.stride *
                                           p.shape.head_dim));
  for (float& x : p.values) x = rounded(stats_value(numbers, kind), p.dtype);
  if (kind != ValueKind::cancelling) return p;
  for (std::size_t i = 0; i + 2 < p.values.size(); i += 3) {
    p.values[i] *= 0x1p36f;
    p.values[i + 1] = -p.values[i];
  }
  return p;
}

/// Unit by unit, on this thread: the thread sanitizer knows nothing of core's.
inline std::vector<UnitStats> core_stats(const StatsProblem& p) {
  const UnitLayout layout = p.layout();
  std::vector<std::vector<float>> units(static_cast<std::size_t>(layout.n_units()));
  const float* row = p.values.data();
  for (std::int64_t layer = 0; layer < p.shape.n_layers; ++layer) {
    for (std::int64_t head = 0; head < p.shape.n_kv_heads; ++head) {
      for (std::int64_t token = 0; token < p.stride; ++token, row += p.shape.head_dim) {
        if (token >= p.shape.n_tokens) continue;
        std::vector<float>& unit = units[static_cast<std::size_t>(layout.unit(layer, head, token))];
        unit.insert(unit.end(), row, row + p.shape.head_dim);
      }
    }
  }
  std::vector<UnitStats> stats;
  for (const std::vector<float>& unit : units) {
    stats.push_back(stats_of_unit(unit, {.method = p.method, .outliers_ratio = p.ratio}));
  }
  return stats;
}

/// The numbers as bytes of their type.
inline std::vector<std::uint8_t> stored(const std::vector<float>& values, DType dtype) {
  std::vector<std::uint8_t> bytes(values.size() * static_cast<std::size_t>(bytes_of(dtype)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t word =
        dtype == DType::f16 ? half_from_float(values[i]) : bf16_from_float(values[i]);
    if (dtype == DType::f32) {
      std::memcpy(bytes.data() + 4 * i, &values[i], 4);
    } else {
      std::memcpy(bytes.data() + 2 * i, &word, 2);
    }
  }
  return bytes;
}

struct FoundStats {
  std::vector<UnitStats> stats;  ///< of all units; those that were not asked for as they were
  std::int64_t first_bad = kNothingBad;
};

inline const UnitStats kUnwritten{-7, -7, -7, -7, -7, -7, -7};

inline FoundStats run_unit_stats(const StatsProblem& p) {
  const DeviceArray<std::uint8_t> values(stored(p.values, p.dtype));
  const DeviceArray<UnitStats> stats(
      std::vector<UnitStats>(static_cast<std::size_t>(p.layout().n_units()), kUnwritten));
  const DeviceArray<std::int64_t> first_bad(std::vector{kNothingBad});
  // The first token in two parts, as a graph has it.
  const DeviceArray<std::int64_t> position(std::vector{p.first});
  require(cuda::unit_stats({.values = values.data(),
                            .dtype = p.dtype,
                            .stats = stats.data(),
                            .first_bad = first_bad.data(),
                            .n_layers = p.shape.n_layers,
                            .n_kv_heads = p.shape.n_kv_heads,
                            .cache_stride = p.stride,
                            .head_dim = p.shape.head_dim,
                            .units_per_token = p.layout().units_per_token(),
                            .first_unit = p.first_unit,
                            .n_units = p.n_units,
                            .first_token = p.first % 2 == 0 ? p.first : 0,
                            .n_tokens = p.shape.n_tokens - p.first,
                            .position = p.first % 2 == 0 ? nullptr : position.data(),
                            .outliers_ratio = p.ratio,
                            .deviation = p.method == Method::normal},
                           nullptr),
          "unit_stats");
  return {stats.host(), first_bad.host()[0]};
}

/// Zeros of either sign are one.
inline bool same_stats(const UnitStats& a, const UnitStats& b) {
  return a.low == b.low && a.high == b.high && a.min == b.min && a.max == b.max &&
         same_bytes(a.mean, b.mean) && same_bytes(a.deviation, b.deviation) &&
         a.n_inliers == b.n_inliers;
}

inline std::uint64_t digest_of(const std::vector<UnitStats>& stats) {
  std::vector<float> words(stats.size() * sizeof(UnitStats) / sizeof(float));
  std::memcpy(words.data(), stats.data(), words.size() * sizeof(float));
  return digest_of(words);
}

inline std::string stats_shape(const StatsProblem& p) {
  return std::string(ChoiceNames<Level>::names[static_cast<std::size_t>(p.level)]) + " " +
         std::string(name_of(p.dtype)) + ", " +
         shape_text({{"L", p.shape.n_layers},
                     {"H", p.shape.n_kv_heads},
                     {"T", p.shape.n_tokens},
                     {"first", p.first},
                     {"unit", p.first_unit},
                     {"D", p.shape.head_dim}}) +
         ", r " + std::to_string(p.ratio) + (p.method == Method::normal ? ", normal" : "");
}

/// Counts units that differ from `want`, and ones that were written and not asked for.
inline double n_wrong_stats(const StatsProblem& p, const FoundStats& got,
                            const std::vector<UnitStats>& want) {
  double n = 0;
  for (std::size_t unit = 0; unit < want.size(); ++unit) {
    const bool taken = p.takes(static_cast<std::int64_t>(unit));
    n += same_stats(got.stats[unit], taken ? want[unit] : kUnwritten) ? 0 : 1;
  }
  return n;
}

inline CaseRow unit_stats_case(const StatsProblem& p) {
  const FoundStats got = run_unit_stats(p);
  const double n = n_wrong_stats(p, got, core_stats(p)) + (got.first_bad == kNothingBad ? 0 : 1);
  return {"unit_stats", stats_shape(p), n, 0, digest_of(got.stats)};
}

/// Numbers that are not finite are found, and units without any do not mind.
inline CaseRow unit_stats_bad_case(StatsProblem p) {
  std::vector<UnitStats> want = core_stats(p);
  const CacheShape& shape = p.shape;
  const std::vector<float> bad{std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::quiet_NaN(),
                               -std::numeric_limits<float>::infinity()};
  std::int64_t first_bad = kNothingBad;
  for (std::int64_t i = 0; i < std::ssize(bad); ++i) {
    const std::int64_t layer = i % shape.n_layers, head = (2 * i + 1) % shape.n_kv_heads;
    const std::int64_t token = shape.n_tokens - 1 - i;
    const std::int64_t place =
        ((layer * shape.n_kv_heads + head) * p.stride + token) * shape.head_dim + 3 + i;
    p.values[static_cast<std::size_t>(place)] = bad[static_cast<std::size_t>(i)];
    first_bad = std::min(first_bad, place);
    const float all = std::numeric_limits<float>::infinity();
    want[static_cast<std::size_t>(p.layout().unit(layer, head, token))] = {.low = all, .high = all};
  }
  const FoundStats got = run_unit_stats(p);
  const double n = n_wrong_stats(p, got, want) + (got.first_bad == first_bad ? 0 : 1);
  return {"unit_stats, not finite", stats_shape(p), n, 0, digest_of(got.stats)};
}

inline std::vector<CaseRow> check_unit_stats(bool small) {
  require(cuda::unit_stats({.n_layers = 1, .n_kv_heads = 1, .head_dim = 4, .units_per_token = 1},
                           nullptr),
          "unit_stats of no tokens");
  std::vector<CaseRow> rows;
  const cuda::UnitStatsCall beyond{.n_layers = 2,
                                   .n_kv_heads = 1,
                                   .head_dim = 4,
                                   .units_per_token = 2,
                                   .first_unit = 1,
                                   .n_units = 2,
                                   .n_tokens = 1};
  rows.push_back({"unit_stats, units that are not there", "",
                  cuda::unit_stats(beyond, nullptr) == cudaErrorInvalidValue ? 0.0 : 1.0, 0, 0});
  const auto check = [&](const StatsProblem& p, ValueKind kind = ValueKind::bells) {
    rows.push_back(unit_stats_case(stats_problem(p, kind)));
  };
  const CacheShape one{1, 1, 5, 1}, few{2, 3, 3, 24}, many{3, 4, 1, 256};
  // Rows of every length; one or two of 128 are outliers at 1 %, many at 30 %.
  const std::vector<DType> types{DType::f32, DType::f16, DType::bf16};
  std::size_t turn = 0;
  for (const std::int64_t head_dim : {1, 16, 24, 48, 64, 80, 96, 128, 256}) {
    const DType dtype = types[turn++ % types.size()];
    for (const double ratio : {0.0, 0.01, 0.3}) {
      check({.shape = {2, 3, 3, head_dim}, .dtype = dtype, .ratio = ratio, .first = 1});
    }
  }
  for (const Level level : {Level::head, Level::layer, Level::token}) {
    for (const DType dtype : types) {
      check({.shape = few, .level = level, .dtype = dtype, .ratio = 0.02, .first = 2},
            ValueKind::wide);
      check({.shape = few, .level = level, .dtype = dtype, .ratio = 0.3}, ValueKind::steps);
    }
    check({.shape = few, .level = level}, ValueKind::cancelling);
    check({.shape = few, .level = level, .ratio = 0.1}, ValueKind::constant);
    check({.shape = few, .level = level}, ValueKind::constant);
    check({.shape = few, .level = level, .ratio = 0.05, .method = Method::normal});
    check({.shape = few, .level = level, .method = Method::normal});
    rows.push_back(unit_stats_bad_case(stats_problem(
        {.shape = {2, 3, 3, 24}, .level = level, .dtype = DType::f16, .ratio = 0.05})));
  }
  // Units of some layers: rows in a warp, rows too long for one, units of more rows.
  check({.shape = {4, 3, 3, 24}, .ratio = 0.1, .first = 1, .first_unit = 3, .n_units = 6});
  check({.shape = {4, 3, 3, 24}, .dtype = DType::f16, .first_unit = 9});
  check({.shape = {3, 1, 2, 300}, .ratio = 0.01, .first_unit = 1, .n_units = 1});
  check(
      {.shape = {4, 3, 3, 24}, .level = Level::layer, .ratio = 0.1, .first_unit = 1, .n_units = 2});
  check({.shape = one, .level = Level::token, .ratio = 0.01});
  check({.shape = one, .level = Level::token, .method = Method::normal});
  check({.shape = {1, 1, 2, 300}, .ratio = 0.01});
  check({.shape = many, .level = Level::token, .ratio = 0.01, .method = Method::normal});
  check({.shape = many, .level = Level::token, .dtype = DType::bf16}, ValueKind::cancelling);
  check({.shape = {2, 9, 1, 128}, .level = Level::layer, .dtype = DType::f16, .ratio = 0.5});
  check({.shape = {2, 9, 1, 80}, .level = Level::token, .dtype = DType::f16, .ratio = 0.1});
  if (!small) {
    check({.shape = {32, 32, 65, 128}, .dtype = DType::f16, .ratio = 0.01, .first = 1});
    check({.shape = {32, 32, 9, 128}, .level = Level::layer, .dtype = DType::f16, .ratio = 0.01});
    for (const DType dtype : types) {
      check({.shape = {32, 32, 5, 128}, .level = Level::token, .dtype = dtype, .ratio = 0.01});
    }
  }
  return rows;
}

}  // namespace qaq::cases
