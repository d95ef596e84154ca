#pragma once

#include "core/base/half.h"
#include "gpu/cuda/kernels/half_linear.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

using cuda::HalfLinearPath;

struct HalfLinearProblem {
  DType dtype = DType::f16;
  std::int64_t n_rows = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool bias = false;
  bool accumulate = false;
  HalfLinearPath path = HalfLinearPath::by_size;
  std::vector<std::uint16_t> in = {};
  std::vector<std::uint16_t> weight = {};
  std::vector<float> biases = {};
  std::vector<float> before = {};  ///< what `out` holds; NaN unless it is accumulated to
};

inline std::vector<std::uint16_t> halves_of(const std::vector<float>& numbers, DType dtype) {
  std::vector<std::uint16_t> out;
  for (const float x : numbers) {
    out.push_back(dtype == DType::f16 ? half_from_float(x) : bf16_from_float(x));
  }
  return out;
}

inline std::vector<double> values_of(const std::vector<std::uint16_t>& numbers, DType dtype) {
  std::vector<double> out;
  for (const std::uint16_t bits : numbers) {
    out.push_back(
        static_cast<double>(dtype == DType::f16 ? float_from_half(bits) : float_from_bf16(bits)));
  }
  return out;
}

/// With numbers, to its sizes and switches.
inline HalfLinearProblem half_linear_problem(HalfLinearProblem p) {
  Numbers numbers(7);
  p.in = halves_of(numbers.bells(p.n_rows * p.k), p.dtype);
  p.weight = halves_of(numbers.bells(p.n * p.k, 0.2), p.dtype);
  if (p.bias) p.biases = numbers.bells(p.n);
  p.before = p.accumulate ? numbers.bells(p.n_rows * p.n)
                          : std::vector<float>(static_cast<std::size_t>(p.n_rows * p.n),
                                               std::numeric_limits<float>::quiet_NaN());
  return p;
}

/// `shift`: numbers that `in` and `weight` lie behind a 256-byte boundary.
inline std::vector<float> run_half_linear(const HalfLinearProblem& p, std::size_t shift = 0) {
  DeviceArray<std::uint16_t> in(p.in.size() + shift), weight(p.weight.size() + shift);
  in.set(p.in, shift);
  weight.set(p.weight, shift);
  const DeviceArray<float> biases(p.biases), out(p.before);
  require(cuda::half_linear({.in = in.data() + shift,
                             .weight = weight.data() + shift,
                             .bias = p.bias ? biases.data() : nullptr,
                             .out = out.data(),
                             .n_rows = p.n_rows,
                             .n = p.n,
                             .k = p.k,
                             .accumulate = p.accumulate,
                             .dtype = p.dtype,
                             .path = p.path},
                            nullptr),
          "half_linear");
  return out.host();
}

inline HalfLinearProblem some_rows(const HalfLinearProblem& p, std::int64_t first,
                                   std::int64_t n_rows) {
  HalfLinearProblem some = p;
  some.n_rows = n_rows;
  some.in.assign(p.in.begin() + first * p.k, p.in.begin() + (first + n_rows) * p.k);
  some.before.assign(p.before.begin() + first * p.n, p.before.begin() + (first + n_rows) * p.n);
  return some;
}

inline std::string half_linear_shape(const HalfLinearProblem& p) {
  const char* path = "";
  if (p.path == HalfLinearPath::tile_64) path = ", tile 64";
  if (p.path == HalfLinearPath::tile_128) path = ", tile 128";
  return std::string(name_of(p.dtype)) + ", " +
         shape_text({{"T", p.n_rows}, {"n", p.n}, {"k", p.k}}) + (p.bias ? ", bias" : "") +
         (p.accumulate ? ", accumulate" : "") + path;
}

inline CaseRow half_linear_case(const HalfLinearProblem& p) {
  const std::vector<float> got = run_half_linear(p);
  const std::vector<double> all_in = values_of(p.in, p.dtype);
  const std::vector<double> all_weights = values_of(p.weight, p.dtype);
  Worst worst;
  for (std::int64_t row = 0; row < p.n_rows; ++row) {
    for (std::int64_t output = 0; output < p.n; ++output) {
      const auto at = static_cast<std::size_t>(row * p.n + output);
      const double* in = all_in.data() + row * p.k;
      const double* weight = all_weights.data() + output * p.k;
      double want = p.accumulate ? static_cast<double>(p.before[at]) : 0;
      double terms = std::abs(want);
      if (p.bias) {
        const auto bias = static_cast<double>(p.biases[static_cast<std::size_t>(output)]);
        want += bias;
        terms += std::abs(bias);
      }
      for (std::int64_t c = 0; c < p.k; ++c) {
        const double term = in[c] * weight[c];
        want += term;
        terms += std::abs(term);
      }
      worst.add(static_cast<double>(got[at]), want, terms);
    }
  }
  // Tensor cores round as often as every 16 terms; the shim's once.
  return {"half_linear", half_linear_shape(p), worst.value(),
          2e-7 * std::sqrt(static_cast<double>(p.k)), digest_of(got)};
}

/// A second run, addresses that allow no 16-byte accesses, and batches of these sizes give the
/// bytes of the whole. All of one kind: up to 8 rows, or more.
inline CaseRow half_linear_batch_case(const HalfLinearProblem& p, std::vector<std::int64_t> sizes) {
  const std::vector<float> batch = run_half_linear(p);
  double n = n_different(batch, run_half_linear(p)) + n_different(batch, run_half_linear(p, 1));
  for (const std::int64_t n_rows : sizes) {
    const std::int64_t first = p.n_rows - n_rows;
    n += n_different(run_half_linear(some_rows(p, first, n_rows)),
                     {batch.begin() + first * p.n, batch.end()});
    n += n_different(run_half_linear(some_rows(p, 0, n_rows)),
                     {batch.begin(), batch.begin() + n_rows * p.n});
  }
  return {"half_linear, batches", half_linear_shape(p), n, 0, digest_of(batch)};
}

/// Both tiles give the same bytes.
inline CaseRow half_linear_tiles_case(HalfLinearProblem p) {
  p.path = HalfLinearPath::tile_64;
  const std::vector<float> small = run_half_linear(p);
  p.path = HalfLinearPath::tile_128;
  const std::vector<float> large = run_half_linear(p);
  p.path = HalfLinearPath::by_size;
  return {"half_linear, tiles", half_linear_shape(p), n_different(small, large), 0,
          digest_of(large)};
}

inline void require_half_linear_refusals() {
  require(cuda::half_linear({.n = 4, .k = 4}, nullptr), "half_linear of no rows");
  require(cuda::half_linear({.n_rows = 4, .k = 4}, nullptr), "half_linear of no outputs");
  const cuda::HalfLinearCall in_f32{.n_rows = 1, .n = 4, .k = 4, .dtype = DType::f32};
  const cuda::HalfLinearCall too_many{
      .n_rows = 9, .n = 4, .k = 4, .path = HalfLinearPath::few_rows};
  for (const cuda::HalfLinearCall& call : {in_f32, too_many}) {
    if (cuda::half_linear(call, nullptr) != cudaErrorInvalidValue) {
      throw std::runtime_error("half_linear takes what it cannot do");
    }
  }
}

inline std::vector<HalfLinearProblem> half_linear_problems(bool small) {
  constexpr DType kF16 = DType::f16, kBf16 = DType::bf16;
  std::vector<HalfLinearProblem> problems{
      {kF16, 1, 1, 1},
      {kF16, 1, 33, 576, true},
      {kBf16, 1, 17, 8200},  // more than a chunk
      {kBf16, 2, 63, 64, false, true},
      {kF16, 3, 33, 24, true, true},
      {kBf16, 4, 9, 63, true},
      {kF16, 5, 36, 8},
      {kBf16, 6, 7, 264},
      {kF16, 7, 31, 2056},  // two chunks and a piece
      {kBf16, 8, 33, 576, true, true},
      {kF16, 9, 65, 64, true},
      {kBf16, 9, 1, 8},
      {kF16, 63, 63, 63, false, true},
      {kBf16, 65, 130, 24, true, true},
      {kF16, 33, 34, 576},
      {kBf16, 257, 7, 24, true},
      {kF16, 129, 130, 40, true, true, HalfLinearPath::tile_128},
      {kBf16, 65, 66, 136, true, false, HalfLinearPath::tile_128},
  };
  if (!small) {
    problems.push_back({kF16, 257, 1001, 4096, true});
    problems.push_back({kBf16, 1024, 2048, 256});  // large tiles by size
    problems.push_back({kF16, 1, 4096, 11008});
    problems.push_back({kBf16, 8, 4096, 11008, true});
    problems.push_back({kF16, 65, 1000, 4095});
  }
  return problems;
}

inline std::vector<CaseRow> check_half_linear(bool small) {
  require_half_linear_refusals();
  std::vector<CaseRow> rows;
  for (const HalfLinearProblem& like : half_linear_problems(small)) {
    rows.push_back(half_linear_case(half_linear_problem(like)));
  }
  for (const DType dtype : {DType::f16, DType::bf16}) {
    const auto problem = [&](std::int64_t n_rows, std::int64_t n, std::int64_t k) {
      return half_linear_problem({.dtype = dtype, .n_rows = n_rows, .n = n, .k = k, .bias = true});
    };
    rows.push_back(half_linear_batch_case(problem(8, 15, 1032), {1, 2, 3, 5}));
    rows.push_back(half_linear_batch_case(problem(65, 9, 40), {9, 63}));
    rows.push_back(half_linear_tiles_case(problem(65, 65, 40)));
    if (!small) {
      rows.push_back(half_linear_batch_case(problem(8, 4096, 4096), {1, 2, 4, 6}));
      rows.push_back(half_linear_batch_case(problem(520, 4096, 4096), {9, 300}));
      rows.push_back(half_linear_tiles_case(problem(257, 1000, 4096)));
    }
  }
  return rows;
}

}  // namespace qaq::cases
