#pragma once

#include "gpu/cuda/kernels/rotate_append.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

struct RotateProblem {
  std::int64_t n_rows = 0;
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t n_rotary = 0;
  bool norms = false;
  float epsilon = 1e-6f;
  std::vector<float> query = {}, key = {}, value = {}, query_norm = {}, key_norm = {}, cos = {},
                     sin = {};
};

/// What was written, (heads, rotate_stride(), head_dim) each, rows from kRotateFirstRow on; the
/// rest NaN.
struct Rotated {
  std::vector<float> query = {}, key = {}, value = {};
};
constexpr std::int64_t kRotateFirstRow = 2;

inline std::int64_t rotate_stride(const RotateProblem& p) { return p.n_rows + 3; }

inline RotateProblem rotate_problem(RotateProblem p) {
  Numbers numbers(6);
  p.query = numbers.bells(p.n_rows * p.n_heads * p.head_dim, 2);
  p.key = numbers.bells(p.n_rows * p.n_kv_heads * p.head_dim, 2);
  p.value = numbers.bells(p.n_rows * p.n_kv_heads * p.head_dim);
  if (p.norms) {
    p.query_norm = numbers.bells(p.head_dim);
    p.key_norm = numbers.bells(p.head_dim);
  }
  for (std::int64_t i = 0; i < p.n_rows * p.n_rotary / 2; ++i) {
    const double angle = 300 * numbers.uniform();
    p.cos.push_back(static_cast<float>(std::cos(angle)));
    p.sin.push_back(static_cast<float>(std::sin(angle)));
  }
  return p;
}

template <class T = float>
struct RotatedAs {
  std::vector<T> query = {}, key = {}, value = {};
};

/// `at_position`: the caches' first row is found by a position on the device.
template <class T = float>
RotatedAs<T> run_rotate_as(const RotateProblem& p, DType dtype, bool at_position) {
  const DeviceArray<float> query(p.query), key(p.key), value(p.value), query_norm(p.query_norm),
      key_norm(p.key_norm), cos(p.cos), sin(p.sin);
  const std::int64_t stride = rotate_stride(p), first = kRotateFirstRow * p.head_dim;
  const auto query_heads = unwritten<T>(p.n_heads * stride * p.head_dim),
             key_cache = unwritten<T>(p.n_kv_heads * stride * p.head_dim),
             value_cache = unwritten<T>(p.n_kv_heads * stride * p.head_dim);
  const DeviceArray<std::int64_t> position(std::vector{kRotateFirstRow});
  const std::int64_t cache_first = at_position ? 0 : first;
  const cuda::RotateCall call{.query = query.data(),
                              .key = key.data(),
                              .value = value.data(),
                              .query_norm = p.norms ? query_norm.data() : nullptr,
                              .key_norm = p.norms ? key_norm.data() : nullptr,
                              .epsilon = p.epsilon,
                              .cos = cos.data(),
                              .sin = sin.data(),
                              .n_rows = p.n_rows,
                              .n_heads = p.n_heads,
                              .n_kv_heads = p.n_kv_heads,
                              .head_dim = p.head_dim,
                              .n_rotary = p.n_rotary,
                              .dtype = dtype,
                              .query_heads = query_heads.data() + first,
                              .query_stride = stride,
                              .key_cache = key_cache.data() + cache_first,
                              .value_cache = value_cache.data() + cache_first,
                              .cache_stride = stride,
                              .position = at_position ? position.data() : nullptr};
  require(cuda::rotate_append(call, nullptr), "rotate_append");
  return {query_heads.host(), key_cache.host(), value_cache.host()};
}

inline Rotated run_rotate(const RotateProblem& p) {
  auto [query, key, value] = run_rotate_as(p, DType::f32, false);
  return {std::move(query), std::move(key), std::move(value)};
}

/// In 16 bits: the float32 result, rounded once, in the same rows.
inline CaseRow rotate_short_case(const RotateProblem& p, DType dtype) {
  const Rotated want = run_rotate(p);
  const auto got = run_rotate_as<std::uint16_t>(p, dtype, true);
  double n = 0;
  const auto compare = [&](const Bits16& a, const std::vector<float>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
      n += std::isnan(b[i]) ? (a[i] == 0xffff ? 0 : 1) : (a[i] == bits16({b[i]}, dtype)[0] ? 0 : 1);
    }
  };
  compare(got.query, want.query);
  compare(got.key, want.key);
  compare(got.value, want.value);
  return {"rotate_append",
          shape_text({{"T", p.n_rows}, {"D", p.head_dim}}) + ", " + std::string(name_of(dtype)), n,
          0, digest_of(got.value, digest_of(got.key, digest_of(got.query)))};
}

/// One vector of head_dim in double, with the sums of its absolute terms.
inline void rotate_reference(const RotateProblem& p, const float* from, const float* norm,
                             std::int64_t row, std::vector<double>& want,
                             std::vector<double>& terms) {
  double factor = 1;
  if (norm) {
    double sum = 0;
    for (std::int64_t c = 0; c < p.head_dim; ++c) sum += static_cast<double>(from[c]) * from[c];
    factor = 1 / std::sqrt(sum / static_cast<double>(p.head_dim) + p.epsilon);
  }
  want.clear();
  for (std::int64_t c = 0; c < p.head_dim; ++c)
    want.push_back(from[c] * factor * (norm ? norm[c] : 1));
  terms.clear();
  for (const double x : want) terms.push_back(std::abs(x));
  const std::int64_t n_pairs = p.n_rotary / 2;
  for (std::int64_t i = 0; i < n_pairs; ++i) {
    const auto low = static_cast<std::size_t>(i), high = static_cast<std::size_t>(i + n_pairs);
    const auto angle = static_cast<std::size_t>(row * n_pairs + i);
    const double a = want[low], b = want[high], c = p.cos[angle], s = p.sin[angle];
    want[low] = a * c - b * s;
    want[high] = b * c + a * s;
    terms[low] = std::abs(a * c) + std::abs(b * s);
    terms[high] = std::abs(b * c) + std::abs(a * s);
  }
}

/// Numbers outside the rows that were asked for and are not NaN any more.
inline double n_touched(const RotateProblem& p, const std::vector<float>& numbers) {
  double n = 0;
  const std::int64_t stride = rotate_stride(p);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::int64_t row = static_cast<std::int64_t>(i) / p.head_dim % stride - kRotateFirstRow;
    if ((row < 0 || row >= p.n_rows) && !std::isnan(numbers[i])) ++n;
  }
  return n;
}

inline std::vector<CaseRow> rotate_cases(const RotateProblem& p) {
  const Rotated got = run_rotate(p);
  const std::int64_t d = p.head_dim;
  Worst worst;
  double n_values = 0;
  std::vector<double> want, terms;
  const auto compare = [&](const std::vector<float>& from, const std::vector<float>& norm,
                           std::int64_t n_heads, const std::vector<float>& to) {
    for (std::int64_t row = 0; row < p.n_rows; ++row) {
      for (std::int64_t head = 0; head < n_heads; ++head) {
        rotate_reference(p, from.data() + (row * n_heads + head) * d,
                         p.norms ? norm.data() : nullptr, row, want, terms);
        const float* at = to.data() + (head * rotate_stride(p) + kRotateFirstRow + row) * d;
        for (std::size_t c = 0; c < want.size(); ++c) worst.add(at[c], want[c], terms[c]);
      }
    }
  };
  compare(p.query, p.query_norm, p.n_heads, got.query);
  compare(p.key, p.key_norm, p.n_kv_heads, got.key);
  for (std::int64_t row = 0; row < p.n_rows; ++row) {
    for (std::int64_t head = 0; head < p.n_kv_heads; ++head) {
      const float* from = p.value.data() + (row * p.n_kv_heads + head) * d;
      const float* to = got.value.data() + (head * rotate_stride(p) + kRotateFirstRow + row) * d;
      for (std::int64_t c = 0; c < d; ++c) n_values += same_bytes(from[c], to[c]) ? 0 : 1;
    }
  }
  n_values += n_touched(p, got.query) + n_touched(p, got.key) + n_touched(p, got.value);
  const std::uint64_t digest = digest_of(got.value, digest_of(got.key, digest_of(got.query)));
  const std::string shape = shape_text({{"T", p.n_rows},
                                        {"heads", p.n_heads},
                                        {"kv", p.n_kv_heads},
                                        {"D", d},
                                        {"rotary", p.n_rotary}}) +
                            (p.norms ? ", norms" : "");
  return {{"rotate_append", shape, worst.value(), 1e-6, digest},
          {"rotate_append, values, untouched rows", shape, n_values, 0, digest}};
}

/// The last row alone gives the bytes of the batch.
inline CaseRow rotate_batch_case(const RotateProblem& p) {
  const Rotated batch = run_rotate(p);
  RotateProblem one = p;
  const auto last = [&](const std::vector<float>& rows) {
    return std::vector<float>(rows.end() - static_cast<std::ptrdiff_t>(rows.size()) / p.n_rows,
                              rows.end());
  };
  one.n_rows = 1;
  one.query = last(p.query);
  one.key = last(p.key);
  one.value = last(p.value);
  one.cos = last(p.cos);
  one.sin = last(p.sin);
  const Rotated alone = run_rotate(one);
  double n = 0;
  const auto compare = [&](const std::vector<float>& a, const std::vector<float>& b,
                           std::int64_t n_heads) {
    for (std::int64_t head = 0; head < n_heads; ++head) {
      const float* in_batch =
          a.data() + (head * rotate_stride(p) + kRotateFirstRow + p.n_rows - 1) * p.head_dim;
      const float* on_its_own =
          b.data() + (head * rotate_stride(one) + kRotateFirstRow) * p.head_dim;
      for (std::int64_t c = 0; c < p.head_dim; ++c) {
        n += same_bytes(in_batch[c], on_its_own[c]) ? 0 : 1;
      }
    }
  };
  compare(batch.query, alone.query, p.n_heads);
  compare(batch.key, alone.key, p.n_kv_heads);
  compare(batch.value, alone.value, p.n_kv_heads);
  return {"rotate_append, alone", shape_text({{"T", p.n_rows}, {"D", p.head_dim}}), n, 0,
          digest_of(alone.query)};
}

inline std::vector<CaseRow> check_rotate_append(bool small) {
  require(
      cuda::rotate_append({.n_heads = 4, .n_kv_heads = 2, .head_dim = 8, .n_rotary = 8}, nullptr),
      "rotate_append of no rows");
  std::vector<CaseRow> rows;
  const auto check = [&](RotateProblem p) {
    for (CaseRow& row : rotate_cases(rotate_problem(std::move(p)))) rows.push_back(std::move(row));
  };
  check({.n_rows = 1, .n_heads = 1, .n_kv_heads = 1, .head_dim = 24, .n_rotary = 24});
  check(
      {.n_rows = 65, .n_heads = 3, .n_kv_heads = 1, .head_dim = 24, .n_rotary = 24, .norms = true});
  check({.n_rows = 5, .n_heads = 9, .n_kv_heads = 3, .head_dim = 64, .n_rotary = 64});
  check({.n_rows = 7, .n_heads = 4, .n_kv_heads = 1, .head_dim = 80, .n_rotary = 32});
  check({.n_rows = 3,
         .n_heads = 8,
         .n_kv_heads = 1,
         .head_dim = 128,
         .n_rotary = 128,
         .norms = true});
  check({.n_rows = 2, .n_heads = 2, .n_kv_heads = 2, .head_dim = 80, .n_rotary = 0, .norms = true});
  rows.push_back(rotate_batch_case(rotate_problem({.n_rows = 6,
                                                   .n_heads = 3,
                                                   .n_kv_heads = 1,
                                                   .head_dim = 80,
                                                   .n_rotary = 40,
                                                   .norms = true})));
  for (const DType dtype : {DType::f16, DType::bf16}) {
    rows.push_back(rotate_short_case(rotate_problem({.n_rows = 5,
                                                     .n_heads = 3,
                                                     .n_kv_heads = 1,
                                                     .head_dim = 24,
                                                     .n_rotary = 16,
                                                     .norms = true}),
                                     dtype));
  }
  if (!small) {
    check({.n_rows = 1024, .n_heads = 32, .n_kv_heads = 8, .head_dim = 128, .n_rotary = 128});
  }
  return rows;
}

}  // namespace qaq::cases
