#pragma once

#include "gpu/cuda/kernels/activate.h"
#include "tests/gpu/cases/check.h"

namespace qaq::cases {

inline CaseRow activate_case(std::int64_t n) {
  Numbers numbers(4);
  std::vector<float> gate = numbers.bells(n, 4);
  const std::vector<float> up = numbers.bells(n);
  // Past where exp overflows, on either side.
  if (n > 4) gate[1] = -150, gate[2] = 150, gate[3] = -87, gate[4] = 0;
  const DeviceArray<float> gate_on_device(gate), up_on_device(up);
  require(cuda::silu_times(gate_on_device.data(), up_on_device.data(), n, nullptr), "silu_times");
  const std::vector<float> got = gate_on_device.host();
  Worst worst;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double g = gate[i], want = g / (1 + std::exp(-g)) * up[i];
    worst.add(got[i], want, std::abs(want));
  }
  return {"activate", shape_text({{"n", n}}), worst.value(), 1e-6, digest_of(got)};
}

inline std::vector<CaseRow> check_activate(bool small) {
  require(cuda::silu_times(nullptr, nullptr, 0, nullptr), "silu_times of nothing");
  std::vector<CaseRow> rows;
  for (const std::int64_t n : {1, 63, 64, 65, 257, 1024, 5001}) rows.push_back(activate_case(n));
  // More than the grid takes in one step.
  if (!small) rows.push_back(activate_case(1024 * 11008));
  return rows;
}

}  // namespace qaq::cases
