#pragma once

#include "gpu/cuda/kernels/activate.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

struct ActivateProblem {
  std::vector<float> gate, up;
};

inline ActivateProblem activate_problem(std::int64_t n) {
  Numbers numbers(4);
  ActivateProblem p{numbers.bells(n, 4), numbers.bells(n)};
  // Past where exp overflows, on either side.
  if (n > 4) p.gate[1] = -150, p.gate[2] = 150, p.gate[3] = -87, p.gate[4] = 0;
  return p;
}

inline std::vector<float> run_activate_in_place(const ActivateProblem& p) {
  const DeviceArray<float> gate(p.gate), up(p.up);
  require(cuda::silu_times({gate.data(), up.data(), gate.data(), std::ssize(p.gate)}, nullptr),
          "silu_times");
  return gate.host();
}

/// In 16 bits: the float32 result, rounded once.
inline CaseRow activate_short_case(std::int64_t n, DType dtype) {
  const ActivateProblem p = activate_problem(n);
  const DeviceArray<float> gate(p.gate), up(p.up);
  const auto out = unwritten<std::uint16_t>(n);
  require(cuda::silu_times({gate.data(), up.data(), out.data(), n, dtype}, nullptr), "silu_times");
  const Bits16 got = out.host();
  return {"activate", shape_text({{"n", n}}) + ", " + std::string(name_of(dtype)),
          n_different(got, bits16(run_activate_in_place(p), dtype)), 0, digest_of(got)};
}

inline CaseRow activate_case(std::int64_t n) {
  const auto [gate, up] = activate_problem(n);
  const std::vector<float> got = run_activate_in_place({gate, up});
  Worst worst;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double g = gate[i], want = g / (1 + std::exp(-g)) * up[i];
    worst.add(got[i], want, std::abs(want));
  }
  return {"activate", shape_text({{"n", n}}), worst.value(), 1e-6, digest_of(got)};
}

inline std::vector<CaseRow> check_activate(bool small) {
  require(cuda::silu_times({}, nullptr), "silu_times of nothing");
  std::vector<CaseRow> rows;
  for (const std::int64_t n : {1, 63, 64, 65, 257, 1024, 5001}) rows.push_back(activate_case(n));
  for (const DType dtype : {DType::f16, DType::bf16}) {
    rows.push_back(activate_short_case(257, dtype));
    rows.push_back(activate_short_case(1024, dtype));
  }
  // More than the grid takes in one step.
  if (!small) rows.push_back(activate_case(1024 * 11008));
  return rows;
}

}  // namespace qaq::cases
