#pragma once

#include "gpu/cuda/kernels/norm.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

struct NormProblem {
  std::int64_t n_rows = 0;
  std::int64_t n_cols = 0;
  float epsilon = 1e-5f;
  std::vector<float> in = {};
  std::vector<float> weight = {};
};

inline NormProblem norm_problem(std::int64_t n_rows, std::int64_t n_cols, double deviation = 3) {
  Numbers numbers(3);
  NormProblem p{.n_rows = n_rows, .n_cols = n_cols};
  p.in = numbers.bells(n_rows * n_cols, deviation);
  p.weight = numbers.bells(n_cols);
  return p;
}

inline std::vector<float> run_norm(const NormProblem& p, bool in_place) {
  const DeviceArray<float> in(p.in), weight(p.weight);
  const DeviceArray<float> out = unwritten(in_place ? 0 : p.n_rows * p.n_cols);
  const DeviceArray<float>& to = in_place ? in : out;
  require(
      cuda::rms_norm({in.data(), weight.data(), to.data(), p.n_rows, p.n_cols, p.epsilon}, nullptr),
      "rms_norm");
  return to.host();
}

inline CaseRow norm_case(std::int64_t n_rows, std::int64_t n_cols) {
  const NormProblem p = norm_problem(n_rows, n_cols);
  const std::vector<float> got = run_norm(p, false);
  Worst worst;
  for (std::int64_t row = 0; row < n_rows; ++row) {
    const float* in = p.in.data() + row * n_cols;
    double sum = 0;
    for (std::int64_t c = 0; c < n_cols; ++c) sum += static_cast<double>(in[c]) * in[c];
    const double root = std::sqrt(sum / static_cast<double>(n_cols) + p.epsilon);
    for (std::int64_t c = 0; c < n_cols; ++c) {
      const double want = in[c] / root * p.weight[static_cast<std::size_t>(c)];
      worst.add(got[static_cast<std::size_t>(row * n_cols + c)], want, std::abs(want));
    }
  }
  return {"norm", shape_text({{"T", n_rows}, {"n", n_cols}}), worst.value(), 1e-6, digest_of(got)};
}

/// Rows alone, and all of them in place, give the bytes of the batch.
inline CaseRow norm_batch_case(std::int64_t n_rows, std::int64_t n_cols) {
  const NormProblem p = norm_problem(n_rows, n_cols);
  const std::vector<float> batch = run_norm(p, false);
  double n = n_different(batch, run_norm(p, true));
  for (std::int64_t row = 0; row < n_rows; ++row) {
    NormProblem one = p;
    one.n_rows = 1;
    one.in.assign(p.in.begin() + row * n_cols, p.in.begin() + (row + 1) * n_cols);
    n += n_different(run_norm(one, false),
                     {batch.begin() + row * n_cols, batch.begin() + (row + 1) * n_cols});
  }
  return {"norm, alone and in place", shape_text({{"T", n_rows}, {"n", n_cols}}), n, 0,
          digest_of(batch)};
}

/// In 16 bits: the float32 result, rounded once.
inline CaseRow norm_short_case(std::int64_t n_rows, std::int64_t n_cols, DType dtype) {
  const NormProblem p = norm_problem(n_rows, n_cols);
  const DeviceArray<float> in(p.in), weight(p.weight);
  const auto out = unwritten<std::uint16_t>(n_rows * n_cols);
  require(cuda::rms_norm(
              {in.data(), weight.data(), out.data(), n_rows, n_cols, p.epsilon, dtype}, nullptr),
          "rms_norm");
  const Bits16 got = out.host();
  return {"norm", shape_text({{"T", n_rows}, {"n", n_cols}}) + ", " + std::string(name_of(dtype)),
          n_different(got, bits16(run_norm(p, false), dtype)), 0, digest_of(got)};
}

/// A kernel that takes no notice of epsilon is found: small rows under two of them must differ.
inline CaseRow norm_epsilon_case() {
  NormProblem p = norm_problem(1, 64, 1e-3);
  const std::vector<float> coarse = run_norm(p, false);
  p.epsilon = 1e-6f;
  const std::vector<float> fine = run_norm(p, false);
  const double n_same = 64 - n_different(coarse, fine);
  return {"norm, epsilon", shape_text({{"n", 64}}), n_same, 0, digest_of(fine)};
}

inline std::vector<CaseRow> check_norm(bool small) {
  require(cuda::rms_norm({}, nullptr), "rms_norm of no rows");
  std::vector<CaseRow> rows;
  for (const std::int64_t n_cols : {1, 63, 64, 65, 257, 576, 4096}) {
    rows.push_back(norm_case(3, n_cols));
  }
  rows.push_back(norm_case(65, 24));
  for (const DType dtype : {DType::f16, DType::bf16}) {
    rows.push_back(norm_short_case(3, 65, dtype));
    rows.push_back(norm_short_case(3, 576, dtype));
  }
  rows.push_back(norm_batch_case(3, 257));
  rows.push_back(norm_batch_case(2, 1028));
  rows.push_back(norm_epsilon_case());
  if (!small) {
    rows.push_back(norm_case(1024, 4096));
    rows.push_back(norm_case(257, 5120));
  }
  return rows;
}

}  // namespace qaq::cases
