// cuBLASLt against our own kernel on the same 16-bit numbers.
#include "gpu/device/cublas.h"
#include "gpu/engine/products.h"
#include "tests/gpu/cases/half_linear.h"
#include "tests/gpu_check/steps.h"

namespace qaq::gpu_check {
namespace {

using cases::CaseRow;
using cases::DeviceArray;
using cases::HalfLinearProblem;

std::vector<float> multiplied(cuda::CublasLt& library, const HalfLinearProblem& p) {
  const DeviceArray<std::uint16_t> in(p.in), weight(p.weight);
  const DeviceArray<float> biases(p.biases), out(p.before);
  const DeviceArray<std::byte> space(cuda::Products::kWorkspaceBytes);
  const bool done = library.matmul({.in = in.data(),
                                    .weight = weight.data(),
                                    .bias = p.bias ? biases.data() : nullptr,
                                    .out = out.data(),
                                    .n_rows = p.n_rows,
                                    .n = p.n,
                                    .k = p.k,
                                    .accumulate = p.accumulate,
                                    .dtype = p.dtype},
                                   {space.data(), cuda::Products::kWorkspaceBytes}, nullptr);
  if (!done) throw std::runtime_error("no algorithm for " + cases::half_linear_shape(p));
  return out.host();
}

// Both differ from the exact sum by what each may.
CaseRow product_case(cuda::CublasLt& library, const HalfLinearProblem& sizes) {
  const HalfLinearProblem p = cases::half_linear_problem(sizes);
  const std::vector<float> own = cases::run_half_linear(p), got = multiplied(library, p);
  const std::vector<double> in = cases::values_of(p.in, p.dtype);
  const std::vector<double> weight = cases::values_of(p.weight, p.dtype);
  cases::Worst worst;
  for (std::int64_t row = 0; row < p.n_rows; ++row) {
    for (std::int64_t output = 0; output < p.n; ++output) {
      const auto at = static_cast<std::size_t>(row * p.n + output);
      double terms = p.accumulate ? std::abs(static_cast<double>(p.before[at])) : 0;
      if (p.bias)
        terms += std::abs(static_cast<double>(p.biases[static_cast<std::size_t>(output)]));
      for (std::int64_t c = 0; c < p.k; ++c) {
        terms += std::abs(in[static_cast<std::size_t>(row * p.k + c)] *
                          weight[static_cast<std::size_t>(output * p.k + c)]);
      }
      worst.add(static_cast<double>(got[at]), static_cast<double>(own[at]), terms);
    }
  }
  return {"cuBLASLt", cases::half_linear_shape(p), worst.value(),
          2 * 2e-7 * std::sqrt(static_cast<double>(p.k)), cases::digest_of(got)};
}

}  // namespace

void check_cublas(Context& context) {
  std::string why_not;
  const auto library = cuda::CublasLt::open(why_not);
  if (!library) return context.report.skip("correct", "cublas", why_not);
  check_twice(context, "cublas", [&] {
    std::vector<CaseRow> rows;
    const auto check = [&](const HalfLinearProblem& p) {
      rows.push_back(product_case(*library, p));
    };
    for (const DType dtype : {DType::f16, DType::bf16}) {
      check({.dtype = dtype, .n_rows = 9, .n = 64, .k = 64});
      check({.dtype = dtype, .n_rows = 17, .n = 576, .k = 576, .accumulate = true});
      check({.dtype = dtype, .n_rows = 64, .n = 1536, .k = 576, .bias = true});
      check({.dtype = dtype, .n_rows = 300, .n = 576, .k = 1536});
    }
    return rows;
  });
}

}  // namespace qaq::gpu_check
