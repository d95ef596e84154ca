#pragma once

#include "gpu/cuda/kernels/linear.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

struct LinearProblem {
  std::int64_t n_rows = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool bias = false;
  bool accumulate = false;
  std::vector<float> in = {};
  std::vector<float> weight = {};
  std::vector<float> biases = {};
  std::vector<float> before = {};  ///< what `out` holds; NaN unless it is accumulated to
};

inline LinearProblem linear_problem(std::int64_t n_rows, std::int64_t n, std::int64_t k,
                                    bool bias = false, bool accumulate = false) {
  Numbers numbers(5);
  LinearProblem p{.n_rows = n_rows, .n = n, .k = k, .bias = bias, .accumulate = accumulate};
  p.in = numbers.bells(n_rows * k);
  p.weight = numbers.bells(n * k, 0.2);
  if (bias) p.biases = numbers.bells(n);
  p.before = accumulate ? numbers.bells(n_rows * n)
                        : std::vector<float>(static_cast<std::size_t>(n_rows * n),
                                             std::numeric_limits<float>::quiet_NaN());
  return p;
}

/// `shift`: numbers that `in` and `weight` lie behind a 256-byte boundary.
inline std::vector<float> run_linear(const LinearProblem& p, std::size_t shift = 0) {
  DeviceArray<float> in(p.in.size() + shift), weight(p.weight.size() + shift);
  in.set(p.in, shift);
  weight.set(p.weight, shift);
  const DeviceArray<float> biases(p.biases), out(p.before);
  require(cuda::linear({in.data() + shift, weight.data() + shift, p.bias ? biases.data() : nullptr,
                        out.data(), p.n_rows, p.n, p.k, p.accumulate},
                       nullptr),
          "linear");
  return out.host();
}

inline LinearProblem some_rows(const LinearProblem& p, std::int64_t first, std::int64_t n_rows) {
  LinearProblem some = p;
  some.n_rows = n_rows;
  some.in.assign(p.in.begin() + first * p.k, p.in.begin() + (first + n_rows) * p.k);
  some.before.assign(p.before.begin() + first * p.n, p.before.begin() + (first + n_rows) * p.n);
  return some;
}

inline std::string linear_shape(const LinearProblem& p) {
  return shape_text({{"T", p.n_rows}, {"n", p.n}, {"k", p.k}}) + (p.bias ? ", bias" : "") +
         (p.accumulate ? ", accumulate" : "");
}

inline CaseRow linear_case(const LinearProblem& p) {
  const std::vector<float> got = run_linear(p);
  Worst worst;
  for (std::int64_t row = 0; row < p.n_rows; ++row) {
    for (std::int64_t output = 0; output < p.n; ++output) {
      const auto at = static_cast<std::size_t>(row * p.n + output);
      const float* in = p.in.data() + row * p.k;
      const float* weight = p.weight.data() + output * p.k;
      double want = p.accumulate ? p.before[at] : 0;
      if (p.bias) want += p.biases[static_cast<std::size_t>(output)];
      double terms = p.accumulate ? std::abs(p.before[at]) : 0;
      if (p.bias) terms += std::abs(p.biases[static_cast<std::size_t>(output)]);
      for (std::int64_t c = 0; c < p.k; ++c) {
        const double term = static_cast<double>(in[c]) * weight[c];
        want += term;
        terms += std::abs(term);
      }
      worst.add(got[at], want, terms);
    }
  }
  return {"linear", linear_shape(p), worst.value(), 2e-7 * std::sqrt(static_cast<double>(p.k)),
          digest_of(got)};
}

/// Rows in batches of every kind, and from addresses that allow no 16-byte loads, give the bytes of
/// the whole.
inline CaseRow linear_batch_case(const LinearProblem& p) {
  const std::vector<float> batch = run_linear(p);
  double n = n_different(batch, run_linear(p, 1));
  for (const std::int64_t n_rows : {1, 2, 3, 4, 5, 8, 9}) {
    if (n_rows > p.n_rows) continue;
    const std::int64_t first = p.n_rows - n_rows;
    n += n_different(run_linear(some_rows(p, first, n_rows)),
                     {batch.begin() + first * p.n, batch.end()});
  }
  n += n_different(run_linear(some_rows(p, 0, 1), 3), {batch.begin(), batch.begin() + p.n});
  return {"linear, batches", linear_shape(p), n, 0, digest_of(batch)};
}

inline std::vector<CaseRow> check_linear(bool small) {
  require(cuda::linear({.n = 4, .k = 4}, nullptr), "linear of no rows");
  require(cuda::linear({.n_rows = 4, .k = 4}, nullptr), "linear of no outputs");
  std::vector<CaseRow> rows;
  const auto check = [&](const LinearProblem& p) { rows.push_back(linear_case(p)); };
  check(linear_problem(1, 1, 1));
  check(linear_problem(1, 65, 257, true));
  check(linear_problem(2, 63, 64, false, true));
  check(linear_problem(3, 257, 24, true, true));
  check(linear_problem(7, 17, 576));
  check(linear_problem(8, 65, 63, true));
  check(linear_problem(9, 65, 65, true));
  check(linear_problem(63, 63, 63, false, true));
  check(linear_problem(64, 64, 64));
  check(linear_problem(65, 65, 24, true, true));
  check(linear_problem(257, 1, 257));
  check(linear_problem(65, 257, 576));
  rows.push_back(linear_batch_case(linear_problem(65, 65, 260)));
  rows.push_back(linear_batch_case(linear_problem(9, 17, 63, true, true)));
  if (!small) {
    check(linear_problem(257, 1000, 4096, true));
    check(linear_problem(1, 4096, 11008));
    rows.push_back(linear_batch_case(linear_problem(257, 4096, 4096)));
  }
  return rows;
}

}  // namespace qaq::cases
