#pragma once

#include "core/quant/normal_codebook.h"
#include "core/quant/quantize.h"
#include "core/quant/unit_layout.h"
#include "core/quant/unit_stats.h"
#include "gpu/cuda/kernels/quantize_rows.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

/// One layer of a cache, of which the first `prefix` tokens are quantized with bits from 0 to
/// max_bits.
struct QuantizeProblem {
  CacheShape shape;  ///< of one layer
  std::int64_t prefix = 0;
  QuantizerSpec spec;
  int max_bits = kMaxBits;
  std::vector<float> values = {};  ///< (n_kv_heads, T, D)
  std::vector<UnitStats> stats = {};
  std::vector<std::uint8_t> n_bits = {};

  UnitLayout layout() const {
    return UnitLayout(spec.level, {1, shape.n_kv_heads, prefix, shape.head_dim});
  }
  std::int64_t stride() const { return (shape.head_dim + 3) / 4 * 4; }
  std::int64_t mark_bytes() const { return (shape.head_dim + 7) / 8; }
};

/// Units of bells, of few steps, of one value, and of none but outliers.
inline QuantizeProblem quantize_problem(QuantizeProblem p) {
  Numbers numbers(5);
  p.values = numbers.bells(p.shape.n_values());
  const UnitLayout layout = p.layout();
  std::vector<std::vector<float>> units(static_cast<std::size_t>(layout.n_units()));
  float* row = p.values.data();
  for (std::int64_t head = 0; head < p.shape.n_kv_heads; ++head) {
    for (std::int64_t token = 0; token < p.shape.n_tokens; ++token, row += p.shape.head_dim) {
      for (float* x = row; x != row + p.shape.head_dim; ++x) {
        if (token % 5 == 1) *x = 0.25f;
        if (token % 5 == 2) *x = std::round(2 * *x) / 2;
        if (token % 5 == 3) *x *= 0x1p-20f;
      }
      if (token >= p.prefix) continue;
      std::vector<float>& unit = units[static_cast<std::size_t>(layout.unit(0, head, token))];
      unit.insert(unit.end(), row, row + p.shape.head_dim);
    }
  }
  for (const std::vector<float>& unit : units) {
    p.stats.push_back(stats_of_unit(unit, p.spec));
    const auto n = static_cast<int>(p.n_bits.size());
    p.n_bits.push_back(static_cast<std::uint8_t>(n * 7 % (p.max_bits + 1)));
  }
  return p;
}

/// What a row became: its values, its error and its marks.
struct QuantizedRows {
  std::vector<float> values;           ///< (n_kv_heads, T, D)
  std::vector<double> errors;          ///< (n_kv_heads, prefix)
  std::vector<std::uint8_t> outliers;  ///< (n_kv_heads, prefix, mark_bytes)
};

/// Row by row on this thread, which the thread sanitizer follows, with core's functions for values.
inline QuantizedRows core_rows(const QuantizeProblem& p) {
  const auto dim = static_cast<std::size_t>(p.shape.head_dim);
  QuantizedRows out{p.values, {}, {}};
  for (std::int64_t head = 0; head < p.shape.n_kv_heads; ++head) {
    for (std::int64_t token = 0; token < p.prefix; ++token) {
      const auto unit = static_cast<std::size_t>(p.layout().unit(0, head, token));
      const auto first = static_cast<std::size_t>(head * p.shape.n_tokens + token) * dim;
      const std::span<float> row = std::span(out.values).subspan(first, dim);
      const std::vector<float> exact(row.begin(), row.end());
      quantize_values(p.spec, p.stats[unit], p.n_bits[unit], exact, row);
      double error = 0;
      std::vector<std::uint8_t> marks(static_cast<std::size_t>(p.mark_bytes()));
      for (std::size_t c = 0; c < dim; ++c) {
        const auto difference = static_cast<double>(row[c] - exact[c]);
        error += difference * difference;
        if (!p.stats[unit].is_outlier(exact[c])) continue;
        marks[c / 8] = static_cast<std::uint8_t>(marks[c / 8] | 0x80u >> c % 8);
      }
      out.errors.push_back(error);
      out.outliers.insert(out.outliers.end(), marks.begin(), marks.end());
    }
  }
  return out;
}

/// Rows with as many zeros behind them as the device has.
inline std::vector<float> with_stride(const std::vector<float>& rows, std::int64_t head_dim,
                                      std::int64_t stride) {
  std::vector<float> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back(rows[i]);
    if ((i + 1) % static_cast<std::size_t>(head_dim) != 0) continue;
    out.resize(out.size() + static_cast<std::size_t>(stride - head_dim));
  }
  return out;
}

struct DeviceCodebooks {
  std::vector<float> upper, centre;
};
inline DeviceCodebooks codebooks_up_to(int n_bits) {
  DeviceCodebooks out;
  for (int b = 0; b <= n_bits; ++b) {
    const NormalCodebook& book = normal_codebook(b);
    out.upper.insert(out.upper.end(), book.upper.begin(), book.upper.end());
    out.centre.insert(out.centre.end(), book.centre.begin(), book.centre.end());
  }
  return out;
}

/// Counts values and marks that are not core's, and errors that are further off than the order of a
/// float64 sum explains.
inline CaseRow quantize_rows_case(const QuantizeProblem& p) {
  const bool normal = p.spec.method == Method::normal;
  const DeviceCodebooks books = normal ? codebooks_up_to(p.max_bits) : DeviceCodebooks{};
  const std::int64_t n_rows = p.shape.n_kv_heads * p.prefix;
  const DeviceArray<float> in(with_stride(p.values, p.shape.head_dim, p.stride())),
      upper(books.upper), centre(books.centre);
  const DeviceArray<float> out = unwritten(static_cast<std::int64_t>(in.size()));
  const DeviceArray<UnitStats> stats(p.stats);
  const DeviceArray<std::uint8_t> n_bits(p.n_bits);
  const DeviceArray<double> errors = unwritten<double>(n_rows);
  const DeviceArray<std::uint8_t> outliers = unwritten<std::uint8_t>(n_rows * p.mark_bytes());
  require(cuda::quantize_rows({.in = in.data(),
                               .out = out.data(),
                               .quantizer = p.spec,
                               .stats = stats.data(),
                               .n_bits = n_bits.data(),
                               .upper = upper.data(),
                               .centre = centre.data(),
                               .errors = errors.data(),
                               .outliers = outliers.data(),
                               .n_kv_heads = p.shape.n_kv_heads,
                               .n_tokens = p.shape.n_tokens,
                               .prefix = p.prefix,
                               .head_dim = p.shape.head_dim,
                               .stride = p.stride(),
                               .units_per_token = p.layout().units_per_token()},
                              nullptr),
          "quantize_rows");
  const QuantizedRows want = core_rows(p);
  const std::vector<float> values = out.host();
  double n = n_different(values, with_stride(want.values, p.shape.head_dim, p.stride()));
  n += n_different(outliers.host(), want.outliers);
  const std::vector<double> got = errors.host();
  for (std::size_t i = 0; i < got.size(); ++i) {
    n += std::abs(got[i] - want.errors[i]) <= 1e-14 * want.errors[i] ? 0 : 1;
  }
  const std::string shape =
      std::string(ChoiceNames<Level>::names[static_cast<std::size_t>(p.spec.level)]) + " " +
      std::string(ChoiceNames<RangeRule>::names[static_cast<std::size_t>(p.spec.range_rule)]) +
      (normal ? " normal" : "") + (p.spec.symmetric ? " symmetric" : "") +
      (p.spec.store_scale == StoreScale::f16 ? " f16" : "") + ", r " +
      std::to_string(p.spec.outliers_ratio) + ", " +
      shape_text({{"H", p.shape.n_kv_heads},
                  {"T", p.shape.n_tokens},
                  {"prefix", p.prefix},
                  {"D", p.shape.head_dim}});
  return {"quantize_rows", shape, n, 0, digest_of(values, digest_of(got))};
}

inline std::vector<CaseRow> check_quantize_rows(bool small) {
  require(cuda::quantize_rows({}, nullptr), "quantize_rows of no tokens");
  std::vector<CaseRow> rows;
  const auto check = [&](const QuantizeProblem& p) {
    rows.push_back(quantize_rows_case(quantize_problem(p)));
  };
  for (const RangeRule rule : {RangeRule::mean_centred, RangeRule::midpoint, RangeRule::minmax}) {
    for (const StoreScale store : {StoreScale::f32, StoreScale::f16}) {
      for (const bool symmetric : {false, true}) {
        const double ratio = symmetric ? 0 : 0.1;
        check({.shape = {1, 2, 19, 24},
               .prefix = 18,
               .spec = {.range_rule = rule,
                        .store_scale = store,
                        .symmetric = symmetric,
                        .outliers_ratio = ratio}});
      }
    }
  }
  for (const Level level : {Level::head, Level::layer, Level::token}) {
    check({.shape = {1, 3, 7, 16}, .prefix = 7, .spec = {.level = level, .outliers_ratio = 0.05}});
    for (const StoreScale store : {StoreScale::f32, StoreScale::f16}) {
      check({.shape = {1, 3, 9, 20},
             .prefix = 5,
             .spec = {.level = level,
                      .method = Method::normal,
                      .store_scale = store,
                      .symmetric = store == StoreScale::f16,
                      .outliers_ratio = 0.1},
             .max_bits = 8});
    }
  }
  for (const std::int64_t head_dim : {1, 15, 64, 80, 128, 256}) {
    check({.shape = {1, 1, 3, head_dim}, .prefix = 2, .spec = {.outliers_ratio = 0.02}});
  }
  check({.shape = {1, 1, 1, 8}, .prefix = 1, .spec = {.outliers_ratio = 0.9}});
  if (!small) {
    check({.shape = {1, 32, 1024, 128}, .prefix = 1000, .spec = {.outliers_ratio = 0.01}});
    check({.shape = {1, 8, 1024, 128}, .prefix = 1024, .spec = {.method = Method::normal}});
  }
  return rows;
}

}  // namespace qaq::cases
