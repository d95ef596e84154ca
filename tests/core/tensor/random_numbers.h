#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace qaq::test {

/// Normal numbers from a seed.
inline std::vector<float> random_numbers(std::int64_t n, unsigned seed, float scale = 1.0f) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> out(static_cast<std::size_t>(n));
  for (float& x : out) x = normal(engine);
  return out;
}

}  // namespace qaq::test
